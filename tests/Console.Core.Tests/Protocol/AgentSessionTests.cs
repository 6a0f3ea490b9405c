using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Protocol;

public sealed class AgentSessionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly VmId Vm = new(Guid.Parse("01930000-0000-7000-8000-000000000001"));

    private static AgentSession Open(AgentMemory? memory = null, long epoch = 5, TimeSpan offset = default)
    {
        var session = AgentSession.Restore(memory ?? AgentMemory.Empty).Session.Connected("1", Guid.Empty, false).Session;
        return session.Received(new Welcome(new Epoch(epoch), Now + offset), Now).Session;
    }

    private static DesiredHostState State(long generation) => new(new Generation(generation), [], [], [], []);

    private static Command Reboot(long epoch = 5, int deadlineSeconds = 30) =>
        new(new Epoch(epoch), CommandId.New(Now), Now.AddSeconds(deadlineSeconds), new RebootMachine(Vm, false));

    [Fact]
    public void A_welcome_is_remembered_first_then_everything_is_reported()
    {
        var session = AgentSession.Restore(AgentMemory.Empty).Session.Connected("1", Guid.Empty, false).Session;
        var step = session.Received(new Welcome(new Epoch(1), Now), Now);
        Assert.Equal([new RememberEpoch(new Epoch(1)), new ReportInFull()], step.Effects);
        Assert.Equal(SessionPhase.Open, step.Session.Phase);
    }

    [Fact]
    public void A_server_that_does_not_lead_is_left_for_the_next_at_once_and_its_list_is_kept()
    {
        string[] hubs = ["https://a:8443", "https://b:8443"];
        var step = AgentSession.Restore(AgentMemory.Empty).Session.Connected("1", Guid.Empty, false).Session.Received(new Refused(Refused.NotLeaderCode, "b leads", hubs, hubs[1]), Now);
        Assert.Equal(hubs, Assert.IsType<RememberServers>(step.Effects[0]).Hubs);
        Assert.Equal(new EndSession(Refused.NotLeaderCode, "b leads", true, true, hubs[1]), step.Effects[1]);
        Assert.Equal(SessionPhase.Closed, step.Session.Phase);
    }

    [Fact]
    public void Servers_are_kept_also_from_a_desired_state_that_is_known_already()
    {
        var session = Open();
        var step = session.Received(new Desired(new Epoch(5), State(1), ["https://a:8443"]), Now);
        Assert.Equal([typeof(RememberServers), typeof(AcceptDesired)], step.Effects.Select(e => e.GetType()));
        step = step.Session.Received(new Desired(new Epoch(5), State(1), ["https://a:8443", "https://b:8443"]), Now);
        Assert.Equal(2, Assert.IsType<RememberServers>(Assert.Single(step.Effects)).Hubs.Count);
        // Of another session: nothing.
        Assert.IsType<Note>(Assert.Single(step.Session.Received(new Desired(new Epoch(4), State(2), ["https://x:1"]), Now).Effects));
    }

    [Fact]
    public void A_console_that_offers_an_epoch_of_the_past_is_refused()
    {
        var memory = AgentMemory.Empty with { LastEpoch = new Epoch(9) };
        var step = AgentSession.Restore(memory).Session.Connected("1", Guid.Empty, false).Session.Received(new Welcome(new Epoch(9), Now), Now);
        Assert.Equal("console_behind", Assert.IsType<EndSession>(Assert.Single(step.Effects)).Code);
        Assert.Equal(SessionPhase.Closed, step.Session.Phase);
    }

    [Fact]
    public void An_older_generation_is_refused_the_same_one_does_nothing_a_newer_one_is_accepted()
    {
        var session = Open(AgentMemory.Empty with { LastGeneration = new Generation(3) });
        Assert.IsType<Note>(Assert.Single(session.Received(new Desired(new Epoch(5), State(2)), Now).Effects));
        Assert.Empty(session.Received(new Desired(new Epoch(5), State(3)), Now).Effects);
        var step = session.Received(new Desired(new Epoch(5), State(4)), Now);
        Assert.Equal(new Generation(4), Assert.IsType<AcceptDesired>(Assert.Single(step.Effects)).State.Generation);
        Assert.Equal(new Generation(4), step.Session.Memory.LastGeneration);
    }

    [Fact]
    public void Nothing_of_another_epoch_has_an_effect()
    {
        var session = Open();
        Assert.IsType<Note>(Assert.Single(session.Received(new Desired(new Epoch(4), State(9)), Now).Effects));
        Assert.IsType<Note>(Assert.Single(session.Received(Reboot(epoch: 6), Now).Effects));
    }

    [Fact]
    public void A_command_seen_before_answers_with_the_recorded_result_and_does_nothing()
    {
        var command = Reboot();
        var begun = Open().Received(command, Now);
        Assert.Equal(new BeginCommand(command), Assert.Single(begun.Effects));
        var finished = begun.Session.Finished(command.Id, true, "done");
        var again = finished.Session.Received(command, Now);
        Assert.Equal(new SendToConsole(new CommandResult(new Epoch(5), command.Id, true, "done")), Assert.Single(again.Effects));
    }

    [Fact]
    public void A_late_command_is_answered_as_expired_by_the_consoles_clock()
    {
        var session = Open(offset: TimeSpan.FromMinutes(2));
        var step = session.Received(Reboot(deadlineSeconds: 30), Now);
        Assert.DoesNotContain(step.Effects, e => e is BeginCommand);
        var result = Assert.IsType<CommandResult>(Assert.IsType<SendToConsole>(step.Effects[^1]).Message);
        Assert.False(result.Succeeded);
        Assert.StartsWith("Expired, not executed", result.Message);
    }

    [Fact]
    public void Results_are_sent_again_after_reconnecting_until_they_are_acknowledged()
    {
        var command = Reboot();
        var session = Open().Received(command, Now).Session.Disconnected().Session;
        session = session.Finished(command.Id, true, "done").Session;
        var welcomed = session.Connected("1", Guid.Empty, false).Session.Received(new Welcome(new Epoch(6), Now), Now);
        Assert.Contains(new SendToConsole(new CommandResult(new Epoch(6), command.Id, true, "done")), welcomed.Effects);
        session = welcomed.Session.Received(new CommandAck(new Epoch(6), command.Id), Now).Session;
        Assert.Empty(session.Tick(Now).Effects);
        var late = session.Tick(command.Deadline + AgentSession.RememberPastDeadline + TimeSpan.FromSeconds(1));
        Assert.Equal(new ForgetCommand(command.Id), Assert.Single(late.Effects));
        Assert.Empty(late.Session.Memory.Commands);
    }

    [Fact]
    public void A_restart_during_a_command_reports_it_as_interrupted_and_never_repeats_it()
    {
        var command = Reboot();
        var memory = Open().Received(command, Now).Session.Memory;
        var restored = AgentSession.Restore(memory);
        Assert.False(Assert.IsType<RememberCommand>(Assert.Single(restored.Effects)).Record.Succeeded);
        var again = Open(restored.Session.Memory, epoch: 6).Received(command with { Epoch = new Epoch(6) }, Now);
        Assert.DoesNotContain(again.Effects, e => e is BeginCommand);
    }

    [Fact]
    public void A_refusal_ends_the_session_with_its_reason()
    {
        var session = AgentSession.Restore(AgentMemory.Empty).Session.Connected("1", Guid.Empty, false).Session;
        var step = session.Received(new Refused("host_retired", "The host is retired."), Now);
        Assert.Equal(new EndSession("host_retired", "The host is retired.", false), Assert.Single(step.Effects));
    }
}
