using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Agents;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;
using Plinth.Web.Workers;

namespace Plinth.Web.Tests.Application;

/// <summary>Agents are replaced from the console, host after host, over the real application and store.</summary>
public abstract class AgentUpgradeTests : Stage
{
    private const string Old = "0.1.0", New = "0.2.0";

    private IAgentUpgrades Upgrades => The<IAgentUpgrades>();

    private Task Roll() => The<AgentRolling>().Pass(Stop);

    private Task<AgentFleetView> Fleet() => Task.Run(async () => Ok(await Upgrades.Fleet(Ana, Stop)));

    private async Task<AgentView> Agent(FakeAgent agent) => (await Fleet()).Items.Single(a => a.Host == agent.Host);

    private async Task<OperationView> Begin(params string?[] hosts) => Ok(await Upgrades.Upgrade(Ana, new ReplaceAgents(hosts.Length == 0 ? null : hosts), null, Stop));

    private (HostId Host, UpgradeAgent Act, CommandId Id) Told()
    {
        var (host, command) = Gateway.Sent[^1];
        return (host, Assert.IsType<UpgradeAgent>(command.Body), command.Id);
    }

    /// <summary>A host whose agent can replace itself.</summary>
    private async Task<FakeAgent> Able(string name)
    {
        var agent = await Joined(name, new Resources(8, 16384, 200));
        agent.Executable = new AgentExecutable(null, false, null);
        await agent.Connect();
        await agent.Report();
        Offer.Agent = new OfferedAgent(New, "sha256:" + new string('a', 64), 14_000_000, "/nowhere");
        return agent;
    }

