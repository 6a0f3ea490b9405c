using System.Text.Json;

[assembly: TestCollectionOrderer("Plinth.EndToEnd.Tests.Lab.LongestFirst", "Console.EndToEnd.Tests")]

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>One lab host with console and agent inside, as <c>./start</c> sets it up on a machine of its own.</summary>
public class Fleet : IAsyncLifetime
{
    private readonly List<RunningProgram> _agents = [];
    private readonly string _name;
    private readonly int _index;

    public Fleet() : this("e2e-a", 21)
    {
    }

    protected Fleet(string name, int index) => (_name, _index) = (name, index);

    public LabHost Host { get; private set; } = null!;
    public PlinthConsole Console { get; private set; } = null!;
    public RunningProgram Agent => _agents[^1];
    /// <summary>The browser's storage after sign-in.</summary>
    public string? SignedIn { get; set; }

    public string Data { get; } = Path.Combine(Path.GetTempPath(), "plinth-e2e-" + Guid.NewGuid().ToString("N")[..8]);

    public async Task InitializeAsync()
    {
        Host = await LabHost.Up(_name, _index);
        Console = new PlinthConsole(Host, Path.Combine(Data, "console"), 8400, $"{Host.Address}:8443", 8444);
        await Console.Start();
        StartAgent();
        await Console.ReadyHosts(1);
    }

    /// <summary>The local agent; on a second call with the identity it already has.</summary>
    public void StartAgent() =>
        _agents.Add(Host.Start(Repository.Agent, ["join", "--join-file", Console.JoinFile, "--data", Path.Combine(Data, "agent")]));

    public async Task RestartLibvirt() => await RunningProgram.Run(Repository.LabScript, "restart", Host.Name, "--dir", Host.Directory);

    public async Task<(string Vm, string Operation)> Create(string name, object? more = null)
    {
        var body = JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        body["name"] = name;
        body["image"] ??= "plinth-guest";
        if (!body.ContainsKey("vcpus")) body["flavor"] ??= "tiny";
        var operation = await Console.Post("projects/default/vms", body, Guid.NewGuid().ToString());
        return (operation.GetProperty("vm").GetString()!, operation.GetProperty("id").GetString()!);
    }

    public async Task<JsonElement> Vm(string vm) => await Console.Get($"projects/default/vms/{vm}");

    public Task<JsonElement> VmIn(string vm, string state, TimeSpan? deadline = null) => Wait.For($"VM {vm} in state {state}", async () =>
    {
        var now = await Vm(vm);
        return now.GetProperty("state").GetString() == state ? (object)now : null;
    }, deadline).ContinueWith(t => (JsonElement)t.Result, TaskScheduler.Default);

    /// <summary>Deletes the VM and proves that nothing of it is left on the host.</summary>
    public async Task Remove(string vm)
    {
        var operation = await Console.Delete($"projects/default/vms/{vm}?atOnce=true");
        var end = await Console.Finished(operation.GetProperty("id").GetString()!);
        Assert.Equal("succeeded", end.GetProperty("state").GetString());
        await AssertNothingLeft(vm);
    }

    public async Task AssertNothingLeft(string vm)
    {
        Assert.DoesNotContain(vm, await Host.Domains());
        Assert.Empty(await Files(vm));
    }

    /// <summary>Files on the host that carry the VM's id: disks, seeds, leftovers.</summary>
    public async Task<string[]> Files(string vm)
    {
        var found = await Host.Run("find", "/var/lib/libvirt", "-name", $"*{vm}*", "-not", "-path", "*/qemu/*");
        return found.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public async Task DisposeAsync()
    {
        foreach (var agent in _agents) await agent.DisposeAsync();
        if (Console is not null) await Console.DisposeAsync();
        if (Host is not null) await Host.DisposeAsync();
        if (Directory.Exists(Data)) Directory.Delete(Data, recursive: true);
    }
}

/// <summary>The suites that share one lab host run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class FleetCollection : ICollectionFixture<Fleet>
{
    public const string Name = "fleet";
}

/// <summary>One for what is killed.</summary>
public sealed class KillFleet() : Fleet("e2e-d", 26);

[CollectionDefinition(Name)]
public sealed class KillFleetCollection : ICollectionFixture<KillFleet>
{
    public const string Name = "kill fleet";
}

/// <summary>One for what the browser does.</summary>
public sealed class BrowserFleet() : Fleet("e2e-c", 23);

[CollectionDefinition(Name)]
public sealed class BrowserFleetCollection : ICollectionFixture<BrowserFleet>
{
    public const string Name = "browser fleet";
}

/// <summary>The longest first, so that none is left alone at the end.</summary>
public sealed class LongestFirst : Xunit.ITestCollectionOrderer
{
    private static readonly string[] Long = [BrowserFleetCollection.Name, KillFleetCollection.Name, FleetCollection.Name];

    public IEnumerable<Xunit.Abstractions.ITestCollection> OrderTestCollections(IEnumerable<Xunit.Abstractions.ITestCollection> collections) =>
        collections.OrderBy(c => Array.IndexOf(Long, c.DisplayName) is >= 0 and var place ? place : Long.Length);
}
