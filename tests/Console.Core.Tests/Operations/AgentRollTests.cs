using CsCheck;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Operations;

/// <summary>Agents that are replaced host after host: who is next, when it halts, and what people read.</summary>
public sealed class AgentRollTests
{
    private const string Old = "0.1.0", New = "0.2.0", Digest = "sha256:00";

    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static HostId Id(int i) => HostId.From(new Guid(i + 1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]));

    private static CommandId Command(int i) => CommandId.From(new Guid(i + 1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]));

    private static AgentSighting Host(int i, string version = Old, int vms = 0) =>
        new(Id(i), $"kvm-{i}", HostState.Ready, false, true, true, version, new AgentExecutable(null, false, null), [], vms);

    /// <summary>A small world: hosts whose agents answer as a test says.</summary>
    private sealed class World
    {
        private int _next;
        public List<AgentSighting> Hosts { get; }
        public Dictionary<CommandId, CommandOutcome> Answers { get; } = [];
        public AgentRoll Roll { get; set; }
        public DateTimeOffset Now { get; set; } = Begin;
        public bool Cancelled { get; set; }
        public List<AgentRollHost> Told { get; } = [];

        public World(params AgentSighting[] hosts)
        {
            Hosts = [.. hosts];
            Roll = AgentRolls.Plan(hosts, _ => New, back: false, Digest, 10);
        }

        public AgentRollStep Look()
        {
            var step = AgentRolls.Next(Roll, Cancelled, id => Hosts.Find(h => h.Host == id), id => Answers.GetValueOrDefault(id), Command(_next++), Now);
            Roll = step.Roll;
            if (step.Tell is { } tell) Told.Add(tell);
            return step;
        }

        public void Set(int host, Func<AgentSighting, AgentSighting> change)
        {
            var i = Hosts.FindIndex(h => h.Host == Id(host));
            Hosts[i] = change(Hosts[i]);
        }

        public void Answer(bool succeeded = true, string message = "It is here.") => Answers[Told[^1].Command!.Value] = new CommandOutcome(succeeded, message, Now);

        public void ComesBack(int host) => Set(host, h => h with { Version = New, Executable = new AgentExecutable(Old, false, null) });
    }

    [Fact]
    public void The_host_with_the_fewest_VMs_is_the_canary_and_the_others_wait_for_it()
    {
        var world = new World(Host(1, vms: 3), Host(2, vms: 0), Host(3, vms: 1));
        Assert.Equal(["kvm-2", "kvm-3", "kvm-1"], world.Roll.Hosts.Select(h => h.Name));
        var step = world.Look();
        Assert.Equal((Id(2), AgentRollState.Told), (step.Tell!.Host, step.Tell.State));
        Assert.Equal("kvm-2 fetches and verifies 0.2.0, as the first; 0 of 3 hosts done.", step.Sentence);
        Assert.Null(world.Look().Tell);
        world.Answer();
        Assert.Equal("kvm-2 starts 0.2.0, as the first; 0 of 3 hosts done.", world.Look().Sentence);
        world.Set(2, h => h with { Version = New, Executable = new AgentExecutable(Old, OnTrial: true, null) });
        Assert.Equal("kvm-2 has 0.2.0 on trial, as the first; 0 of 3 hosts done.", world.Look().Sentence);
        world.ComesBack(2);
        world.Set(2, h => h with { Fresh = false });
        Assert.Equal("kvm-2 has 0.2.0; everything on the host is being looked at, as the first; 0 of 3 hosts done.", world.Look().Sentence);
        world.Set(2, h => h with { Fresh = true });
        step = world.Look();
        Assert.Equal((Id(3), "kvm-3 fetches and verifies 0.2.0; 1 of 3 hosts done.", 33), (step.Tell!.Host, step.Sentence, step.Percent));
        world.Answer();
        world.ComesBack(3);
        Assert.Equal(Id(1), world.Look().Tell!.Host);
        world.Answer();
        world.ComesBack(1);
        step = world.Look();
        Assert.Equal((AgentRollEnd.Succeeded, "3 of 3 hosts done."), (step.End!.Value, step.Sentence));
    }

    [Fact]
    public void What_was_put_back_halts_the_roll_with_its_reason()
    {
        var world = new World(Host(1), Host(2));
        world.Look();
        world.Answer();
        world.Look();
        // One of an earlier attempt says nothing about this one.
        world.Set(1, h => h with { Executable = new AgentExecutable(null, false, new AgentSetback(Command(99), New, "it was long ago")) });
        Assert.Null(world.Look().End);
        world.Set(1, h => h with { Executable = new AgentExecutable(null, false, new AgentSetback(world.Told[0].Command!.Value, New, "it ended by signal 11 before it had told the console everything")) });
        var step = world.Look();
        Assert.Equal((AgentRollEnd.Failed, "Halted: kvm-1 0.2.0 was put back: it ended by signal 11 before it had told the console everything. 0 of 2 hosts done; no other one was touched."), (step.End!.Value, step.Sentence));
        Assert.Single(world.Told);
    }

    [Fact]
    public void A_refused_command_and_an_agent_that_stays_away_halt_it_too()
    {
        var refused = new World(Host(1));
        refused.Look();
        refused.Answer(false, "The console sent other bytes.");
        Assert.Equal("Halted: kvm-1 gave up: The console sent other bytes. 0 of 1 host done; no other one was touched.", refused.Look().Sentence);

        var away = new World(Host(1), Host(2));
        away.Look();
        away.Answer();
        away.Look();
        away.Set(1, h => h with { Connected = false, State = HostState.Lost });
        away.Now += AgentRolls.StartWithin;
        Assert.Null(away.Look().End);
        away.Now += TimeSpan.FromSeconds(1);
        Assert.Equal("Halted: kvm-1 did not come back with 0.2.0 within 5 minutes; it has no session, and last had 0.1.0. 0 of 2 hosts done; no other one was touched.", away.Look().Sentence);
    }

    [Fact]
    public void A_host_that_lacks_something_since_is_not_as_it_should_be_and_one_that_lacked_it_before_is()
    {
        var broken = new ObservedFacility("network", "default", false, "The bridge cannot be made.");
        var world = new World(Host(1) with { NotReady = [broken] }, Host(2));
        world.Look();
        world.Answer();
        world.ComesBack(1);
        Assert.Equal(Id(2), world.Look().Tell!.Host);
        world.Answer();
        world.Look();
        world.ComesBack(2);
        world.Set(2, h => h with { NotReady = [broken] });
        Assert.Null(world.Look().End);
        world.Now += AgentRolls.StartWithin + AgentRolls.ConformWithin + TimeSpan.FromSeconds(1);
        Assert.Equal("Halted: kvm-2 has 0.2.0 and is not as it should be: default: The bridge cannot be made. 1 of 2 hosts done; no other one was touched.", world.Look().Sentence);
    }

    [Fact]
    public void Cancelled_it_ends_after_the_host_under_way()
    {
        var world = new World(Host(1), Host(2));
        world.Look();
        world.Cancelled = true;
        Assert.Null(world.Look().End);
        world.Answer();
        world.ComesBack(1);
        var step = world.Look();
        Assert.Equal((AgentRollEnd.Cancelled, "Cancelled: 1 of 2 hosts done; the others keep what they have."), (step.End!.Value, step.Sentence));
        Assert.Single(world.Told);
    }

    [Fact]
    public void Who_is_away_at_its_turn_is_left_out()
    {
        var world = new World(Host(1), Host(2), Host(3));
        world.Set(1, h => h with { State = HostState.Lost });
        world.Hosts.RemoveAll(h => h.Host == Id(2));
        Assert.Equal(Id(3), world.Look().Tell!.Host);
        world.Answer();
        world.ComesBack(3);
        var step = world.Look();
        Assert.Equal((AgentRollEnd.Succeeded, "1 of 3 hosts done. Left out: kvm-1 is lost; kvm-2 is not there any more."), (step.End!.Value, step.Sentence));

        var nobody = new World(Host(1) with { Connected = false });
        Assert.Equal((AgentRollEnd.Failed, "No agent was replaced. Left out: kvm-1 is not connected."), (nobody.Look().End!.Value, nobody.Look().Sentence));
    }

    [Fact]
    public void Which_agents_can_be_taken_where()
    {
        Assert.Null(AgentRolls.WhyNotTo(Host(1), New));
        Assert.Equal("has 0.2.0 already", AgentRolls.WhyNotTo(Host(1, New), New));
        Assert.StartsWith("has 0.10.0, which is newer than 0.2.0", AgentRolls.WhyNotTo(Host(1, "0.10.0"), New));
        Assert.StartsWith("is simulated", AgentRolls.WhyNotTo(Host(1) with { Simulated = true }, New));
        Assert.StartsWith("has an agent that cannot replace itself", AgentRolls.WhyNotTo(Host(1) with { Executable = null }, New));
        Assert.Equal("is quarantined", AgentRolls.WhyNotTo(Host(1) with { State = HostState.Quarantined }, New));
        Assert.Equal("has not reported yet", AgentRolls.WhyNotTo(Host(1) with { Version = null }, New));
        Assert.StartsWith("keeps no previous version", AgentRolls.WhyNotBack(Host(1)));
        Assert.Null(AgentRolls.WhyNotBack(Host(1) with { Executable = new AgentExecutable(Old, false, null) }));
    }

    private static readonly Gen<Action<World>> Happening = Gen.Select(Gen.Int[0, 8], Gen.Int[1, 4], Gen.Int[0, 200]).Select<int, int, int, Action<World>>((what, host, seconds) => world =>
    {
        switch (what)
        {
            case 0: if (world.Told.Count > 0) world.Answer(); break;
            case 1: if (world.Told.Count > 0) world.Answer(false, "No."); break;
            case 2: world.ComesBack(host); break;
            case 3: world.Set(host, h => h with { Connected = !h.Connected }); break;
            case 4: world.Set(host, h => h with { State = h.State == HostState.Ready ? HostState.Lost : HostState.Ready }); break;
            case 5: world.Set(host, h => h with { Executable = new AgentExecutable(Old, true, null), Version = New }); break;
            case 6: if (world.Told.Count > 0) world.Set(host, h => h with { Version = Old, Executable = new AgentExecutable(null, false, new AgentSetback(world.Told[^1].Command!.Value, New, "It broke.")) }); break;
            case 7: world.Cancelled = true; break;
            case 8: world.Now += TimeSpan.FromSeconds(seconds); break;
        }
    });

    [Fact]
    public void Whatever_happens_one_host_at_a_time_none_after_a_failure_or_a_cancel_and_it_ends() => Happening.Array[0, 60].Sample(happenings =>
    {
        var world = new World(Host(1), Host(2), Host(3), Host(4));
        foreach (var happening in happenings)
        {
            var before = world.Roll;
            var halted = before.Hosts.Any(h => h.State == AgentRollState.Failed) || world.Cancelled;
            var told = world.Told.Count;
            var step = world.Look();
            Assert.True(world.Roll.Hosts.Count(h => h.UnderWay) <= 1);
            if (halted) Assert.Equal(told, world.Told.Count);
            foreach (var (was, now) in before.Hosts.Zip(world.Roll.Hosts))
                if (was.Ended) Assert.Equal(was, now);
            // Each is told once, in the order of the plan.
            Assert.Equal(world.Told.Select(h => h.Host), world.Told.Select(h => h.Host).Distinct());
            Assert.Equal(world.Told.Select(h => h.Host), world.Roll.Hosts.Select(h => h.Host).Where(id => world.Told.Any(t => t.Host == id)));
            // Looked at again, nothing is new and nobody is told again.
            var again = world.Look();
            Assert.Null(again.Tell);
            Assert.Equal((step.End, step.Sentence), (again.End, again.Sentence));
            happening(world);
        }
        for (var i = 0; i < 40; i++)
        {
            world.Now += AgentRolls.StartWithin + AgentRolls.ConformWithin + TimeSpan.FromSeconds(1);
            // The command's own deadline.
            foreach (var host in world.Told.Where(h => !world.Answers.ContainsKey(h.Command!.Value))) world.Answers[host.Command!.Value] = new CommandOutcome(false, "No answer.", world.Now);
            if (world.Look().End is not null) return;
        }
        Assert.Fail("it did not end");
    });

    [Fact]
    public void The_operation_tells_how_it_stands_and_how_it_ended()
    {
        var world = new World(Host(1));
        var operation = OperationProgress.Begin(OperationKind.UpgradeAgents, "ana", Generation.None, 0, Begin);
        operation = AgentRolls.Tell(operation, world.Look(), Begin);
        Assert.Equal((OperationState.Running, "kvm-1 fetches and verifies 0.2.0; 0 of 1 host done."), (operation.State, operation.Reason));
        Assert.Equal(0, OperationProgress.Percent(operation));
        var cancelling = OperationProgress.Cancel(operation, "ana").Value!;
        Assert.Equal((OperationState.Cancelling, "Cancelled by ana; the host under way is brought to its end first."), (cancelling.State, cancelling.Reason));
        world.Answer();
        world.ComesBack(1);
        var ended = AgentRolls.Tell(operation, world.Look(), Begin.AddSeconds(9));
        Assert.Equal((OperationState.Succeeded, "1 of 1 host done.", StepState.Done), (ended.State, ended.Reason, ended.Steps[1].State));
        world.Cancelled = true;
        Assert.Equal(OperationState.Cancelled, AgentRolls.Tell(cancelling, world.Look(), Begin.AddSeconds(9)).State);
        Assert.Equal("too_late", OperationProgress.Cancel(ended, "ana").Refusals[0].Code);
    }
}
