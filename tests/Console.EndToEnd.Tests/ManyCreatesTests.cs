using System.Collections.Concurrent;
using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;
using Xunit.Abstractions;

namespace Plinth.EndToEnd.Tests;

/// <summary>
/// A hundred creates at once on two real hosts, while server and agents are killed: each ends, or has its reason; nothing is lost, made twice or left over.
/// What does not fit waits for room; what runs is looked at and deleted, which makes some.
/// </summary>
[Trait("Suite", "Slow")]
public sealed class ManyCreatesTests(ITestOutputHelper output) : IAsyncLifetime
{
    // So many guests of one processor fit on the two hosts at once; the rest of the hundred wait.
    private const int AtOnce = 16, KillEvery = 6;
    private static readonly int Creates = int.TryParse(Environment.GetEnvironmentVariable("PLINTH_TEST_CREATES"), out var fewer) ? fewer : 100;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(45);

    private readonly string _data = Path.Combine(Path.GetTempPath(), "plinth-many-" + Guid.NewGuid().ToString("N")[..8]);
    private readonly LabHost[] _hosts = new LabHost[2];
    private readonly RunningProgram[] _agents = new RunningProgram[2];
    private PlinthConsole _console = null!;

    public async Task InitializeAsync()
    {
        _hosts[0] = await LabHost.Up("e2e-many-a", 25);
        _hosts[1] = await LabHost.Up("e2e-many-b", 26);
        _console = new PlinthConsole(_hosts[0], Path.Combine(_data, "console"), 8400, $"{_hosts[0].Address}:8443", 8444);
        await _console.Start();
        StartAgent(0, ["join", "--join-file", _console.JoinFile]);
        var given = await _console.Post("agents/join-tokens", new { description = "the other" });
        var words = given.GetProperty("command").GetString()!.Split(' ');
        StartAgent(1, words[Array.IndexOf(words, "join")..]);
        await _console.ReadyHosts(2);
    }

