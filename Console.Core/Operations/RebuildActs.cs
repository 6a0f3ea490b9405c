using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>
/// A rebuild judged, and how it ends; pure. The wish is kept beside what the machine has until a report shows which of the two it has:
/// nothing is given up that a host may have done meanwhile, and nothing is taken for done that it has not shown.
/// </summary>
public static class RebuildActs
{
    /// <summary>Why the VM gets no fresh disk in this state; null where it can.</summary>
    public static Refusal? WhyNot(VmState state, string? hostName) =>
        state is not (VmState.Running or VmState.Paused or VmState.Stopped or VmState.Failed)
            ? Refusal.Conflict("vm_not_settled", $"The VM is {VmLifecycle.Word(state)}; one that is running, paused, stopped or failed can be rebuilt.")
        : hostName is null ? Refusal.Conflict("vm_not_placed", $"The VM is {VmLifecycle.Word(state)} and has no host; delete it and create it again.")
        : null;

    /// <summary>Why a former rebuild is in the way; null where none is.</summary>
    public static Refusal? Unsettled(VmSpec spec, string hostName) => spec.Rebuild is null
        ? null
        : Refusal.Conflict("rebuild_unsettled", $"The last rebuild was given up, and {hostName} has not told yet whether it had done it; ask again once it has reported.");

    /// <summary>What the image needs and this VM does not have; the disk keeps its size.</summary>
    public static void CheckImage(RefusalList refusals, Image image, Resources size)
    {
        if (size.DiskGib < image.MinDiskGib)
            refusals.Invalid("image", "disk_too_small", $"The image {image.Name} needs a disk of at least {image.MinDiskGib} GiB; this VM's root disk has {size.DiskGib} GiB and keeps its size. Choose another image, or create a VM with {image.MinDiskGib} GiB.");
        if (size.MemoryMib < image.MinMemoryMib)
            refusals.Invalid("image", "memory_too_small", $"The image {image.Name} needs at least {image.MinMemoryMib} MiB of memory; this VM has {size.MemoryMib} MiB. Resize it to {image.MinMemoryMib} MiB or more first.");
    }

    /// <summary>The specification that the host is to make so.</summary>
    public static VmSpec Wished(VmSpec spec) => spec.Rebuild is { Wanted: true } ? Rebuilt(spec) : spec;

    /// <summary>The machine may keep its former disk: the rebuild has failed before the host took the former one away.</summary>
    public static bool IsGivenUp(OperationRecord operation) =>
        operation is { Kind: OperationKind.RebuildVm, State: OperationState.Failed or OperationState.Cancelled } && operation.Steps.First(s => s.Kind == StepKind.Rebuilt).State != StepState.Done;

    /// <summary>The specification once a report has shown which disk the machine has; the same while none has.</summary>
    /// <param name="answers">The report answers the newest wish.</param>
    public static VmSpec Settle(VmSpec spec, ObservedMachine seen, bool answers) => spec.Rebuild switch
    {
        null => spec,
        { } rebuild when seen.Disk == rebuild.Generation => Rebuilt(spec) with { Rebuild = null },
        { Wanted: false } when answers => spec with { Rebuild = null },
        _ => spec,
    };

    private static VmSpec Rebuilt(VmSpec spec) => spec.Rebuild is not { } rebuild ? spec : spec with
    {
        Image = rebuild.Image, UserName = rebuild.UserName, SshKeys = rebuild.SshKeys, UserData = rebuild.UserData,
        Hostname = rebuild.Hostname == spec.Name ? null : rebuild.Hostname, DiskGeneration = rebuild.Generation, Source = null,
    };
}
