using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;

namespace Plinth.Core.Tests;

/// <summary>What every lifecycle promises: a sentence per state, an answer to every event, no state out of reach and none without an exit.</summary>
public class LifecycleTests
{
    [Fact]
    public void Vm() => Check<VmState, VmEvent>(
        VmLifecycle.Sentence, VmLifecycle.Next, start: VmState.Requested, ends: [VmState.Deleted],
        // Migration has its states before it has its events.
        notYetReached: [VmState.Migrating]);

    [Fact]
    public void Operation() => Check<OperationState, OperationEvent>(
        OperationLifecycle.Sentence, OperationLifecycle.Next, start: OperationState.Pending,
        ends: [OperationState.Succeeded, OperationState.Failed, OperationState.Cancelled]);

    [Fact]
    public void Volume() => Check<VolumeState, VolumeEvent>(VolumeLifecycle.Sentence, VolumeLifecycle.Next, start: VolumeState.Creating, ends: [VolumeState.Deleted]);

    [Fact]
    public void Host() => Check<HostState, HostEvent>(HostLifecycle.Sentence, HostLifecycle.Next, start: HostState.Enrolling, ends: [HostState.Retired]);

    [Theory]
    [InlineData(VmState.Requested, VmEvent.DeleteAsked)]
    [InlineData(VmState.Waiting, VmEvent.DeleteAsked)]
    [InlineData(VmState.Lost, VmEvent.DeleteAsked)]
    [InlineData(VmState.Migrating, VmEvent.DeleteAsked)]
    [InlineData(VmState.Failed, VmEvent.DeleteAsked)]
    public void Deleting_is_possible_from_wherever_a_vm_got_stuck(VmState state, VmEvent e) => Assert.Equal(VmState.Deleting, VmLifecycle.Next(state, e).Value);

    [Fact]
    public void Nothing_but_its_end_brings_a_vm_out_of_deletion()
    {
        foreach (var e in Enum.GetValues<VmEvent>())
            if (VmLifecycle.Next(VmState.Deleting, e) is { Succeeded: true } next) Assert.Equal(e == VmEvent.DomainGone ? VmState.Deleted : VmState.Deleting, next.Value);
    }

    [Fact]
    public void A_vm_without_a_place_is_never_moved_by_what_a_host_reports()
    {
        foreach (var state in Enum.GetValues<VmState>().Where(s => !VmLifecycle.HoldsCapacity(s)))
            foreach (var e in new[] { VmEvent.DomainDefined, VmEvent.DomainRunning, VmEvent.GuestReady, VmEvent.DomainPaused, VmEvent.DomainOff, VmEvent.DomainGone, VmEvent.HostLost })
                Assert.Equal(state, VmLifecycle.Next(state, e).Value);
    }

    [Fact]
    public void A_finished_operation_stays_as_it_is()
    {
        foreach (var state in Enum.GetValues<OperationState>().Where(OperationLifecycle.IsFinished))
            foreach (var e in Enum.GetValues<OperationEvent>()) Assert.Equal(RefusalKind.Conflict, OperationLifecycle.Next(state, e).Refusals.Single().Kind);
    }

    [Fact]
    public void Every_kind_of_operation_has_steps_with_title_deadline_and_undo_beginning_with_accepted()
    {
        foreach (var kind in Enum.GetValues<OperationKind>())
        {
            var steps = OperationSteps.For(kind);
            Assert.Equal(StepKind.Accepted, steps[0].Kind);
            Assert.Equal(steps.Count, steps.Select(s => s.Kind).Distinct().Count());
            Assert.All(steps, s => Assert.True(s.Title.Length > 0 && s.Deadline > TimeSpan.Zero && s.Undo.Length > 0));
            Assert.NotEmpty(OperationSteps.Title(kind));
        }
    }

    [Fact]
    public void Words_of_the_api_are_lower_case_with_dashes()
    {
        Assert.Equal("create-vm", OperationSteps.Word(OperationKind.CreateVm));
        Assert.Equal("guest-agent", OperationSteps.Word(StepKind.GuestAgent));
        Assert.Equal("running", VmLifecycle.Word(VmState.Running));
    }

    private static void Check<TState, TEvent>(Func<TState, string> sentence, Func<TState, TEvent, Result<TState>> next, TState start, TState[] ends, TState[]? notYetReached = null)
        where TState : struct, Enum where TEvent : struct, Enum
    {
        var (states, events) = (Enum.GetValues<TState>(), Enum.GetValues<TEvent>());
        foreach (var state in states)
        {
            Assert.EndsWith(".", sentence(state));
            foreach (var e in events)
            {
                // Total: a state or a refusal with a sentence, never an exception.
                var answer = next(state, e);
                if (answer.Succeeded) Assert.Contains(answer.Value, states);
                else Assert.All(answer.Refusals, r => Assert.True(r.Code.Length > 0 && r.Message.EndsWith('.'), $"{state} {e}: {r.Message}"));
            }
            var exits = events.Select(e => next(state, e)).Where(a => a.Succeeded && !a.Value.Equals(state));
            Assert.True(exits.Any() != ends.Contains(state), $"{state} {(ends.Contains(state) ? "is an end and has an exit" : "has no exit")}");
        }
        Assert.Equal(states.Length, states.Select(sentence).Distinct().Count());

        var reached = new HashSet<TState> { start };
        for (var more = true; more;)
        {
            var there = reached.SelectMany(s => events.Select(e => next(s, e))).Where(a => a.Succeeded).Select(a => a.Value).ToArray();
            more = there.Count(reached.Add) > 0;
        }
        Assert.Equal(states.Except(notYetReached ?? []).Order(), reached.Order());
    }
}