    public async Task DisposeAsync()
    {
        foreach (var agent in _agents) if (agent is not null) await agent.DisposeAsync();
        if (_console is not null) await _console.DisposeAsync();
        foreach (var host in _hosts) if (host is not null) await host.DisposeAsync();
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task Each_ends_and_nothing_is_lost_doubled_or_left_over()
    {
        var network = (await _console.Post("projects/default/networks", new { name = "many", cidr = "10.99.0.0/24" })).GetProperty("id").GetString();
        var made = await Task.WhenAll(Enumerable.Range(0, Creates).Select(i => Insist(() => _console.Post(
            "projects/default/vms", new { name = $"many-{i}", image = "plinth-guest", vcpus = 1, memoryMib = 96, diskGib = 1, networks = new[] { "many" } }, $"many-{i}"))));
        var creates = made.ToDictionary(m => m.GetProperty("vm").GetString()!, m => m.GetProperty("id").GetString()!);
        Assert.Equal(Creates, creates.Count);

        var (ended, reasons) = (new HashSet<string>(), new ConcurrentBag<string>());
        var kills = 0;
        while (ended.Count < Creates)
        {
            var before = ended.Count;
            await Wait.Until($"{KillEvery} more of {Creates} creates, {before} have ended", async () =>
            {
                foreach (var operation in (await _console.Get($"operations?kind=create-vm&state=succeeded,failed,cancelled&limit=500")).GetProperty("items").EnumerateArray())
                    ended.Add(operation.GetProperty("vm").GetString()!);
                return ended.Count >= Math.Min(before + KillEvery, Creates);
            }, Patience);
            // What is there is what the ledger says, with the processes alive; then it makes room.
            if (ended.Count == Creates) break;
            await Kill(kills++ % 3);
            foreach (var vm in ended) await Remove(vm);
        }
        output.WriteLine($"{Creates} creates ended, {kills} kills");

        foreach (var (vm, operation) in creates)
        {
            var end = await Insist(() => _console.Get($"operations/{operation}"));
            var state = end.GetProperty("state").GetString();
            if (state != "succeeded") reasons.Add($"{vm}: {end.GetProperty("reason").GetString()}");
            Assert.True(state == "succeeded" || (state == "failed" && end.GetProperty("reason").GetString()!.Length > 20), end.ToString());
        }
        output.WriteLine($"{reasons.Count} failed: {string.Join("; ", reasons)}");

        await Wait.Until("the hosts being ready with the last of them", async () => (await _console.Get("hosts?state=ready")).GetProperty("total").GetInt64() == 2);
        var left = (await _console.Get("projects/default/vms?limit=500")).GetProperty("items").EnumerateArray().ToDictionary(v => v.GetProperty("id").GetString()!);
        Assert.InRange(left.Count, 1, AtOnce);
        foreach (var (host, domains, disks) in await OnHosts())
        {
            var here = left.Values.Where(v => v.GetProperty("hostName").GetString() == host).Select(v => v.GetProperty("id").GetString()!).Order().ToArray();
            Assert.Equal(here, domains.Order());
            Assert.Equal(here, disks);
        }
        var addresses = (await _console.Get($"projects/default/networks/{network}/members")).GetProperty("items").EnumerateArray().ToArray();
        Assert.Equal(left.Keys.Order(), addresses.Select(a => a.GetProperty("vm").GetString()!).Order());
        Assert.Equal(addresses.Length, addresses.Select(a => a.GetProperty("address").GetString()).Distinct().Count());

        foreach (var vm in left.Keys) await Remove(vm);
        await Wait.Until("the removal of all", async () => (await _console.Get("projects/default/vms")).GetProperty("total").GetInt64() == 0);
        Assert.All(await OnHosts(), h => Assert.Empty(h.Domains.Concat(h.Disks)));
        Assert.All((await _console.Get("hosts")).GetProperty("items").EnumerateArray(), h => Assert.Equal(0, h.GetProperty("allocated").GetProperty("memoryMib").GetInt32()));
        Assert.Empty((await _console.Get($"projects/default/networks/{network}/members")).GetProperty("items").EnumerateArray());
    }

    private async Task Kill(int victim)
    {
        if (victim == 2)
        {
            await _console.Kill9();
            await _console.Start();
            return;
        }
        await _agents[victim].Kill9();
        StartAgent(victim, ["run"]);
    }

    private void StartAgent(int n, string[] words) => _agents[n] = _hosts[n].Start(Repository.Agent, [.. words, "--data", Path.Combine(_data, $"agent-{n}")]);

    /// <summary>Deletes it, unless that was asked before.</summary>
    private async Task Remove(string vm)
    {
        if (await _console.Find($"projects/default/vms/{vm}") is not { } present || present.GetProperty("state").GetString() is "deleting" or "deleted") return;
        var operation = await _console.Delete($"projects/default/vms/{vm}?atOnce=true");
        Assert.Equal("succeeded", (await _console.Finished(operation.GetProperty("id").GetString()!, TimeSpan.FromMinutes(10))).GetProperty("state").GetString());
    }

    private async Task<(string Host, string[] Domains, string[] Disks)[]> OnHosts() => await Task.WhenAll(_hosts.Select(async host =>
    {
        // vm-ID-root.qcow2, whole or half made.
        var files = await host.Run("find", "/var/lib/libvirt", "-name", "vm-*-root.qcow2*", "-printf", "%f\\n");
        var disks = files.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(f => f[3..39]).Order().ToArray();
        return (host.Name, await host.Domains(), disks);
    }));

    /// <summary>The server may be away for a moment: the same request again, by the same key.</summary>
    private static Task<JsonElement> Insist(Func<Task<JsonElement>> ask) => Wait.For("an answer", async () => (object)await ask(), TimeSpan.FromMinutes(5)).ContinueWith(t => (JsonElement)t.Result, TaskScheduler.Default);
}
