using System.Globalization;
using Plinth.EndToEnd.Tests.Lab;
using Xunit.Abstractions;

namespace Plinth.EndToEnd.Tests;

/// <summary>
/// A day of a simulated fleet in minutes: each host tells as much as in 24 hours, while VMs are created, stopped, started and deleted without
/// end and operators watch; nothing leaks, nothing is left half done.
/// </summary>
[Trait("Suite", "Slow")]
public sealed class SoakTests(ITestOutputHelper output) : IDisposable
{
    // One report every ten seconds makes a day's; here they come every fifty milliseconds.
    private const int Hosts = 10, ReportMs = 50, ReportsOfADay = 24 * 60 * 6, Workers = 4, Operators = 5, Speed = 10;

    private readonly string _data = Path.Combine(Path.GetTempPath(), "plinth-soak-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose()
    {
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_day_leaves_nothing_behind()
    {
        await using var console = new PlinthConsole(null, Path.Combine(_data, "console"), 18600, "127.0.0.1:18643", 18644, Hosts);
        await console.Start();
        await using var agents = RunningProgram.Start(Repository.Agent,
            ["simulate", "--hosts", Hosts.ToString(), "--join-file", console.SimulatedJoinFile, "--data", Path.Combine(_data, "agents"), "--speed", Speed.ToString(), "--report-ms", ReportMs.ToString()]);
        await console.ReadyHosts(Hosts);
        const long day = Hosts * (long)ReportsOfADay;
        var (quarter, lives, watched) = (0L, 0, 0L);
        using var evening = new CancellationTokenSource();
        var operators = Enumerable.Range(0, Operators).Select(_ => Watch()).ToList();
        await Parallel.ForEachAsync(Enumerable.Range(0, Workers), new ParallelOptions { MaxDegreeOfParallelism = Workers }, async (worker, failed) =>
        {
            for (var round = 0; ; round++)
            {
                // Another worker's failure ends the test.
                failed.ThrowIfCancellationRequested();
                var reports = await Reports();
                if (reports >= day) return;
                if (worker == 0 && quarter == 0 && reports >= day / 4) quarter = ResidentKib();
                var create = await console.Post("projects/default/vms", new { name = $"soak-{worker}-{round}", image = "plinth-guest", flavor = "tiny" });
                var vm = create.GetProperty("vm").GetString();
                await Succeeds(create);
                await Succeeds(await console.Post($"projects/default/vms/{vm}/stop"));
                await Succeeds(await console.Post($"projects/default/vms/{vm}/start"));
                await Succeeds(await console.Delete($"projects/default/vms/{vm}?atOnce=true"));
                Interlocked.Increment(ref lives);
            }
        });
        var end = ResidentKib();
        await evening.CancelAsync();
        await Task.WhenAll(operators);
        output.WriteLine($"{await Reports():N0} reports, {lives} lives of VMs, {watched:N0} bytes watched by {Operators}; resident {quarter} KiB after a quarter of the day, {end} KiB at its end");
        Assert.True(watched > 0);
        Assert.Equal(0, (await console.Get("projects/default/vms")).GetProperty("total").GetInt64());
        Assert.Equal(0, (await console.Get("operations?state=running,pending,cancelling")).GetProperty("total").GetInt64());
        Assert.All((await console.Get("hosts?limit=500")).GetProperty("items").EnumerateArray(), h => Assert.Equal(0, h.GetProperty("allocated").GetProperty("memoryMib").GetInt32()));
        // Over three quarters of a day: a leak of 512 bytes for each report would show.
        Assert.True(end < quarter + (32 * 1024), $"resident grew from {quarter} to {end} KiB");

        async Task Succeeds(System.Text.Json.JsonElement operation)
        {
            var finished = await console.Finished(operation.GetProperty("id").GetString()!);
            Assert.True(finished.GetProperty("state").GetString() == "succeeded", finished.ToString());
        }

        // As an open page does: every change of the list, as it comes.
        async Task Watch()
        {
            var buffer = new byte[16 * 1024];
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/projects/default/vms/watch");
                using var reply = await console.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, evening.Token);
                await using var stream = await reply.Content.ReadAsStreamAsync(evening.Token);
                while (await stream.ReadAsync(buffer, evening.Token) is > 0 and var read) Interlocked.Add(ref watched, read);
                Assert.True(evening.IsCancellationRequested, "a watcher was sent away");
            }
            catch (OperationCanceledException) when (evening.IsCancellationRequested)
            {
            }
        }

        async Task<long> Reports() => (await console.Http.GetStringAsync("/metrics")).Split('\n')
            .Where(l => l.StartsWith("plinth_agents_reports_total", StringComparison.Ordinal)).Select(l => (long)double.Parse(l.Split(' ')[1], CultureInfo.InvariantCulture)).Single();

        long ResidentKib() => long.Parse(File.ReadLines($"/proc/{console.Process.Id}/status")
            .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }
}
