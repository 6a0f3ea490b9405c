using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Tests.PostgreSql;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Live;
using Plinth.Web.Options;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Tests.Hubs;

namespace Plinth.Web.Tests.Serving;

/// <summary>Two servers, whole, on one PostgreSQL database; the one that started first leads.</summary>
[Collection(PostgresCollection.Name)]
public sealed class TwoServersTests(PostgresServer server) : IAsyncLifetime
{
    private string _database = "";
    private ServedConsole _first = null!, _second = null!;

    public async Task InitializeAsync()
    {
        _database = await server.NewDatabase();
        _first = await Start("first");
        _second = await Start("second");
    }

    public async Task DisposeAsync()
    {
        await _second.DisposeAsync();
        await _first.DisposeAsync();
    }

    [Fact]
    public async Task The_second_follows_and_both_are_shown_with_who_leads()
    {
        Assert.NotNull(Leadership(_first).Term);
        Assert.Null(Leadership(_second).Term);
        Assert.Equal("first", Leadership(_second).Elsewhere?.Name);
        using var client = await _second.Client();
        var servers = (await client.GetFromJsonAsync<JsonElement>("/api/v1/upkeep")).GetProperty("servers").EnumerateArray().ToArray();
        Assert.Equal(["first", "second"], servers.Select(s => s.GetProperty("name").GetString()));
        Assert.Equal([(true, false), (false, true)], servers.Select(s => (s.GetProperty("leads").GetBoolean(), s.GetProperty("here").GetBoolean())));
    }

