using Plinth.Core.Primitives;

namespace Plinth.Core.Storage;

/// <summary>The states a person sees; see <see cref="VolumeLifecycle"/> for the sentence and the moves of each.</summary>
public enum VolumeState { Creating, Available, Attaching, Attached, Detaching, Deleting, Deleted, Failed }

/// <summary>What moves a volume. Acts of people end in "Asked"; everything else was observed.</summary>
public enum VolumeEvent
{
    AttachAsked, DetachAsked, ResizeAsked, DeleteAsked,
    /// <summary>The host has it, attached to nothing, as wished.</summary>
    Free,
    /// <summary>The host has it, attached to the VM that was wished.</summary>
    Plugged,
    /// <summary>The host has lost it.</summary>
    Missing,
    /// <summary>The VM that it was attached to is gone.</summary>
    VmGone,
    StepFailed, Gone,
}

/// <summary>The volume lifecycle as a table. Total: every state answers every event, by a state or by a refusal.</summary>
public static class VolumeLifecycle
{
    public static string Sentence(VolumeState state) => state switch
    {
        VolumeState.Creating => "The host makes the volume.",
        VolumeState.Available => "Ready to be attached to a VM on its host.",
        VolumeState.Attaching => "The host attaches it to the VM.",
        VolumeState.Attached => "The VM has it as a disk.",
        VolumeState.Detaching => "The guest was asked to release it.",
        VolumeState.Deleting => "The volume and what is on it are being removed.",
        VolumeState.Deleted => "The volume and what was on it are gone.",
        VolumeState.Failed => "It could not be made or was lost on its host; the reason is with it.",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    /// <summary>Where the volume takes room on its host: from accepted until gone.</summary>
    public static bool HoldsCapacity(VolumeState state) => state != VolumeState.Deleted;

    /// <summary>The state after <paramref name="e"/>. Observations that tell nothing new leave the state as it is; acts that make no sense are refused.</summary>
    public static Result<VolumeState> Next(VolumeState state, VolumeEvent e) => (state, e) switch
    {
        (VolumeState.Deleted, VolumeEvent.AttachAsked or VolumeEvent.DetachAsked or VolumeEvent.ResizeAsked or VolumeEvent.DeleteAsked) => Refusal.Conflict("volume_deleted", "The volume is deleted."),
        (VolumeState.Deleted, _) => VolumeState.Deleted,
        (VolumeState.Deleting, VolumeEvent.Gone) => VolumeState.Deleted,
        (VolumeState.Deleting, VolumeEvent.AttachAsked or VolumeEvent.DetachAsked or VolumeEvent.ResizeAsked or VolumeEvent.DeleteAsked) => Refusal.Conflict("volume_deleting", "The volume is being deleted."),
        (VolumeState.Deleting, _) => VolumeState.Deleting,

        (VolumeState.Attaching or VolumeState.Attached or VolumeState.Detaching, VolumeEvent.DeleteAsked) => Refusal.Conflict("volume_attached", $"The volume is {Word(state)}; detach it first."),
        (_, VolumeEvent.DeleteAsked) => VolumeState.Deleting,

        (VolumeState.Available, VolumeEvent.AttachAsked) => VolumeState.Attaching,
        (VolumeState.Attached, VolumeEvent.AttachAsked) => Refusal.Conflict("volume_attached", "The volume is attached already; detach it first."),
        (VolumeState.Attaching or VolumeState.Attached, VolumeEvent.DetachAsked) => VolumeState.Detaching,
        (VolumeState.Available, VolumeEvent.DetachAsked) => Refusal.Conflict("volume_not_attached", "The volume is attached to no VM."),
        (VolumeState.Available or VolumeState.Attached, VolumeEvent.ResizeAsked) => state,
        (VolumeState.Failed, VolumeEvent.AttachAsked or VolumeEvent.DetachAsked or VolumeEvent.ResizeAsked) => Refusal.Conflict("volume_failed", "The volume has failed; the reason is with it. Delete it and create it again."),
        (_, VolumeEvent.AttachAsked or VolumeEvent.DetachAsked or VolumeEvent.ResizeAsked) => Refusal.Conflict("volume_busy", $"The volume is {Word(state)}; wait until that has ended."),

        (VolumeState.Creating, VolumeEvent.StepFailed) => VolumeState.Failed,
        (VolumeState.Attaching, VolumeEvent.StepFailed) => VolumeState.Available,
        (VolumeState.Detaching, VolumeEvent.StepFailed) => VolumeState.Attached,
        (VolumeState.Attaching or VolumeState.Attached or VolumeState.Detaching, VolumeEvent.VmGone) => VolumeState.Available,
        (VolumeState.Creating or VolumeState.Detaching or VolumeState.Attached or VolumeState.Failed, VolumeEvent.Free) => VolumeState.Available,
        (VolumeState.Creating or VolumeState.Attaching or VolumeState.Failed, VolumeEvent.Plugged) => VolumeState.Attached,
        (VolumeState.Available or VolumeState.Attaching or VolumeState.Attached or VolumeState.Detaching, VolumeEvent.Missing) => VolumeState.Failed,
        (_, VolumeEvent.Free or VolumeEvent.Plugged or VolumeEvent.Missing or VolumeEvent.VmGone or VolumeEvent.StepFailed or VolumeEvent.Gone) => state,
        _ => throw new ArgumentOutOfRangeException(nameof(e), e, $"in state {state}"),
    };

    /// <summary>The state as people read it: "available".</summary>
    public static string Word(VolumeState state) => state.ToString().ToLowerInvariant();
}
