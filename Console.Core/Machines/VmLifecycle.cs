using Plinth.Core.Primitives;

namespace Plinth.Core.Machines;

/// <summary>What moves a VM. Acts of people end in "Asked"; everything else was observed.</summary>
public enum VmEvent
{
    NoRoom, Placed, StartAsked, StopAsked, SoftDeleteAsked, RestoreAsked, DeleteAsked,
    DomainDefined, DomainRunning, GuestReady, DomainPaused, DomainOff, DomainGone,
    StepFailed, HostLost, Cancelled,
}

/// <summary>The VM lifecycle as a table. Total: every state answers every event, by a state or by a refusal.</summary>
public static class VmLifecycle
{
    public static string Sentence(VmState state) => state switch
    {
        VmState.Requested => "Accepted; a host is being chosen.",
        VmState.Waiting => "No host has room now; placed as soon as one has.",
        VmState.Creating => "The host prepares the disk and the machine.",
        VmState.Starting => "The machine is being started.",
        VmState.Running => "The machine runs.",
        VmState.Stopping => "The guest was asked to shut down; it is switched off at the deadline.",
        VmState.Stopped => "The machine is off; its disk and its place are kept.",
        VmState.Paused => "The machine is paused: its memory is kept and its processors stand still.",
        VmState.Migrating => "The machine moves to another host.",
        VmState.Restorable => "Deleted: the machine is stopped and its disk is kept until the time to restore it has run out.",
        VmState.Deleting => "The machine and its disk are being removed.",
        VmState.Deleted => "The machine and its disk are gone.",
        VmState.Failed => "Creating or starting the machine failed; the reason is with it.",
        VmState.Lost => "The host does not answer; the machine may be running.",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    /// <summary>Where the VM takes a place on a host: from placed until gone.</summary>
    public static bool HoldsCapacity(VmState state) => state is not (VmState.Requested or VmState.Waiting or VmState.Deleted);

    public static bool IsTransitional(VmState state) => state is VmState.Requested or VmState.Creating or VmState.Starting or VmState.Stopping or VmState.Migrating or VmState.Deleting;

    /// <summary>The state after <paramref name="e"/>. Observations that tell nothing new leave the state as it is; acts that make no sense are refused.</summary>
    public static Result<VmState> Next(VmState state, VmEvent e) => (state, e) switch
    {
        (VmState.Deleted, VmEvent.StartAsked or VmEvent.StopAsked or VmEvent.SoftDeleteAsked or VmEvent.RestoreAsked or VmEvent.DeleteAsked) => Refusal.Conflict("vm_deleted", "The VM is deleted."),
        (VmState.Deleted, _) => VmState.Deleted,

        (VmState.Deleting, VmEvent.DomainGone) => VmState.Deleted,
        (VmState.Deleting, VmEvent.RestoreAsked) => Refusal.Conflict("too_late", "Too late to restore the VM: its disk is being removed."),
        (VmState.Deleting, VmEvent.StartAsked or VmEvent.StopAsked or VmEvent.SoftDeleteAsked or VmEvent.DeleteAsked) => Refusal.Conflict("vm_deleting", "The VM is being deleted."),
        (VmState.Deleting, _) => VmState.Deleting,
        (_, VmEvent.DeleteAsked) => VmState.Deleting,

        (VmState.Restorable, VmEvent.RestoreAsked) => VmState.Stopped,
        (VmState.Restorable, VmEvent.StartAsked or VmEvent.StopAsked) => Refusal.Conflict("vm_restorable", "The VM is deleted; restore it first."),
        (VmState.Restorable, VmEvent.SoftDeleteAsked) => Refusal.Conflict("vm_restorable", "The VM is deleted already and can still be restored; delete it at once (atOnce=true) to have its disk removed now."),
        (VmState.Restorable, VmEvent.Cancelled) => Refusal.Conflict("too_late", "Too late to cancel: the VM is deleted."),
        (VmState.Restorable, _) => VmState.Restorable,
        (_, VmEvent.RestoreAsked) => Refusal.Conflict("vm_not_deleted", $"The VM is {Word(state)}: it is not deleted, so there is nothing to restore."),
        (VmState.Requested or VmState.Waiting, VmEvent.SoftDeleteAsked) => Refusal.Conflict("vm_not_placed", $"The VM is {Word(state)}: it has no disk that could be kept; delete it at once."),
        (_, VmEvent.SoftDeleteAsked) => VmState.Restorable,
        (_, VmEvent.Cancelled) => state is VmState.Requested or VmState.Waiting or VmState.Creating or VmState.Starting or VmState.Failed
            ? VmState.Deleting
            : Refusal.Conflict("too_late", $"Too late to cancel: the VM is {Word(state)}."),

        (VmState.Requested, VmEvent.NoRoom) => VmState.Waiting,
        (VmState.Requested or VmState.Waiting, VmEvent.Placed) => VmState.Creating,
        (VmState.Waiting, VmEvent.NoRoom) => VmState.Waiting,
        (VmState.Requested or VmState.Waiting, VmEvent.StepFailed) => VmState.Failed,
        (VmState.Requested or VmState.Waiting, VmEvent.StartAsked or VmEvent.StopAsked) => Refusal.Conflict("vm_not_placed", $"The VM is {Word(state)}: it has no host yet."),
        (VmState.Requested or VmState.Waiting, _) => state,

        (_, VmEvent.NoRoom or VmEvent.Placed) => Refusal.Conflict("vm_placed", "The VM already has a host."),

        (VmState.Creating, VmEvent.StartAsked or VmEvent.StopAsked) => Refusal.Conflict("vm_creating", "The VM is still being created; cancel its operation to stop that."),
        (VmState.Creating, VmEvent.DomainDefined) => VmState.Starting,
        (VmState.Creating, VmEvent.DomainOff or VmEvent.DomainGone) => VmState.Creating,

        (VmState.Running or VmState.Starting, VmEvent.StartAsked) => Refusal.Conflict("vm_running", $"The VM is {Word(state)} already."),
        (VmState.Stopping, VmEvent.StartAsked) => Refusal.Conflict("vm_stopping", "The VM is being stopped; start it once it is off."),
        (VmState.Migrating, VmEvent.StartAsked or VmEvent.StopAsked) => Refusal.Conflict("vm_migrating", "The VM is moving to another host; wait until it has arrived."),
        (VmState.Lost, VmEvent.StartAsked or VmEvent.StopAsked) => Refusal.Conflict("vm_lost", "The VM's host does not answer; wait until it is back."),
        (VmState.Paused, VmEvent.StartAsked) => Refusal.Conflict("vm_paused", "The VM is paused; resume it, or stop it first."),
        (VmState.Stopped or VmState.Failed, VmEvent.StartAsked) => VmState.Starting,
        (VmState.Stopped, VmEvent.StopAsked) => Refusal.Conflict("vm_stopped", "The VM is stopped already."),
        (VmState.Running or VmState.Starting or VmState.Paused or VmState.Stopping or VmState.Failed, VmEvent.StopAsked) => VmState.Stopping,

        (_, VmEvent.StepFailed) => VmState.Failed,
        (_, VmEvent.HostLost) => state is VmState.Stopped or VmState.Failed ? state : VmState.Lost,

        (VmState.Stopping, VmEvent.DomainOff) => VmState.Stopped,
        (VmState.Stopping, VmEvent.DomainGone) => VmState.Failed,
        (VmState.Stopping, _) => VmState.Stopping,

        (VmState.Starting, VmEvent.DomainRunning or VmEvent.DomainDefined or VmEvent.DomainOff) => VmState.Starting,
        (_, VmEvent.DomainDefined) => state,
        (VmState.Failed, VmEvent.DomainOff or VmEvent.DomainGone) => VmState.Failed,
        (VmState.Migrating, VmEvent.DomainPaused or VmEvent.DomainOff or VmEvent.DomainGone) => VmState.Migrating,
        (_, VmEvent.DomainRunning or VmEvent.GuestReady) => VmState.Running,
        (_, VmEvent.DomainPaused) => VmState.Paused,
        (_, VmEvent.DomainOff) => VmState.Stopped,
        (_, VmEvent.DomainGone) => VmState.Failed,
        _ => throw new ArgumentOutOfRangeException(nameof(e), e, $"in state {state}"),
    };

    /// <summary>The state as people read it: "running".</summary>
    public static string Word(VmState state) => state.ToString().ToLowerInvariant();
}
