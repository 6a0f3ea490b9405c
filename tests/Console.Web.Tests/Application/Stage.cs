using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Agents;
using Plinth.Web.Application.Placement;
using Plinth.Web.Live;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Tests.Persistence;
using Plinth.Web.Workers;

namespace Plinth.Web.Tests.Application;

/// <summary>The whole application over a real store on a simulated clock, without listeners: workers run when a test says so.</summary>
public abstract class Stage : IAsyncLifetime
{
    private readonly SqliteDirectory _directory = new();
    private readonly string _data = Directory.CreateTempSubdirectory("plinth-application-").FullName;
    private DatabaseSettings _database = null!;
    private ServiceProvider _services = null!;
    private readonly EphemeralDataProtectionProvider _protection = new();

    internal static Caller Ana { get; } = new(new Principal(PrincipalKind.User, "u-ana", "ana"), "192.0.2.7");
    internal static Caller Bot { get; } = new(new Principal(PrincipalKind.Client, "c-bot", "bot"), null);
    internal const string Project = "default";
    internal static CancellationToken Stop => CancellationToken.None;

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    internal FakeGateway Gateway { get; } = new();
    internal FakeOffer Offer { get; } = new();
    internal FakePeers Peers { get; } = new();
    internal FakePrograms Programs { get; } = new();
    internal RememberingFeed Feed { get; } = new();

    internal T The<T>() where T : notnull => _services.GetRequiredService<T>();
    internal IVirtualMachines Vms => The<IVirtualMachines>();
    internal IVolumes Volumes => The<IVolumes>();
    internal IOperations Operations => The<IOperations>();
    internal IHosts Hosts => The<IHosts>();
    internal ICatalogue Catalogue => The<ICatalogue>();
    internal IConsoleStore Store => The<IConsoleStore>();
    internal IAgentDirectory Directory_ => The<IAgentDirectory>();

    /// <summary>Extra settings of a test.</summary>
    protected virtual IEnumerable<KeyValuePair<string, string?>> Settings => [];

    /// <summary>SQLite, unless a suite says otherwise.</summary>
    protected virtual Task<DatabaseSettings> NewDatabase() => Task.FromResult(_directory.NewDatabase());

    public async Task InitializeAsync()
    {
        _database = await NewDatabase();
        await Begin();
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        _directory.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>The console dies with all of its memory and starts anew on the same data.</summary>
    internal async Task Restart()
    {
        await _services.DisposeAsync();
        Gateway.Connected.Clear();
        await Begin();
    }

    internal string DataFile(string name) => Path.Combine(_data, name);

    private async Task Begin()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("Plinth:Data", _data), .. Settings]).Build());
        services.AddSingleton<TimeProvider>(Time).AddSingleton<IDataProtectionProvider>(_protection);
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<IChangeFeed>(Feed).AddSingleton<IAgentGateway>(Gateway).AddSingleton<IConsoleBroker>(new FakeBroker(Time)).AddSingleton<IAgentOffer>(Offer).AddSingleton<IPeerImages>(Peers).AddSingleton<IPrograms>(Programs);
        services.AddPlinthPersistence(_database);
        services.AddPlinthApplication();
        _services = services.BuildServiceProvider(validateScopes: true);
        await The<DatabaseMigrator>().Migrate(Stop);
        await Admins(Store);
        foreach (var step in _services.GetServices<IStartupStep>().OrderBy(s => s.Order)) await step.Run(Stop);
    }

    /// <summary>Whoever acts in tests has every right, unless a test says otherwise.</summary>
    internal static Task Admins(IConsoleStore store) => store.Write(async scope =>
    {
        foreach (var who in new[] { Ana.Principal, Bot.Principal })
            if (!await scope.Db.RoleBindings.AnyAsync(b => b.Subject == who.Id)) scope.Db.RoleBindings.Add(DatabaseMigrator.PlatformAdmin(who.Kind, who.Id, scope.Now));
        return 0;
    });

    internal Task Place() => The<Placer>().Pass(Stop);
    internal Task Drive() => The<OperationDriver>().Pass(Stop);
    internal Task Watch() => The<HostLiveness>().Pass(Stop);

    /// <summary>A host that has joined and said hello and reported itself.</summary>
    internal async Task<FakeAgent> Host(string name, int vcpus = 8, int memoryMib = 16384, int diskGib = 200)
    {
        var agent = await Joined(name, new Resources(vcpus, memoryMib, diskGib));
        Assert.IsType<Welcome>(await agent.Connect());
        await agent.Report();
        return agent;
    }

    internal async Task<FakeAgent> Joined(string name, Resources capacity)
    {
        var token = $"token for {name} {Guid.NewGuid()}";
        await Store.Write(scope =>
        {
            scope.Db.JoinTokens.Add(new JoinTokenRow
            {
                Id = JoinTokenId.New(scope.Now), TokenHash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token))), CreatedBy = "ana", CreatedAt = scope.Now, ExpiresAt = scope.Now.AddHours(1),
            });
            return Task.FromResult(0);
        });
        var host = await The<IHostRegistry>().Enrol(token, name, $"machine {name}", false, Time.GetUtcNow().AddHours(24), "192.0.2.9", Stop);
        return new FakeAgent(this, Ok(host), name, capacity);
    }

    /// <summary>A ready image of a few bytes, with or without guest agent.</summary>
    internal async Task<ImageView> Image(string name = "mini", bool agent = true)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes($"content of {name}");
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        var image = Ok(await Catalogue.CreateImage(Ana, new CreateImage(name, "a test image", "qcow2", digest, bytes.Length, 1, 64, agent, "plinth"), null, Stop));
        return Ok(await Catalogue.PutImageContent(Ana, image.Id, new MemoryStream(bytes), Stop));
    }

    internal static CreateVm Request(string name, string image = "mini") => new(name, image, Flavor: "small");

    internal async Task<OperationView> Create(string name) => Ok(await Vms.Create(Ana, Project, Request(name), null, Stop));

    internal async Task<VmView> Vm(OperationView operation) => Ok(await Vms.Get(Ana, Project, operation.Vm!.Value, Stop));

    internal async Task<OperationView> Newest(OperationView operation) => Ok(await Operations.Get(Ana, operation.Id, Stop));

    /// <summary>A VM that runs, with its host's agent.</summary>
    internal async Task<(FakeAgent Agent, VmView Vm)> Running(string name = "web-1")
    {
        await Image();
        var agent = await Host("kvm-1");
        var operation = await Create(name);
        await Place();
        await agent.Reconcile();
        var vm = await Vm(operation);
        Assert.Equal(VmState.Running, vm.State);
        return (agent, vm);
    }

    internal async Task<IReadOnlyList<AuditEntryRow>> Audit()
    {
        await using var db = Store.Read();
        return [.. db.AuditEntries.OrderBy(a => a.Sequence)];
    }

    internal static T Ok<T>(Result<T> result)
    {
        Assert.True(result.Succeeded, result.Reason);
        return result.Value!;
    }

    internal static Refusal No<T>(Result<T> result)
    {
        Assert.False(result.Succeeded);
        return Assert.Single(result.Refusals);
    }
}

