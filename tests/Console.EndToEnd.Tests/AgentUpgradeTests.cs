using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>The published agent is replaced from the console by the published agent of another version, on a real host with a running guest; and by one that does not work.</summary>
[Trait("Suite", "Slow")]
public sealed class AgentUpgradeTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly string _data = Path.Combine(Path.GetTempPath(), "plinth-agents-" + Guid.NewGuid().ToString("N")[..8]);
    private readonly List<RunningProgram> _agents = [];
    private LabHost _host = null!;
    private PlinthConsole _console = null!;

    private string HandedOut => Path.Combine(_data, "handed-out");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(_data);
        _host = await LabHost.Up("e2e-agents", 25);
        HandOut(File.ReadAllBytes(Repository.Agent));
        _console = new PlinthConsole(_host, Path.Combine(_data, "console"), 8400, $"{_host.Address}:8443", 8444);
        _console.Settings["Plinth__Agents__Executable"] = HandedOut;
        await _console.Start();
        StartAgent();
        await _console.ReadyHosts(1);
    }

    public async Task DisposeAsync()
    {
        foreach (var agent in _agents) await agent.DisposeAsync();
        if (_console is not null) await _console.DisposeAsync();
        if (_host is not null) await _host.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task Upgraded_put_back_killed_and_taken_back_there_is_always_an_agent_and_the_guest_runs_on()
    {
        var next = await NextAgent();
        var create = await _console.Post("projects/default/vms", new { name = "lasting", image = "plinth-guest", flavor = "tiny" });
        Assert.Equal("succeeded", (await _console.Finished(create.GetProperty("id").GetString()!, Patience)).GetProperty("state").GetString());
        var vm = create.GetProperty("vm").GetString()!;
        var guest = await Guest(vm);
        var (installed, process) = (Repository.ThisVersion, _agents[^1].Id);
        Assert.Equal((installed, null, null), await Agent());

        // One that says its version and then does not work.
        HandOut("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 98.0.0; exit 0; fi\nexit 3\n"u8.ToArray());
        var broken = await Ended(await _console.Post("agents/upgrade"));
        Assert.Equal("failed", broken.State);
        Assert.Contains("98.0.0 was put back: it ended with code 3 before it had told the console everything", broken.Reason);
        await Has(installed, null);

        HandOut(next);
        Assert.Equal((installed, null, Repository.NextVersion), await Agent());
        var upgrade = await Ended(await _console.Post("agents/upgrade"));
        Assert.True(upgrade.State == "succeeded", upgrade.Reason);
        await Has(Repository.NextVersion, installed);
        // The same process all the time: whoever started it has not noticed.
        Assert.False(_agents[^1].HasExited);
        Assert.Equal(process, _agents[^1].Id);
        Assert.Equal(guest, await Guest(vm));

        // What was chosen holds over a kill and a start of the installed one.
        await KillAgent();
        StartAgent();
        await Has(Repository.NextVersion, installed);

        var back = await Ended(await _console.Post("agents/revert"));
        Assert.True(back.State == "succeeded", back.Reason);
        await Has(installed, Repository.NextVersion);

        // Killed while the new one is on trial.
        var killed = await _console.Post("agents/upgrade");
        await Wait.Until("the trial", async () => (await _console.Get("agents")).GetProperty("items")[0].GetProperty("onTrial").GetBoolean() || await Finished(killed), Patience);
        await KillAgent();
        StartAgent();
        var end = await Ended(killed);
        var (version, previous, _) = await Agent();
        // Either it was confirmed just before, or the former one has gone on.
        if (end.State == "succeeded") Assert.Equal((Repository.NextVersion, installed), (version, previous));
        else Assert.Equal(installed, version);
        await _console.ReadyHosts(1);
        Assert.Equal(guest, await Guest(vm));

        var delete = await _console.Delete($"projects/default/vms/{vm}?atOnce=true");
        Assert.Equal("succeeded", (await _console.Finished(delete.GetProperty("id").GetString()!, Patience)).GetProperty("state").GetString());
    }

    private async Task KillAgent()
    {
        await _agents[^1].Kill9();
        await Wait.Until("the end of its session", async () => !(await _console.Get("agents")).GetProperty("items")[0].GetProperty("connected").GetBoolean());
    }

    private void StartAgent() => _agents.Add(_host.Start(Repository.Agent, ["join", "--join-file", _console.JoinFile, "--data", Path.Combine(_data, "agent")]));

    /// <summary>The console's file is another one from now on, as an update of its package does it.</summary>
    private void HandOut(byte[] executable)
    {
        File.WriteAllBytes(HandedOut + ".new", executable);
        File.SetUnixFileMode(HandedOut + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(HandedOut + ".new", HandedOut, overwrite: true);
    }

    private async Task<byte[]> NextAgent()
    {
        var package = Path.Combine(Repository.Packages(Repository.NextVersion), $"plinth-agent_{Repository.NextVersion}_amd64.deb");
        await RunningProgram.Run("dpkg-deb", "--extract", package, Path.Combine(_data, "next"));
        return File.ReadAllBytes(Path.Combine(_data, "next/usr/bin/plinth-agent"));
    }

    private async Task<(string? Version, string? Previous, string? Newer)> Agent()
    {
        var agent = (await _console.Get("agents")).GetProperty("items")[0];
        return (Text("version"), Text("previous"), Text("newer"));

        string? Text(string name) => agent.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    private Task Has(string version, string? previous) => Wait.Until($"a ready host with agent {version} that keeps {previous ?? "none"}", async () =>
        await Agent() is var (now, kept, _) && now == version && kept == previous && (await _console.Get("agents")).GetProperty("items")[0].GetProperty("connected").GetBoolean() && (await _console.Get("hosts?state=ready")).GetProperty("total").GetInt64() == 1, Patience);

    private async Task<bool> Finished(JsonElement operation) => (await _console.Get($"operations/{operation.GetProperty("id").GetString()}")).GetProperty("state").GetString() is "succeeded" or "failed" or "cancelled";

    private async Task<(string State, string Reason)> Ended(JsonElement operation)
    {
        var end = await _console.Finished(operation.GetProperty("id").GetString()!, Patience);
        return (end.GetProperty("state").GetString()!, end.GetProperty("reason").GetString()!);
    }

    /// <summary>Process id and start time of the guest.</summary>
    private async Task<string> Guest(string vm) => await _host.Run("ps", "-o", "pid=,lstart=", "-p", (await _host.Run("pgrep", "-f", $"qemu-system.*{vm}")).Trim());
}
