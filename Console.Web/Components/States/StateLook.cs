using MudBlazor;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;

namespace Plinth.Web.Components.States;

/// <summary>What a state means for whoever looks: colours are chosen from this in one place (app.css, <c>.tone-*</c>).</summary>
public enum Tone { Good, Busy, Attention, Bad, Quiet }

/// <summary>How a state is shown: its word, its icon and its tone. Never colour alone.</summary>
public sealed record StateLook(string Text, string Icon, Tone Tone)
{
    public string CssClass => "tone-" + Tone.ToString().ToLowerInvariant();

    public static StateLook Of(VmState state) => state switch
    {
        VmState.Requested => new("requested", Icons.Material.Rounded.HourglassEmpty, Tone.Busy),
        VmState.Waiting => new("waiting", Icons.Material.Rounded.HourglassTop, Tone.Attention),
        VmState.Creating => new("creating", Icons.Material.Rounded.Autorenew, Tone.Busy),
        VmState.Starting => new("starting", Icons.Material.Rounded.Autorenew, Tone.Busy),
        VmState.Running => new("running", Icons.Material.Rounded.PlayArrow, Tone.Good),
        VmState.Stopping => new("stopping", Icons.Material.Rounded.Autorenew, Tone.Busy),
        VmState.Stopped => new("stopped", Icons.Material.Rounded.Stop, Tone.Quiet),
        VmState.Paused => new("paused", Icons.Material.Rounded.Pause, Tone.Attention),
        VmState.Migrating => new("migrating", Icons.Material.Rounded.SwapHoriz, Tone.Busy),
        VmState.Deleting => new("deleting", Icons.Material.Rounded.Autorenew, Tone.Busy),
        VmState.Deleted => new("deleted", Icons.Material.Rounded.Close, Tone.Quiet),
        VmState.Failed => new("failed", Icons.Material.Rounded.ErrorOutline, Tone.Bad),
        VmState.Lost => new("lost", Icons.Material.Rounded.LinkOff, Tone.Bad),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(HostState state) => state switch
    {
        HostState.Enrolling => new("enrolling", Icons.Material.Rounded.HourglassTop, Tone.Busy),
        HostState.Ready => new("ready", Icons.Material.Rounded.Check, Tone.Good),
        HostState.Lost => new("lost", Icons.Material.Rounded.LinkOff, Tone.Bad),
        HostState.Quarantined => new("quarantined", Icons.Material.Rounded.PanTool, Tone.Attention),
        HostState.Retired => new("retired", Icons.Material.Rounded.Close, Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(OperationState state) => state switch
    {
        OperationState.Pending => new("pending", Icons.Material.Rounded.HourglassEmpty, Tone.Busy),
        OperationState.Running => new("running", Icons.Material.Rounded.Autorenew, Tone.Busy),
        OperationState.Cancelling => new("cancelling", Icons.Material.Rounded.Undo, Tone.Attention),
        OperationState.Succeeded => new("succeeded", Icons.Material.Rounded.Check, Tone.Good),
        OperationState.Failed => new("failed", Icons.Material.Rounded.ErrorOutline, Tone.Bad),
        OperationState.Cancelled => new("cancelled", Icons.Material.Rounded.Close, Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(StepState state) => state switch
    {
        StepState.Pending => new("pending", Icons.Material.Rounded.RadioButtonUnchecked, Tone.Quiet),
        StepState.Running => new("running", Icons.Material.Rounded.Autorenew, Tone.Busy),
        StepState.Done => new("done", Icons.Material.Rounded.Check, Tone.Good),
        StepState.Failed => new("failed", Icons.Material.Rounded.ErrorOutline, Tone.Bad),
        StepState.Skipped => new("skipped", Icons.Material.Rounded.Remove, Tone.Quiet),
        StepState.Undone => new("undone", Icons.Material.Rounded.Undo, Tone.Quiet),
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    public static StateLook Of(ImageState state) => state switch
    {
        ImageState.AwaitingContent => new("awaiting content", Icons.Material.Rounded.HourglassTop, Tone.Attention),
        ImageState.Ready => new("ready", Icons.Material.Rounded.Check, Tone.Good),
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
