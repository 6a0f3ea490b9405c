using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.Benchmarks;

/// <summary>
/// Request → libvirt has started the domain, on a real host: what QEMU and the disk take, and what is left for the console.
/// The console's share is the time between steps, read from the operation's own timeline: accepted → placed, and placed → the
/// agent begins the disk; the rest is spent inside libvirt and QEMU.
/// </summary>
public static class CreateBenchmark
{
    private const int Rounds = 8;

    public static async Task Run()
    {
        var fleet = new Fleet();
        await fleet.InitializeAsync();
        try
        {
            List<double> share = [], total = [];
            for (var i = 0; i < Rounds; i++)
            {
                var (vm, operation) = await fleet.Create($"bench-{i}");
                var end = await fleet.Console.Finished(operation);
                var steps = end.GetProperty("steps").EnumerateArray().ToDictionary(s => s.GetProperty("name").GetString()!);
                var accepted = end.GetProperty("createdAt").GetDateTimeOffset();
                var started = At(steps["started"], "endedAt");
                var inHypervisor = new[] { "disk", "defined", "started" }.Sum(s => steps[s].GetProperty("seconds").GetDouble());
                total.Add((started - accepted).TotalMilliseconds);
                share.Add(Math.Max(0, (started - accepted).TotalMilliseconds - (inHypervisor * 1000)));
                await fleet.Remove(vm);
            }
            Figures.Head($"Create on a real host, {Rounds} VMs (software emulation, shared machine)");
            Figures.Row("request → domain started, median", Figures.Percentile(total, 0.5), "ms");
            Figures.Row("  of it the console's own share, median", Figures.Percentile(share, 0.5), "ms", 300);
            Figures.Row("  of it the console's own share, worst", share.Max(), "ms", 300);
        }
        finally
        {
            await fleet.DisposeAsync();
        }
    }

    private static DateTimeOffset At(JsonElement step, string name) => step.GetProperty(name).GetDateTimeOffset();
}