    private Task Answer(FakeAgent agent, CommandId command, bool succeeded = true, string message = "It is here.") =>
        Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, command, succeeded, message), Stop);

    private static async Task ComesBack(FakeAgent agent, string version = New, AgentExecutable? executable = null)
    {
        await agent.Disconnect();
        (agent.Version, agent.Executable) = (version, executable ?? new AgentExecutable(Old, false, null));
        await agent.Connect();
        await agent.Report();
    }

    [Fact]
    public async Task One_host_after_the_other_gets_the_version_that_is_handed_out()
    {
        var (a, b) = (await Able("kvm-a"), await Able("kvm-b"));
        var before = await Fleet();
        Assert.Equal((New, (OperationView?)null), (before.Version, before.Newest));
        Assert.All(before.Items, h => Assert.Equal((Old, New, (string?)null), (h.Version, h.Newer, h.WhyNotUpgraded)));

        var operation = await Begin();
        Assert.Equal((OperationKind.UpgradeAgents, "on 2 hosts to 0.2.0", true), (operation.Kind, operation.Target, operation.Cancellable));
        Assert.Equal("roll_under_way", No(await Upgrades.Upgrade(Ana, new ReplaceAgents(), null, Stop)).Code);
        await Roll();
        await Roll();
        var (host, act, command) = Told();
        Assert.Equal((a.Host, New, 14_000_000L, "sha256:" + new string('a', 64)), (host, act.Version, act.SizeBytes, act.Digest));
        Assert.Single(Gateway.Sent);
        Assert.Equal((AgentRollState.Told, AgentRollState.Waiting), ((await Agent(a)).Roll, (await Agent(b)).Roll));
        await Answer(a, command);
        await Roll();
        // The console dies: the next one goes on from the database.
        await Restart();
        await ComesBack(a, executable: new AgentExecutable(null, OnTrial: true, null));
        await b.Connect();
        await b.Report();
        await Roll();
        Assert.Equal((AgentRollState.Starting, true, "has 0.2.0 on trial"), ((await Agent(a)).Roll, (await Agent(a)).OnTrial, (await Agent(a)).RollDetail));
        await ComesBack(a);
        await Roll();
        Assert.Equal((AgentRollState.Done, Old), ((await Agent(a)).Roll, (await Agent(a)).Previous));
        Assert.Equal(b.Host, Told().Host);
        await Answer(b, Told().Id);
        await ComesBack(b);
        await Roll();
        var ended = await Newest(operation);
        Assert.Equal((OperationState.Succeeded, "2 of 2 hosts done.", 100), (ended.State, ended.Reason, ended.Percent));
        Assert.Equal("kvm-a has 0.2.0 already; kvm-b has 0.2.0 already.", No(await Upgrades.Upgrade(Ana, new ReplaceAgents(), null, Stop)).Message.Split(": ")[1]);
        Assert.Equal(["agents.upgrade", "host.agent-replaced", "host.agent-replaced"], (await Audit()).Where(e => e.Action is "agents.upgrade" or "host.agent-replaced" && e.Outcome == "done").Select(e => e.Action));
    }

    [Fact]
    public async Task One_that_puts_it_back_halts_the_roll_and_no_other_host_is_told()
    {
        var (a, b) = (await Able("kvm-a"), await Able("kvm-b"));
        var operation = await Begin();
        await Roll();
        await Answer(a, Told().Id);
        await ComesBack(a, Old, new AgentExecutable(null, false, new AgentSetback(Told().Id, New, "it ended with code 1 before it had told the console everything")));
        await Roll();
        await Roll();
        var ended = await Newest(operation);
        Assert.Equal(OperationState.Failed, ended.State);
        Assert.Equal("Halted: kvm-a 0.2.0 was put back: it ended with code 1 before it had told the console everything. 0 of 2 hosts done; no other one was touched.", ended.Reason);
        Assert.Single(Gateway.Sent);
        Assert.Equal((Old, (AgentRollState?)null), ((await Agent(b)).Version, (await Agent(b)).Roll));
        // The next attempt begins anew: what was put back then says nothing about it.
        var again = await Begin("kvm-a");
        await Roll();
        await Roll();
        Assert.Equal(OperationState.Running, (await Newest(again)).State);
    }

    [Fact]
    public async Task A_command_that_nobody_answers_ends_it_in_time()
    {
        var a = await Able("kvm-a");
        var operation = await Begin();
        await Roll();
        Time.Advance(AgentRolls.FetchWithin + TimeSpan.FromSeconds(1));
        await Drive();
        await Roll();
        var ended = await Newest(operation);
        Assert.Equal(OperationState.Failed, ended.State);
        Assert.Contains("did not answer within 300 s", ended.Reason);
        Assert.Equal(Old, (await Agent(a)).Version);
    }

    [Fact]
    public async Task Cancelled_it_ends_after_the_host_under_way()
    {
        var (a, b) = (await Able("kvm-a"), await Able("kvm-b"));
        var operation = await Begin();
        await Roll();
        Assert.Equal(OperationState.Cancelling, Ok(await Operations.Cancel(Bot, operation.Id, Stop)).State);
        Ok(await Operations.Cancel(Bot, operation.Id, Stop));
        await Roll();
        Assert.Equal("Cancelled by bot; the host under way is brought to its end first.", (await Newest(operation)).Reason);
        await Answer(a, Told().Id);
        await ComesBack(a);
        await Roll();
        Assert.Equal((OperationState.Cancelled, "Cancelled: 1 of 2 hosts done; the others keep what they have."), ((await Newest(operation)).State, (await Newest(operation)).Reason));
        Assert.Equal(Old, (await Agent(b)).Version);
        Assert.Equal("too_late", No(await Operations.Cancel(Ana, operation.Id, Stop)).Code);
    }

    [Fact]
    public async Task Back_each_host_goes_to_the_version_it_keeps()
    {
        var a = await Able("kvm-a");
        Assert.StartsWith("kvm-a keeps no previous version", No(await Upgrades.Revert(Ana, new ReplaceAgents(), null, Stop)).Message.Split(": ", 2)[1]);
        await ComesBack(a);
        var operation = Ok(await Upgrades.Revert(Ana, new ReplaceAgents(["kvm-a"]), "key-1", Stop));
        Assert.Equal(operation.Id, Ok(await Upgrades.Revert(Ana, new ReplaceAgents(["kvm-a"]), "key-1", Stop)).Id);
        await Roll();
        var (_, command) = Gateway.Sent[^1];
        Assert.Equal(new RevertAgent(Old), command.Body);
        await Answer(a, command.Id);
        await ComesBack(a, Old, new AgentExecutable(New, false, null));
        await Roll();
        Assert.Equal(OperationState.Succeeded, (await Newest(operation)).State);
        Assert.Equal((Old, New), ((await Agent(a)).Version, (await Agent(a)).Previous));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_its_reason_and_its_field()
    {
        await Host("old-agent");
        Assert.Equal("no_agent_executable", No(await Upgrades.Upgrade(Ana, new ReplaceAgents(), null, Stop)).Code);
        Assert.Equal("This console hands out no agent.", (await Fleet()).WhyNone);
        await Able("kvm-a");
        Assert.StartsWith("has an agent that cannot replace itself", (await Fleet()).Items.Single(h => h.HostName == "old-agent").WhyNotUpgraded);
        var refused = await Upgrades.Upgrade(Ana, new ReplaceAgents(["old-agent", "nobody", null, "kvm-a"]), null, Stop);
        Assert.Equal([("hosts[0]", "agent_not_replaced"), ("hosts[1]", "host_not_found"), ("hosts[2]", "host_not_found")], refused.Refusals.Select(r => (r.Field!, r.Code)));
        Assert.Equal("hosts_empty", No(await Upgrades.Upgrade(Ana, new ReplaceAgents([]), null, Stop)).Code);
        var stranger = new Caller(Core.Identity.Principal.Anonymous, null);
        Assert.Equal("forbidden", No(await Upgrades.Upgrade(stranger, new ReplaceAgents(), null, Stop)).Code);
        Assert.Equal("forbidden", No(await Upgrades.Fleet(stranger, Stop)).Code);
        // Never down, whatever the console hands out.
        Offer.Agent = new OfferedAgent("0.0.9", "sha256:" + new string('b', 64), 1, "/nowhere");
        Assert.Contains("newer than 0.0.9", No(await Upgrades.Upgrade(Ana, new ReplaceAgents(["kvm-a"]), null, Stop)).Message);
        Assert.Null((await Fleet()).Items.Single(h => h.HostName == "kvm-a").Newer);
    }

    [Fact]
    public async Task The_host_says_the_new_version_at_its_hello()
    {
        var a = await Able("kvm-a");
        await a.Disconnect();
        a.Version = New;
        await a.Connect();
        Assert.Equal(New, Ok(await Hosts.Get(Ana, a.Host, Stop)).Facts!.AgentVersion);
        await The<HostLiveness>().Pass(Stop);
        Assert.Equal(HostState.Ready, Ok(await Hosts.Get(Ana, a.Host, Stop)).State);
    }
}

public sealed class SqliteAgentUpgradeTests : AgentUpgradeTests;

[Collection(PostgresCollection.Name)]
public sealed class PostgresAgentUpgradeTests(PostgresServer server) : AgentUpgradeTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
