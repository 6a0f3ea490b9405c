using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>An installation without a hypervisor, on this machine's loopback: the real server and, where asked for, the real agent with one simulated host.</summary>
public sealed class Installation : IAsyncDisposable
{
    private readonly List<RunningProgram> _agents = [];

    /// <param name="port">Of the portal; the hub and enrolment take the two that follow.</param>
    public Installation(int port, string? portal = null, X509Certificate2? trusted = null)
    {
        HubPort = port + 1;
        Console = new PlinthConsole(null, Path.Combine(Data, "console"), port, $"127.0.0.1:{HubPort}", port + 2, simulatedHosts: 1, portal, trusted);
    }

    public string Data { get; } = Path.Combine(Path.GetTempPath(), "plinth-installation-" + Guid.NewGuid().ToString("N")[..8]);
    public int HubPort { get; }
    public PlinthConsole Console { get; }
    public RunningProgram Agent => _agents[^1];

    /// <summary>What the simulated host keeps: its identity, its journal, its machines.</summary>
    public string HostDirectory => Directory.GetDirectories(Path.Combine(Data, "agents")).Single();

    /// <summary>The machines that are on the host, by id, whatever the console thinks: whether each runs.</summary>
    public Dictionary<string, bool> Machines()
    {
        using var state = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(HostDirectory, "host.json")));
        return state.RootElement.GetProperty("vms").EnumerateObject()
            .Where(vm => vm.Value.TryGetProperty("definition", out var definition) && definition.ValueKind == JsonValueKind.Object)
            .ToDictionary(vm => vm.Name, vm => vm.Value.GetProperty("running").GetBoolean());
    }

    /// <summary>Starts server and agent; gives the host once it is ready.</summary>
    public async Task<JsonElement> Start(string? faults = null)
    {
        await Console.Start();
        string[] words = ["simulate", "--hosts", "1", "--join-file", Console.SimulatedJoinFile, "--data", Path.Combine(Data, "agents")];
        _agents.Add(RunningProgram.Start(Repository.Agent, faults is null ? words : [.. words, "--faults", faults]));
        return (await Console.ReadyHosts(1))[0];
    }

    public async Task<(string Vm, string Operation)> Create(string name)
    {
        var operation = await Console.Post("projects/default/vms", new { name, image = "plinth-guest", flavor = "tiny" });
        return (operation.GetProperty("vm").GetString()!, operation.GetProperty("id").GetString()!);
    }

    public async Task Succeeds(string operation)
    {
        var end = await Console.Finished(operation);
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
    }

    public Task Succeeds(JsonElement operation) => Succeeds(operation.GetProperty("id").GetString()!);

    public async Task<string> StateOf(string vm) => (await Console.Get($"projects/default/vms/{vm}")).GetProperty("state").GetString()!;

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents) await agent.DisposeAsync();
        await Console.DisposeAsync();
        if (Directory.Exists(Data)) Directory.Delete(Data, recursive: true);
    }
}
