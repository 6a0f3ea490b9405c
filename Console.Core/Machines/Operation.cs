using Plinth.Core.Primitives;

namespace Plinth.Core.Machines;

public enum OperationKind { CreateVm, StartVm, StopVm, RebootVm, DeleteVm, PauseVm, ResumeVm, ResizeVm, SoftDeleteVm, RestoreVm, RebuildVm, CloneVm, TakeSnapshot, RevertSnapshot, RemoveSnapshot, AddInterface, RemoveInterface, CreateVolume, AttachVolume, DetachVolume, ResizeVolume, DeleteVolume, UpgradeAgents, RevertAgents }

public enum OperationState { Pending, Running, Cancelling, Succeeded, Failed, Cancelled }

public enum StepState { Pending, Running, Done, Failed, Skipped, Undone }

/// <summary>The steps that operations are made of, in the field's words. The name in the API is the lower-case one of <see cref="OperationSteps.Word"/>.</summary>
public enum StepKind { Accepted, Placed, Disk, Defined, Started, GuestAgent, ShutdownAsked, Stopped, RebootSent, Undefined, DiskRemoved, Paused, Resumed, Resized, VolumeMade, Plugged, UnplugAsked, Unplugged, Grown, VolumeRemoved, SnapshotTaken, SnapshotReverted, SnapshotRemoved, Rebuilt, AgentsReplaced }

/// <summary>One step as it went. <paramref name="Detail"/> is a sentence: the host and why, bytes fetched, the failure.</summary>
/// <param name="Percent">0–100 where the step's progress can be measured, otherwise null.</param>
public sealed record OperationStep(
    StepKind Kind,
    StepState State,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    int? Percent,
    string Detail);

/// <summary>One fixed step: its name, its deadline, and how it is undone (or why it has no undo).</summary>
public sealed record StepDefinition(StepKind Kind, string Title, TimeSpan Deadline, string Undo);

/// <summary>The fixed sequences. Order is execution order.</summary>
public static class OperationSteps
{
    // Deadlines are generous: software emulation on a shared machine is slow, and a wrong failure costs more than a late one.
    private static readonly StepDefinition Accepted = new(StepKind.Accepted, "Accepted", TimeSpan.FromSeconds(10), "none: nothing exists yet");
    private static readonly StepDefinition GuestUp = new(StepKind.GuestAgent, "Guest agent up", TimeSpan.FromMinutes(5), "none: an observation");
    private static readonly StepDefinition Plugged = new(StepKind.Plugged, "Attached", TimeSpan.FromMinutes(2), "none: detach the volume");

