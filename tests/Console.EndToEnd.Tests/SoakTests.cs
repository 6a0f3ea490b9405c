using Plinth.EndToEnd.Tests.Lab;
using Xunit.Abstractions;

namespace Plinth.EndToEnd.Tests;

/// <summary>Hours of use in minutes: a simulated fleet creates, stops, starts and deletes without end; nothing leaks, nothing is left half done.</summary>
[Trait("Suite", "Slow")]
public sealed class SoakTests(ITestOutputHelper output) : IDisposable
{
    private const int Hosts = 20, Workers = 8, RoundsEach = 60, Speed = 10;

    private readonly string _data = Path.Combine(Path.GetTempPath(), "plinth-soak-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose()
    {
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task Churn_leaves_nothing_behind()
    {
        await using var console = new PlinthConsole(null, Path.Combine(_data, "console"), 18600, "127.0.0.1:18643", 18644, Hosts);
        await console.Start();
        await using var agents = RunningProgram.Start(Repository.Agent, ["simulate", "--hosts", Hosts.ToString(), "--join-file", console.SimulatedJoinFile, "--data", Path.Combine(_data, "agents"), "--speed", Speed.ToString()]);
        await console.ReadyHosts(Hosts);
        var warm = 0L;
        await Parallel.ForEachAsync(Enumerable.Range(0, Workers), new ParallelOptions { MaxDegreeOfParallelism = Workers }, async (worker, failed) =>
        {
            for (var round = 0; round < RoundsEach; round++)
            {
                // Another worker's failure ends the test.
                failed.ThrowIfCancellationRequested();
                var create = await console.Post("projects/default/vms", new { name = $"soak-{worker}-{round}", image = "plinth-guest", flavor = "tiny" });
                var vm = create.GetProperty("vm").GetString();
                await Succeeds(create);
                await Succeeds(await console.Post($"projects/default/vms/{vm}/stop"));
                await Succeeds(await console.Post($"projects/default/vms/{vm}/start"));
                await Succeeds(await console.Delete($"projects/default/vms/{vm}?atOnce=true"));
                if (worker == 0 && round == RoundsEach / 4) warm = ResidentKib();
            }
        });
        Assert.Equal(0, (await console.Get("projects/default/vms")).GetProperty("total").GetInt64());
        Assert.Equal(0, (await console.Get("operations?state=running,pending,cancelling")).GetProperty("total").GetInt64());
        Assert.All((await console.Get("hosts?limit=500")).GetProperty("items").EnumerateArray(), h => Assert.Equal(0, h.GetProperty("allocated").GetProperty("memoryMib").GetInt32()));
        // From the first quarter to the end; some 1,400 operations later: a leak of 24 KiB in each would show.
        var end = ResidentKib();
        output.WriteLine($"resident {warm} KiB after a quarter, {end} KiB at the end");
        Assert.True(end < warm + (32 * 1024), $"resident grew from {warm} to {end} KiB");

        async Task Succeeds(System.Text.Json.JsonElement operation)
        {
            var finished = await console.Finished(operation.GetProperty("id").GetString()!);
            Assert.True(finished.GetProperty("state").GetString() == "succeeded", finished.ToString());
        }

        long ResidentKib() => long.Parse(File.ReadLines($"/proc/{console.Process.Id}/status")
            .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }
}
