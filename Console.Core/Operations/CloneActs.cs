using Plinth.Core.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Core.Operations;

/// <summary>What people ask of a VM that is to be copied, judged; pure. The copy itself is a create whose disk comes from another VM.</summary>
public static class CloneActs
{
    /// <summary>Why the VM's root disk cannot be copied in this state; null where it can.</summary>
    public static Refusal? WhyNot(VmState state, string? hostName) => state switch
    {
        VmState.Stopped when hostName is not null => null,
        VmState.Running or VmState.Paused or VmState.Starting or VmState.Stopping =>
            Refusal.Conflict("vm_not_stopped", $"The VM is {VmLifecycle.Word(state)}: its disk would be copied while the guest writes to it. Stop it first; it can be started again once the copy is made."),
        _ => Refusal.Conflict("vm_not_settled", $"The VM is {VmLifecycle.Word(state)}; one that is stopped can be cloned."),
    };

    /// <summary>The disk is still to be copied, or is being copied.</summary>
    public static bool NeedsSource(OperationRecord clone) =>
        clone is { Kind: OperationKind.CloneVm, State: OperationState.Pending or OperationState.Running } && clone.Steps.First(s => s.Kind == StepKind.Disk).State != StepState.Done;

    /// <summary>Whether the source has to be left alone for this while it is copied: what would write to its disk, or take it away.</summary>
    public static bool Disturbs(OperationKind kind) => kind is OperationKind.StartVm or OperationKind.RebuildVm or OperationKind.DeleteVm || OperationSteps.IsOfSnapshot(kind);

    /// <param name="into">The clone's name.</param>
    public static Refusal BeingCloned(string into) =>
        Refusal.Conflict("vm_being_cloned", $"The VM's disk is being copied into {into}; wait until that has ended, or cancel it on the page of {into}.");
}