    public static IReadOnlyList<StepDefinition> For(OperationKind kind) => kind switch
    {
        OperationKind.CreateVm =>
        [
            Accepted,
            new(StepKind.Placed, "Placed on a host", TimeSpan.FromDays(7), "the allocation is released"),
            new(StepKind.Disk, "Disk ready", TimeSpan.FromMinutes(30), "disk and seed are removed"),
            new(StepKind.Defined, "Machine defined", TimeSpan.FromMinutes(2), "the domain is undefined"),
            new(StepKind.Started, "Started", TimeSpan.FromMinutes(2), "the domain is switched off"),
            GuestUp,
        ],
        // A disk of terabytes may have to be copied.
        OperationKind.CloneVm =>
        [
            Accepted,
            new(StepKind.Placed, "Placed on a host", TimeSpan.FromDays(7), "the allocation is released"),
            new(StepKind.Disk, "Disk copied", TimeSpan.FromHours(12), "the copy and the seed are removed"),
            new(StepKind.Defined, "Machine defined", TimeSpan.FromMinutes(2), "the domain is undefined"),
            new(StepKind.Started, "Started", TimeSpan.FromMinutes(2), "the domain is switched off"),
            GuestUp,
        ],
        OperationKind.StartVm => [Accepted, new(StepKind.Started, "Started", TimeSpan.FromMinutes(2), "the domain is switched off"), GuestUp],
        OperationKind.StopVm =>
        [
            Accepted,
            new(StepKind.ShutdownAsked, "Guest asked to shut down", TimeSpan.FromMinutes(1), "none: the guest acts by itself"),
            new(StepKind.Stopped, "Stopped", TimeSpan.FromMinutes(5), "none: start the VM"),
        ],
        OperationKind.RebootVm => [Accepted, new(StepKind.RebootSent, "Restarted", TimeSpan.FromMinutes(2), "none: a guest cannot be un-restarted"), GuestUp],
        OperationKind.DeleteVm =>
        [
            Accepted,
            new(StepKind.Stopped, "Stopped", TimeSpan.FromMinutes(5), "none: the owner confirmed the deletion"),
            new(StepKind.Undefined, "Machine removed", TimeSpan.FromMinutes(2), "none: the owner confirmed the deletion"),
            new(StepKind.DiskRemoved, "Disk removed", TimeSpan.FromMinutes(5), "none: the owner confirmed the deletion"),
        ],
        OperationKind.SoftDeleteVm =>
        [
            Accepted,
            new(StepKind.ShutdownAsked, "Guest asked to shut down", TimeSpan.FromMinutes(1), "none: restore the VM"),
            new(StepKind.Stopped, "Stopped", TimeSpan.FromMinutes(5), "none: restore the VM"),
        ],
        OperationKind.RestoreVm => [Accepted, new(StepKind.Started, "Started", TimeSpan.FromMinutes(2), "none: delete the VM again"), GuestUp],
        // The new disk stands before the guest is asked for anything: what fails until then leaves the VM as it was. A console that was
        // down meanwhile finds the time gone: it is long enough for a restart.
        OperationKind.RebuildVm =>
        [
            Accepted,
            new(StepKind.Disk, "New disk ready", TimeSpan.FromMinutes(30), "the new disk is removed, the VM keeps its own"),
            new(StepKind.ShutdownAsked, "Guest asked to shut down", TimeSpan.FromMinutes(5), "none: the guest acts by itself"),
            new(StepKind.Stopped, "Stopped", TimeSpan.FromMinutes(5), "the VM is started again"),
            new(StepKind.Rebuilt, "Rebuilt", TimeSpan.FromMinutes(5), "none: the former disk is gone"),
            new(StepKind.Started, "Started", TimeSpan.FromMinutes(2), "none: stop the VM"),
            GuestUp,
        ],
        // A machine's whole memory may have to be written.
        OperationKind.TakeSnapshot => [Accepted, new(StepKind.SnapshotTaken, "Snapshot taken", TimeSpan.FromMinutes(15), "none: delete the snapshot")],
        OperationKind.RevertSnapshot => [Accepted, new(StepKind.SnapshotReverted, "Reverted", TimeSpan.FromMinutes(15), "none: what was written since is gone")],
        OperationKind.RemoveSnapshot => [Accepted, new(StepKind.SnapshotRemoved, "Snapshot removed", TimeSpan.FromMinutes(15), "none: the owner confirmed the deletion")],
        OperationKind.PauseVm => [Accepted, new(StepKind.Paused, "Paused", TimeSpan.FromMinutes(1), "none: resume the VM")],
        OperationKind.ResumeVm => [Accepted, new(StepKind.Resumed, "Resumed", TimeSpan.FromMinutes(1), "none: pause the VM")],
        OperationKind.ResizeVm => [Accepted, new(StepKind.Resized, "Size changed", TimeSpan.FromMinutes(2), "none: a resize that fails takes the former size back; otherwise ask for it")],
        OperationKind.AddInterface => [Accepted, new(StepKind.Plugged, "Added", TimeSpan.FromMinutes(2), "none: remove the interface")],
        OperationKind.RemoveInterface =>
        [
            Accepted,
            new(StepKind.UnplugAsked, "Guest asked to release it", TimeSpan.FromMinutes(2), "none: the guest acts by itself"),
            new(StepKind.Unplugged, "Removed", TimeSpan.FromMinutes(1), "none: add it again, with the address that it had"),
        ],
        OperationKind.CreateVolume => [Accepted, new(StepKind.VolumeMade, "Volume made", TimeSpan.FromMinutes(30), "none: delete the volume"), Plugged],
        OperationKind.AttachVolume => [Accepted, Plugged],
        OperationKind.DetachVolume =>
        [
            Accepted,
            new(StepKind.UnplugAsked, "Guest asked to release it", TimeSpan.FromMinutes(2), "none: the guest acts by itself"),
            new(StepKind.Unplugged, "Detached", TimeSpan.FromMinutes(1), "none: attach the volume"),
        ],
        OperationKind.ResizeVolume => [Accepted, new(StepKind.Grown, "Grown", TimeSpan.FromMinutes(5), "none: a volume never shrinks, the guest may use the room already")],
        OperationKind.DeleteVolume => [Accepted, new(StepKind.VolumeRemoved, "Volume removed", TimeSpan.FromMinutes(5), "none: the owner confirmed the deletion")],
        // Each host has deadlines of its own; a fleet of hundreds takes its time.
        OperationKind.UpgradeAgents => [Accepted, new(StepKind.AgentsReplaced, "Agents replaced, one host after the other", TimeSpan.FromDays(7), "none: each host keeps its previous version; go back to it")],
        OperationKind.RevertAgents => [Accepted, new(StepKind.AgentsReplaced, "Agents replaced, one host after the other", TimeSpan.FromDays(7), "none: each host keeps the version it came from; upgrade again")],
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Makes a VM: its undo removes it.</summary>
    public static bool Creates(OperationKind kind) => kind is OperationKind.CreateVm or OperationKind.CloneVm;

    /// <summary>Carried by a one-shot command: the desired state stays as it is, and one that was not done leaves the machine as it was.</summary>
    public static bool IsCommand(OperationKind kind) => kind is OperationKind.RebootVm or OperationKind.PauseVm or OperationKind.ResumeVm || IsOfSnapshot(kind);

    /// <summary>Works on the machine's disk: starts and stops wait for it.</summary>
    public static bool HoldsDisk(OperationKind kind) => kind == OperationKind.RebuildVm || IsOfSnapshot(kind);

    public static bool IsOfSnapshot(OperationKind kind) => kind is OperationKind.TakeSnapshot or OperationKind.RevertSnapshot or OperationKind.RemoveSnapshot;

    /// <summary>Goes from host to host; it is cancelled between two of them, and what was done stays.</summary>
    public static bool IsRoll(OperationKind kind) => kind is OperationKind.UpgradeAgents or OperationKind.RevertAgents;

    /// <summary>Works on one network interface of the machine: one that was not done leaves the machine as it was.</summary>
    public static bool IsOfInterface(OperationKind kind) => kind is OperationKind.AddInterface or OperationKind.RemoveInterface;

    public static string Title(OperationKind kind) => kind switch
    {
        OperationKind.CreateVm => "Create",
        OperationKind.StartVm => "Start",
        OperationKind.StopVm => "Stop",
        OperationKind.RebootVm => "Reboot",
        OperationKind.DeleteVm => "Delete",
        OperationKind.PauseVm => "Pause",
        OperationKind.ResumeVm => "Resume",
        OperationKind.ResizeVm => "Resize",
        OperationKind.SoftDeleteVm => "Delete, restorable",
        OperationKind.RestoreVm => "Restore",
        OperationKind.RebuildVm => "Rebuild",
        OperationKind.CloneVm => "Clone",
        OperationKind.TakeSnapshot => "Take snapshot",
        OperationKind.RevertSnapshot => "Revert to snapshot",
        OperationKind.RemoveSnapshot => "Delete snapshot",
        OperationKind.AddInterface => "Add interface",
        OperationKind.RemoveInterface => "Remove interface",
        OperationKind.CreateVolume => "Create volume",
        OperationKind.AttachVolume => "Attach volume",
        OperationKind.DetachVolume => "Detach volume",
        OperationKind.ResizeVolume => "Resize volume",
        OperationKind.DeleteVolume => "Delete volume",
        OperationKind.UpgradeAgents => "Upgrade agents",
        OperationKind.RevertAgents => "Take agents back",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>"createVm" → "create-vm", "GuestAgent" → "guest-agent": the word used in the API.</summary>
    public static string Word<T>(T value) where T : struct, Enum =>
        string.Concat(value.ToString().Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));
}

public enum OperationEvent { Started, CancelAsked, Succeeded, Failed, Undone }

/// <summary>The operation lifecycle: pending → running → succeeded | failed, or → cancelling → cancelled.</summary>
public static class OperationLifecycle
{
    public static bool IsFinished(OperationState s) => s is OperationState.Succeeded or OperationState.Failed or OperationState.Cancelled;

