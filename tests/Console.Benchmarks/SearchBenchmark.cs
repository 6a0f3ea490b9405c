using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Benchmarks;

/// <summary>One search over everything, as the palette and <c>GET /api/v1/search</c> ask for it, with 20,000 VMs and as many operations.</summary>
public static class SearchBenchmark
{
    private const int Vms = 20_000, PerWrite = 500, Rounds = 30;

    public static async Task Run()
    {
        var data = Directory.CreateTempSubdirectory("plinth-bench-search-").FullName;
        try
        {
            await using var console = ConsoleApplication.Build([$"--Plinth:Data={data}", "--Plinth:Portal:Url=http://localhost:18510", "--Plinth:Agents:Listen=127.0.0.1:18511", "--Plinth:Agents:EnrolmentListen=127.0.0.1:18512", "--Logging:LogLevel:Default=Warning"]);
            await console.StartAsync();
            await Fill(console.Services.GetRequiredService<IConsoleStore>());
            var search = console.Services.GetRequiredService<ISearch>();
            var caller = Caller.System;
            Figures.Head($"Search over {Vms} VMs and {Vms} operations");
            foreach (var (what, q) in new[] { ("a name", "vm-04711"), ("a beginning that all share", "vm-"), ("a label among all", "tier=7"), ("two words", "tier=7 rack-3"), ("nothing", "no-such-thing") })
            {
                List<double> took = [];
                for (var i = 0; i < Rounds; i++)
                {
                    var start = Stopwatch.GetTimestamp();
                    var found = await search.Find(caller, q, 12, CancellationToken.None);
                    took.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                    if (!found.Succeeded) throw new InvalidOperationException(found.Reason);
                }
                Figures.Row($"{what}, first", took[0], "ms", 200);
                Figures.Row($"{what}, median", Figures.Percentile(took, 0.5), "ms", 200);
                Figures.Row($"{what}, worst of {Rounds}", took.Max(), "ms", 200);
            }
            await console.StopAsync();
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task Fill(IConsoleStore store)
    {
        var image = ImageId.New(DateTimeOffset.UnixEpoch);
        for (var from = 0; from < Vms; from += PerWrite)
        {
            var begin = from;
            await store.Write(scope =>
            {
                for (var i = begin; i < begin + PerWrite; i++)
                {
                    var id = VmId.New(scope.Now);
                    var labels = new Dictionary<string, string> { ["tier"] = (i % 100).ToString(), ["place"] = $"rack-{i % 37}" };
                    var spec = new VmSpec($"vm-{i:00000}", $"Machine {i} of the benchmark, with a description of a usual length", labels, image, null, new Resources(2, 2048, 20), "default", ["default"], "plinth", ["ssh-ed25519 " + new string('A', 68)], "");
                    scope.Db.Vms.Add(new VmRow { Id = id, Project = WellKnown.DefaultProject, State = VmState.Stopped, CreatedBy = "bench", CreatedAt = scope.Now, UpdatedAt = scope.Now }.SetSpec(spec));
                    scope.Db.Operations.Add(new OperationRow { Id = OperationId.New(scope.Now), Kind = OperationKind.CreateVm, Project = WellKnown.DefaultProject, Vm = id, Target = spec.Name, State = OperationState.Succeeded, StartedBy = "bench", CreatedAt = scope.Now, EndedAt = scope.Now });
                }
                return Task.FromResult(0);
            });
        }
    }
}
