using Plinth.Core.Inventory;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Quotas;
using Plinth.Core.Storage;

namespace Plinth.Web.Components.States;

/// <summary>What a state means for whoever looks: colours are chosen from this in one place (app.css, <c>.tone-*</c>).</summary>
public enum Tone { Good, Busy, Attention, Bad, Quiet }

/// <summary>How a state is shown: its word, its icon (app.css, <c>.i-*</c>) and its tone. Never colour alone.</summary>
/// <param name="OfSilence">The state says that nothing is heard: old observations do not put it in doubt.</param>
public sealed record StateLook(string Text, string Icon, Tone Tone, bool OfSilence = false)
{
    public string CssClass => $"tone-{Tone.ToString().ToLowerInvariant()} i-{Icon}";

    public static StateLook Of(VmState state) => state switch
    {
        VmState.Requested => new("Requested", "hourglass-empty", Tone.Busy),
        VmState.Waiting => new("Waiting", "hourglass-top", Tone.Attention),
        VmState.Creating => new("Creating", "autorenew", Tone.Busy),
        VmState.Starting => new("Starting", "autorenew", Tone.Busy),
        VmState.Running => new("Running", "play-arrow", Tone.Good),
        VmState.Stopping => new("Stopping", "autorenew", Tone.Busy),
        VmState.Stopped => new("Stopped", "stop", Tone.Quiet),
        VmState.Paused => new("Paused", "pause", Tone.Attention),
        VmState.Migrating => new("Migrating", "swap-horiz", Tone.Busy),
        VmState.Restorable => new("Deleted, restorable", "undo", Tone.Attention),
        VmState.Deleting => new("Deleting", "autorenew", Tone.Busy),
        VmState.Deleted => new("Deleted", "close", Tone.Quiet),
        VmState.Failed => new("Failed", "error-outline", Tone.Bad),
        VmState.Lost => new("Lost", "link-off", Tone.Bad, OfSilence: true),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(QuotaRequestState state) => state switch
    {
        QuotaRequestState.Open => new("Waits for an answer", "hourglass-top", Tone.Attention),
        QuotaRequestState.Granted => new("Granted", "check", Tone.Good),
        QuotaRequestState.Refused => new("Refused", "close", Tone.Bad),
        QuotaRequestState.Withdrawn => new("Withdrawn", "undo", Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(ElevationState state) => state switch
    {
        ElevationState.Asked => new("Waits for a second person", "hourglass-top", Tone.Attention),
        ElevationState.Approved => new("Counts now", "check", Tone.Good),
        ElevationState.Refused => new("Refused", "close", Tone.Bad),
        ElevationState.Withdrawn => new("Withdrawn", "undo", Tone.Quiet),
        ElevationState.Ended => new("Given back", "undo", Tone.Quiet),
        ElevationState.Over => new("Over", "check", Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(SnapshotState state) => state switch
    {
        SnapshotState.Taking => new("Being taken", "autorenew", Tone.Busy),
        SnapshotState.Available => new("Available", "check", Tone.Good),
        SnapshotState.Reverting => new("Going back to it", "autorenew", Tone.Busy),
        SnapshotState.Removing => new("Being deleted", "autorenew", Tone.Busy),
        SnapshotState.Failed => new("Failed", "error-outline", Tone.Bad),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(VolumeState state) => state switch
    {
        VolumeState.Creating => new("Creating", "autorenew", Tone.Busy),
        VolumeState.Available => new("Available", "radio-button-unchecked", Tone.Quiet),
        VolumeState.Attaching => new("Attaching", "autorenew", Tone.Busy),
        VolumeState.Attached => new("Attached", "check", Tone.Good),
        VolumeState.Detaching => new("Detaching", "autorenew", Tone.Busy),
        VolumeState.Deleting => new("Deleting", "autorenew", Tone.Busy),
        VolumeState.Deleted => new("Deleted", "close", Tone.Quiet),
        VolumeState.Failed => new("Failed", "error-outline", Tone.Bad),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    /// <param name="plugged">The running machine has it; null while it is off, or where nothing is known.</param>
    public static StateLook Of(InterfaceState state, bool? plugged) => state switch
    {
        InterfaceState.Adding => new("Being added", "autorenew", Tone.Busy),
        InterfaceState.Removing => new("Being removed", "autorenew", Tone.Busy),
        InterfaceState.Present when plugged is null => new("Present", "radio-button-unchecked", Tone.Quiet),
        InterfaceState.Present when plugged is false => new("At the next start", "hourglass-top", Tone.Attention),
        InterfaceState.Present => new("Plugged in", "check", Tone.Good),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(HostState state) => state switch
    {
        HostState.Enrolling => new("Enrolling", "hourglass-top", Tone.Busy),
        HostState.Ready => new("Ready", "check", Tone.Good),
        HostState.Lost => new("Lost", "link-off", Tone.Bad, OfSilence: true),
        HostState.Quarantined => new("Quarantined", "pan-tool", Tone.Attention),
        HostState.Retired => new("Retired", "close", Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(OperationState state) => state switch
    {
        OperationState.Pending => new("Pending", "hourglass-empty", Tone.Busy),
        OperationState.Running => new("Running", "autorenew", Tone.Busy),
        OperationState.Cancelling => new("Cancelling", "undo", Tone.Attention),
        OperationState.Succeeded => new("Succeeded", "check", Tone.Good),
        OperationState.Failed => new("Failed", "error-outline", Tone.Bad),
        OperationState.Cancelled => new("Cancelled", "close", Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(StepState state) => state switch
    {
        StepState.Pending => new("Pending", "radio-button-unchecked", Tone.Quiet),
        StepState.Running => new("Running", "autorenew", Tone.Busy),
        StepState.Done => new("Done", "check", Tone.Good),
        StepState.Failed => new("Failed", "error-outline", Tone.Bad),
        StepState.Skipped => new("Skipped", "remove", Tone.Quiet),
        StepState.Undone => new("Undone", "undo", Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(AgentRollState state) => state switch
    {
        AgentRollState.Waiting => new("Waiting", "hourglass-empty", Tone.Quiet),
        AgentRollState.Told => new("Fetching", "autorenew", Tone.Busy),
        AgentRollState.Starting => new("Starting", "autorenew", Tone.Busy),
        AgentRollState.Done => new("Done", "check", Tone.Good),
        AgentRollState.LeftOut => new("Left out", "remove", Tone.Attention),
        AgentRollState.Failed => new("Failed", "error-outline", Tone.Bad),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook OfFacility(bool ready) => ready ? new("Ready", "check", Tone.Good) : new("Not ready", "error-outline", Tone.Bad);

    public static StateLook Of(ImageState state) => state switch
    {
        ImageState.AwaitingContent => new("Awaiting content", "hourglass-top", Tone.Attention),
        ImageState.Ready => new("Ready", "check", Tone.Good),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    /// <summary>How a guest is executed, where it is not plain hardware virtualization; null otherwise.</summary>
    public static (string Label, string Explanation)? Of(Acceleration? acceleration) => acceleration switch
    {
        Acceleration.Qemu => ("emulated", "Software emulation (TCG): correct and slow, because the host has no working KVM."),
        Acceleration.Simulated => ("simulated", "No guest is executed: the host is simulated."),
        _ => null,
    };
}