    public static string Sentence(OperationState state) => state switch
    {
        OperationState.Pending => "Accepted; not begun.",
        OperationState.Running => "Under way.",
        OperationState.Cancelling => "What was done is being undone.",
        OperationState.Succeeded => "Done.",
        OperationState.Failed => "Failed; the reason is with it.",
        OperationState.Cancelled => "Cancelled; everything done was undone.",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static Result<OperationState> Next(OperationState state, OperationEvent e) => (state, e) switch
    {
        (OperationState.Succeeded or OperationState.Failed or OperationState.Cancelled, OperationEvent.CancelAsked) =>
            Refusal.Conflict("too_late", $"Too late to cancel: the operation has {(state == OperationState.Succeeded ? "succeeded" : state == OperationState.Failed ? "failed" : "been cancelled")} already."),
        (OperationState.Succeeded or OperationState.Failed or OperationState.Cancelled, _) =>
            Refusal.Conflict("operation_finished", "The operation is finished."),
        (OperationState.Pending, OperationEvent.Started) => OperationState.Running,
        (OperationState.Running, OperationEvent.Started) => OperationState.Running,
        (OperationState.Pending or OperationState.Running or OperationState.Cancelling, OperationEvent.CancelAsked) => OperationState.Cancelling,
        (OperationState.Cancelling, OperationEvent.Started) => OperationState.Cancelling,
        (OperationState.Cancelling, OperationEvent.Undone) => OperationState.Cancelled,
        (OperationState.Cancelling, OperationEvent.Succeeded) => OperationState.Cancelling,
        (OperationState.Pending or OperationState.Running, OperationEvent.Succeeded) => OperationState.Succeeded,
        (_, OperationEvent.Failed) => OperationState.Failed,
        (OperationState.Pending or OperationState.Running, OperationEvent.Undone) => Refusal.Conflict("not_cancelling", "The operation is not being cancelled."),
        _ => throw new ArgumentOutOfRangeException(nameof(e), e, $"in state {state}"),
    };
}
