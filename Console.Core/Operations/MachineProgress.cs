using Plinth.Core.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>
/// What one reading means for a VM and its operation together. The only way from a report to a state: the hub, the deadline
/// worker and the scenarios all call this.
/// </summary>
public static class MachineProgress
{
    public static MachineAdvance Advance(MachineRecord vm, OperationRecord? operation, ObservedMachine? seen, CommandOutcome? command, DateTimeOffset now)
    {
        var next = operation is null ? null : OperationProgress.Advance(operation, vm, seen, command, now);
        var (state, reason) = (vm.State, vm.Reason);
        // The failure of the operation comes first: what is seen now may already tell better ("running, but its agent is silent").
        // A command, a resize, a rebuild or an interface that was not done leaves the machine as it was.
        var givenUp = next is not null && RebuildActs.IsGivenUp(next);
        if (operation is { IsFinished: false } && (givenUp ? vm.State == VmState.Starting : next is { State: OperationState.Failed } && !OperationSteps.IsCommand(operation.Kind) && operation.Kind != OperationKind.ResizeVm && !OperationSteps.IsOfInterface(operation.Kind))) Move(VmEvent.StepFailed, next!.Reason);
        foreach (var (e, sentence) in Events(vm, seen, next is { IsFinished: false } ? next.Kind : null)) Move(e, sentence);
        if (vm.State == VmState.Deleting && vm.HostName is null) Move(VmEvent.DomainGone, null);
        return new MachineAdvance(state, reason, next, Wish(vm, seen));

        void Move(VmEvent e, string? sentence)
        {
            // Of an observation, a refusal means that it tells nothing in this state.
            if (VmLifecycle.Next(state, e) is not { Succeeded: true, Value: var to } || to == state) return;
            (state, reason) = (to, sentence ?? VmLifecycle.Sentence(to));
        }
    }

    private static IEnumerable<(VmEvent Event, string? Sentence)> Events(MachineRecord vm, ObservedMachine? seen, OperationKind? underWay)
    {
        if (seen is null) yield break;
        if (vm.State == VmState.Deleting)
        {
            if (seen.Gone) yield return (VmEvent.DomainGone, null);
            yield break;
        }
        if (seen.DefinedAt is not null && vm.State == VmState.Creating) yield return (VmEvent.DomainDefined, null);
        switch (seen.Domain)
        {
            case DomainState.Running:
                var up = seen.StartedForPowerGeneration >= vm.PowerGeneration && (!vm.HasGuestAgent || seen.GuestAgentAt is not null);
                yield return (up ? VmEvent.GuestReady : VmEvent.DomainRunning, null);
                break;
            case DomainState.Paused:
                yield return (VmEvent.DomainPaused, VmTrouble.Of(VmState.Paused, seen, vm.HostName ?? "its host")?.Sentence);
                break;
            case DomainState.Off:
                yield return (VmEvent.DomainOff, underWay == OperationKind.RebuildVm ? "Off while it is given its new disk; it is started again then." : OffSentence.Of(seen.Off, asked: vm.Power == DesiredPower.Stopped));
                break;
            case DomainState.Absent when underWay is null && vm.State is (VmState.Running or VmState.Paused or VmState.Stopped):
                yield return (VmEvent.DomainGone, $"The machine was removed on {vm.HostName}, not through this console. Start the VM to have it defined again, or delete it.");
                break;
        }
    }

    private static PowerWish Wish(MachineRecord vm, ObservedMachine? seen)
    {
        var wentOff = seen is { Domain: DomainState.Off } && vm.Power == DesiredPower.Running && seen.StartedForPowerGeneration >= vm.PowerGeneration
            && vm.State is not (VmState.Deleting or VmState.Deleted);
        if (!wentOff) return PowerWish.Keep;
        return seen!.Off switch
        {
            OffReason.HostRestarted => PowerWish.StartAgain,
            OffReason.GuestShutdown or OffReason.SwitchedOff or OffReason.Crashed or OffReason.Unknown => PowerWish.StayOff,
            _ => PowerWish.Keep,
        };
    }

    /// <summary>The VM when its host does not answer any more. An operation under way keeps its state: it goes on when the host is back.</summary>
    public static MachineAdvance HostLost(MachineRecord vm, OperationRecord? operation)
    {
        var sentence = $"{vm.HostName} does not answer; the machine may be running. This is its last known state: {VmLifecycle.Word(vm.State)}.";
        if (operation is { IsFinished: false } || VmLifecycle.Next(vm.State, VmEvent.HostLost) is not { Succeeded: true, Value: var to } || to == vm.State)
            return new MachineAdvance(vm.State, vm.Reason, operation, PowerWish.Keep);
        return new MachineAdvance(to, sentence, operation, PowerWish.Keep);
    }
}