    [Fact]
    public async Task They_have_the_same_keys_so_that_what_one_gives_the_other_takes()
    {
        foreach (var file in new[] { "ca.crt", "ca.key", "openid-signing.key", "openid-encryption.key" })
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(_first.Data, file)), await File.ReadAllBytesAsync(Path.Combine(_second.Data, file)));
        using var one = _first.Anonymous();
        using var other = _second.Anonymous();
        other.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await ServedConsole.Token(one));
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/v1/hosts")).StatusCode);
        using var person = await _first.Person();
        // Cookies go by host name, not by port: the browser sends it to both.
        Assert.Equal(HttpStatusCode.OK, (await person.GetAsync(new Uri(_second.Portal, "/upkeep"))).StatusCode);
    }

    [Fact]
    public async Task An_agent_is_sent_on_by_the_server_that_follows_and_told_of_both()
    {
        await using var agent = await TestAgent.Enrolled(_second);
        await agent.Connect();
        await agent.Send(new Hello(HubNames.ProtocolVersion, "test", Guid.NewGuid(), Epoch.None, Generation.None, true));
        var refused = await agent.Receive<Refused>();
        Assert.Equal((Refused.NotLeaderCode, _first.Listeners.HubUrl), (refused.Code, refused.Elsewhere));
        Assert.Contains("first", refused.Message, StringComparison.Ordinal);
        await using var there = agent.At(_first);
        await there.Connect();
        await there.Greet();
        var desired = await there.Receive<Desired>();
        while (desired.Servers is not { Count: 2 }) desired = await there.Receive<Desired>();
        Assert.Equal(new[] { _first.Listeners.HubUrl, _second.Listeners.HubUrl }.Order(), desired.Servers.Order());
    }

    [Fact]
    public async Task What_is_asked_of_one_server_is_done_once_by_the_one_that_leads_and_seen_by_both()
    {
        await using var agent = await Ready();
        await Image();
        using var one = await _first.Client();
        using var other = await _second.Client();
        var asked = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            var answer = await (i % 2 == 0 ? one : other).PostAsJsonAsync("/api/v1/projects/default/vms", new { name = $"vm-{i}", image = "mini", vcpus = 1, memoryMib = 128, diskGib = 1 });
            Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync());
            return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("vm").GetGuid();
        }));
        var desired = await agent.Receive<Desired>();
        while (desired.State.Machines.Count < 6) desired = await agent.Receive<Desired>();
        Assert.Equal(asked.Order(), desired.State.Machines.Select(m => m.Vm.Value).Order());

        var made = desired.State.Machines.Select(m => new ObservedMachine(
            m.Vm, desired.State.Generation, DomainState.Running, OffReason.None, m.PowerGeneration, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, null, null, false, "start", [], null, null, m.Size, m.Size));
        await agent.Send(new Report(agent.Epoch, Observed() with { Generation = desired.State.Generation, Machines = [.. made] }));
        foreach (var client in new[] { one, other })
            await Waiting.Until(async () => (await client.GetFromJsonAsync<JsonElement>("/api/v1/projects/default/vms?state=running")).GetProperty("total").GetInt64() == 6, "six running VMs");
        await using var db = Store(_second).Read();
        Assert.Equal(6, await db.Allocations.CountAsync());
        Assert.Equal(6, await db.AuditEntries.CountAsync(a => a.Action == "vm.place"));
        Assert.Equal(6, await db.Operations.CountAsync());
    }

    [Fact]
    public async Task A_command_that_the_follower_took_reaches_the_agent()
    {
        await using var agent = await Ready();
        await Image();
        using var other = await _second.Client();
        var create = await (await other.PostAsJsonAsync("/api/v1/projects/default/vms", new { name = "vm", image = "mini", vcpus = 1, memoryMib = 128, diskGib = 1 })).Content.ReadFromJsonAsync<JsonElement>();
        var vm = create.GetProperty("vm").GetGuid();
        var desired = await agent.Receive<Desired>();
        while (desired.State.Machines.Count == 0) desired = await agent.Receive<Desired>();
        var m = desired.State.Machines[0];
        await agent.Send(new Report(agent.Epoch, Observed() with
        {
            Generation = desired.State.Generation,
            Machines = [new ObservedMachine(m.Vm, desired.State.Generation, DomainState.Running, OffReason.None, m.PowerGeneration, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, null, null, false, "start", [], null, null, m.Size, m.Size)],
        }));
        await Waiting.Until(async () => (await other.GetFromJsonAsync<JsonElement>($"/api/v1/projects/default/vms/{vm}")).GetProperty("state").GetString() == "running", "the VM running");
        Assert.Equal(HttpStatusCode.Accepted, (await other.PostAsJsonAsync($"/api/v1/projects/default/vms/{vm}/reboot", new { })).StatusCode);
        Assert.IsType<RebootMachine>((await agent.Receive<Command>()).Body);
        // Consoles are where the agents are, and the other server says where that is.
        var console = await other.PostAsJsonAsync($"/api/v1/projects/default/vms/{vm}/console", new { });
        Assert.Equal(HttpStatusCode.Conflict, console.StatusCode);
        Assert.Contains(_first.Listeners.PortalUrl, await console.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var one = await _first.Client();
        Assert.Equal(HttpStatusCode.OK, (await one.PostAsJsonAsync($"/api/v1/projects/default/vms/{vm}/console", new { })).StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_of_one_server_hear_what_the_other_commits(bool leaderWrites)
    {
        var (from, to) = leaderWrites ? (_first, _second) : (_second, _first);
        var heard = new TaskCompletionSource<Change>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var _ = to.App.Services.GetRequiredService<IChangeFeed>().Subscribe(c => c.Kind == "flavor", batch =>
        {
            heard.TrySetResult(batch.Changes[0]);
            return Task.CompletedTask;
        });
        using var client = await from.Client();
        Assert.Equal(HttpStatusCode.Created, (await client.PostAsJsonAsync("/api/v1/flavors", new { name = "wide", vcpus = 2, memoryMib = 256, diskGib = 1 })).StatusCode);
        Assert.True((await heard.Task.WaitAsync(TimeSpan.FromSeconds(20))).Version > 0);
    }

    [Fact]
    public async Task A_leader_that_was_asleep_writes_nothing_and_its_sessions_end()
    {
        await using var agent = await Ready();
        var slept = Leadership(_first).Term!.Value;
        await Lapse();
        await Waiting.Until(() => Leadership(_second).Term is not null, "the takeover");
        Assert.True(Leadership(_second).Term > slept);

        // What was in the middle of a pass when it fell asleep goes on where it was.
        var late = await Assert.ThrowsAsync<TermOverException>(() => Term.Under(slept, () => Store(_first).Write(scope =>
        {
            scope.Audit(Plinth.Core.Identity.Principal.System, null, "test.late", "x", null, AuditOutcomes.Done);
            return Task.FromResult(0);
        })));
        Assert.Contains($"epoch {slept}", late.Message, StringComparison.Ordinal);
        await using (var db = Store(_second).Read()) Assert.False(await db.AuditEntries.AnyAsync(a => a.Action == "test.late"));
        await Assert.ThrowsAsync<LeadershipOverException>(() => Leadership(_first).Under(slept, () => Store(_first).Write(_ => Task.FromResult(0))));

        await agent.Closed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await using var again = agent.At(_second);
        await again.Connect();
        Assert.True((await again.Greet()).Epoch > agent.Epoch);
        Assert.Null(Leadership(_first).Term);
    }

    [Fact]
    public async Task A_metrics_roll_up_of_a_former_leader_is_undone()
    {
        var slept = Leadership(_first).Term!.Value;
        await Lapse();
        await Waiting.Until(() => Leadership(_second).Term is not null, "the takeover");
        var metrics = _first.App.Services.GetRequiredService<Plinth.Web.Persistence.Metrics.IMetricsStore>();
        await Assert.ThrowsAsync<TermOverException>(() => Term.Under(slept, () => metrics.RollUp(default)));
    }

    [Fact]
    public async Task When_the_leader_stops_in_order_the_other_goes_on_with_what_was_under_way()
    {
        await Image();
        using var other = await _second.Client();
        // No host yet: it waits for one.
        var create = await (await other.PostAsJsonAsync("/api/v1/projects/default/vms", new { name = "waits", image = "mini", vcpus = 1, memoryMib = 128, diskGib = 1 })).Content.ReadFromJsonAsync<JsonElement>();
        await Waiting.Until(async () => (await other.GetFromJsonAsync<JsonElement>($"/api/v1/projects/default/vms/{create.GetProperty("vm").GetString()}")).GetProperty("state").GetString() == "waiting", "the leader's answer");
        await _first.App.StopAsync();
        await Waiting.Until(() => Leadership(_second).Term is not null, "the takeover");
        await using var agent = await TestAgent.Enrolled(_second);
        await agent.Connect();
        await agent.Greet();
        await agent.Send(new Report(agent.Epoch, Observed()));
        var desired = await agent.Receive<Desired>();
        while (desired.State.Machines.Count == 0) desired = await agent.Receive<Desired>();
        await using var db = Store(_second).Read();
        Assert.Equal(1, await db.AuditEntries.CountAsync(a => a.Action == "vm.place"));
        Assert.StartsWith("second leads from now on, in epoch 2.", (await db.AuditEntries.SingleAsync(a => a.Action == "server.lead")).Detail, StringComparison.Ordinal);
        Assert.Equal(["second"], await db.Servers.Select(s => s.Name).ToListAsync());
    }

    [Fact]
    public void A_second_server_on_the_same_data_directory_is_refused()
    {
        var e = Assert.Throws<SettingsException>(() => ServedConsole.Build(_first.Data, new CapturedLog(), Arguments("third")));
        Assert.Contains("another server of this console runs on it", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_of_another_console_is_refused()
    {
        var stranger = new ServedConsole { More = [$"--Plinth:Database:Engine=postgresql", $"--Plinth:Database:ConnectionString={await server.NewDatabase()}"] };
        await stranger.InitializeAsync();
        await stranger.App.StopAsync();
        await stranger.App.DisposeAsync();
        var e = Assert.Throws<SettingsException>(() => ServedConsole.Build(stranger.Data, new CapturedLog(), Arguments("stranger")));
        Assert.Contains("belongs to another console", e.Message, StringComparison.Ordinal);
        Assert.Contains("ca.crt", e.Message, StringComparison.Ordinal);
        Directory.Delete(stranger.Data, true);
    }

    private string[] Arguments(string name) => ["--Plinth:Database:Engine=postgresql", $"--Plinth:Database:ConnectionString={_database}", $"--Plinth:Server:Name={name}"];

    private async Task<ServedConsole> Start(string name)
    {
        var console = new ServedConsole { More = Arguments(name) };
        await console.InitializeAsync();
        return console;
    }

    private static ILeadership Leadership(ServedConsole console) => console.App.Services.GetRequiredService<ILeadership>();

    private static ConsoleStore Store(ServedConsole console) => console.App.Services.GetRequiredService<ConsoleStore>();

    /// <summary>The second takes over, as if the first had slept through its lease.</summary>
    private async Task Lapse()
    {
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("""UPDATE "WorkerLeases" SET "Holder" = (SELECT "Id" FROM "Servers" WHERE "Name" = 'second')""", connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<TestAgent> Ready()
    {
        var agent = await TestAgent.Enrolled(_first);
        await agent.Connect();
        await agent.Greet();
        await agent.Send(new Report(agent.Epoch, Observed()));
        using var client = await _second.Client();
        await Waiting.Until(async () => (await client.GetStringAsync($"/api/v1/hosts/{agent.Host}")).Contains("\"state\":\"ready\"", StringComparison.Ordinal), "the host being ready");
        Assert.Contains("\"connected\":true", await client.GetStringAsync($"/api/v1/hosts/{agent.Host}"), StringComparison.Ordinal);
        return agent;
    }

    private Task Image() => Store(_first).Write(scope =>
    {
        scope.Db.Images.Add(new ImageRow
        {
            Id = ImageId.New(scope.Now), Name = "mini", Description = "", Format = "qcow2", Digest = "sha256:" + new string('a', 64), SizeBytes = 1, MinDiskGib = 1, MinMemoryMib = 64, State = ImageState.Ready, CreatedAt = scope.Now,
        });
        return Task.FromResult(0);
    });

    private static ObservedHostState Observed() => new(
        true, Generation.None, DateTimeOffset.UtcNow,
        new HostFacts("test-host", "test", Acceleration.Simulated, "A test.", "x86_64", "none", new Resources(8, 8192, 80), "none", "none", "none", "none"),
        new Resources(8, 8192, 80), [], [], []);
}
