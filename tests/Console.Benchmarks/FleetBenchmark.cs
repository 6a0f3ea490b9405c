using System.Diagnostics;
using Microsoft.Playwright;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.Benchmarks;

/// <summary>
/// The server under many simulated hosts whose VMs report every 10 s, with five operators' pages open. The limits are those of 200 hosts with
/// 2,000 VMs and of ten times as many.
/// </summary>
public static class FleetBenchmark
{
    private const int VmsPerHost = 10, ParallelCreates = 16;
    private static readonly string[] Pages = ["", "hosts", "projects/default/vms", "projects/default/vms?sort=-created", "operations"];
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    /// <summary>Counting costs the server too.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    public static async Task Run(int hosts)
    {
        var (vms, cores, memory) = (hosts * VmsPerHost, hosts <= 200 ? 0.2 : 1.0, hosts <= 200 ? (double?)null : 1_200);
        var data = Path.Combine(Path.GetTempPath(), "plinth-bench-" + Guid.NewGuid().ToString("N")[..8]);
        try
        {
            await using var console = new PlinthConsole(null, Path.Combine(data, "console"), 18500, "127.0.0.1:18543", 18544, hosts);
            await console.Start();
            await using var agents = RunningProgram.Start(Repository.Agent, ["simulate", "--hosts", hosts.ToString(), "--join-file", console.SimulatedJoinFile, "--data", Path.Combine(data, "agents")]);
            await console.ReadyHosts(hosts);
            using var playwright = await Playwright.CreateAsync();
            await using var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Browser.Executable, Args = Browser.Arguments });
            // At once: the link is not valid for long.
            var context = await chromium.NewContextAsync(new() { StorageState = await Browser.SignIn(chromium, console.SignInLink!) });
            Figures.Head($"Server with {hosts} simulated hosts");
            Figures.Row("resident, no VMs", ProcessUsage.Of(console.Process.Id).ResidentMib, "MiB");

            var watch = Stopwatch.StartNew();
            var before = ProcessUsage.Of(console.Process.Id);
            await Parallel.ForEachAsync(Enumerable.Range(0, vms), new ParallelOptions { MaxDegreeOfParallelism = ParallelCreates }, async (i, _) =>
                await console.Post("projects/default/vms", new { name = $"vm-{i}", image = "plinth-guest", flavor = "tiny" }));
            Figures.Row($"{vms} creates accepted, CPU each", (ProcessUsage.Of(console.Process.Id).CpuSeconds - before.CpuSeconds) * 1000 / vms, "ms");
            await Wait.Until($"{vms} running VMs", async () =>
                (await console.Get("projects/default/vms?state=running&limit=1")).GetProperty("total").GetInt64() == vms, TimeSpan.FromMinutes(60), pause: Look);
            Figures.Row($"{vms} VMs from request to running", watch.Elapsed.TotalSeconds, "s");

            foreach (var path in Pages) await Browser.Go(await context.NewPageAsync(), console.Http.BaseAddress + path);
            before = ProcessUsage.Of(console.Process.Id);
            await Task.Delay(Window);
            var after = ProcessUsage.Of(console.Process.Id);
            Figures.Row($"cores used by reports, telemetry and {Pages.Length} open pages", (after.CpuSeconds - before.CpuSeconds) / Window.TotalSeconds, "cores", cores);
            Figures.Row("resident", after.ResidentMib, "MiB", memory);

            foreach (var (what, path, limit) in new[] { ("first rows of the VM list", "projects/default/vms?limit=50&sort=-created", 1000), ("first rows of the host list", "hosts?limit=50", 1000), ("search over all objects", "search?q=vm-19", 200) })
            {
                List<double> times = [];
                for (var i = 0; i < 20; i++)
                {
                    var start = Stopwatch.GetTimestamp();
                    await console.Get(path);
                    times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
                Figures.Row($"{what} by API, median", Figures.Percentile(times, 0.5), "ms", limit);
            }
        }
        finally
        {
            if (Directory.Exists(data)) Directory.Delete(data, recursive: true);
        }
    }
}