/// <summary>The hub, as far as the application sees it: remembers what it was told.</summary>
internal sealed class FakeGateway : IAgentGateway
{
    public HashSet<HostId> Connected { get; } = [];
    public List<HostId> Woken { get; } = [];
    public List<(HostId Host, Command Command)> Sent { get; } = [];

    public bool IsConnected(HostId host)
    {
        lock (Connected) return Connected.Contains(host);
    }

    public void Wake(HostId host)
    {
        lock (Woken) Woken.Add(host);
    }

    public Task Send(HostId host, Command command, CancellationToken stop)
    {
        lock (Sent) Sent.Add((host, command));
        return Task.CompletedTask;
    }
}

internal sealed class FakeBroker(TimeProvider time) : IConsoleBroker
{
    public ConsoleTicketView Issue(Principal principal, VmId vm, HostId host, ConsoleKind kind) => new($"{principal.Id}/{vm}/{host}/{kind}", "/consoles/x", time.GetUtcNow().AddSeconds(30));
}

/// <summary>What other servers send for an image, as a test says; nothing until then.</summary>
internal sealed class FakePeers : IPeerImages
{
    public List<string> Asked { get; } = [];
    public Func<string, Stream> Answer { get; set; } = _ => throw new HttpRequestException("does not have it either");

    public Task<T> Read<T>(string hubUrl, string digest, Func<Stream, Task<T>> take, CancellationToken stop)
    {
        Asked.Add(hubUrl);
        return take(Answer(hubUrl));
    }
}

/// <summary>What the console hands out, as a test says.</summary>
internal sealed class FakeOffer : IAgentOffer
{
    public Result<OfferedAgent> Agent { get; set; } = Refusal.Conflict("no_agent_executable", "This console hands out no agent.");

    public Task<Result<OfferedAgent>> Read(CancellationToken stop) => Task.FromResult(Agent);
}

/// <summary>Programs that people have allowed, without a provider.</summary>
internal sealed class FakePrograms : IPrograms
{
    public List<(UserId User, ProgramView Program)> Allowed { get; } = [];

    public Task<IReadOnlyList<ProgramView>> Of(UserId user, CancellationToken stop) => Task.FromResult<IReadOnlyList<ProgramView>>([.. Allowed.Where(a => a.User == user).Select(a => a.Program)]);

    public Task<bool> Revoke(UserId user, Guid program, CancellationToken stop) => Task.FromResult(Allowed.RemoveAll(a => a.User == user && a.Program.Id == program) > 0);

    public Task RevokeAll(UserId user, CancellationToken stop) => Task.FromResult(Allowed.RemoveAll(a => a.User == user));
}
