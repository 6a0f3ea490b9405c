using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;

namespace Plinth.Core.Operations;

/// <summary>What an accepted act changes: the volume's wish and state, the operation it replaces, the one it begins.</summary>
public sealed record VolumeAct(VolumeRecord Volume, OperationRecord? Superseded, OperationRecord Operation);

/// <summary>The VM that a volume is to be attached to.</summary>
/// <param name="Volumes">How many it has.</param>
public sealed record AttachTarget(VmId Vm, string Name, VmState State, HostId? Host, string? HostName, int Volumes);

/// <summary>What people ask of a volume, judged and turned into a wish; pure.</summary>
public static class VolumeActs
{
    /// <summary>Each machine has so many free ports for disks that come while it runs.</summary>
    public const int MaxVolumesPerVm = 8;

    /// <summary>Why the volume cannot be attached to this VM; null where it can.</summary>
    public static Refusal? WhyNot(AttachTarget vm, HostId host, string hostName)
    {
        if (vm.State is not (VmState.Running or VmState.Stopped or VmState.Paused or VmState.Starting or VmState.Stopping))
            return Refusal.Conflict("vm_not_ready", $"{vm.Name} is {VmLifecycle.Word(vm.State)}; a volume is attached to a VM that runs or is stopped.") with { Field = "vm" };
        if (vm.Host != host)
            return Refusal.Conflict("other_host", $"The volume is on {hostName}, {vm.Name} is on {vm.HostName}; a volume is attached on its own host. Create one on {vm.HostName} for it.") with { Field = "vm" };
        return vm.Volumes >= MaxVolumesPerVm
            ? Refusal.Conflict("too_many_volumes", $"{vm.Name} has {vm.Volumes} volumes; at most {MaxVolumesPerVm} are possible. Detach one first.") with { Field = "vm" }
            : null;
    }

    public static Result<VolumeAct> Attach(VolumeRecord volume, OperationRecord? current, AttachTarget vm, string by, Generation next, DateTimeOffset now) =>
        WhyNot(vm, volume.Host, volume.HostName) is { } no && VolumeLifecycle.Next(volume.State, VolumeEvent.AttachAsked).Succeeded
            ? no
            : Ask(volume with { VmName = vm.Name }, current, OperationKind.AttachVolume, VolumeEvent.AttachAsked, vm.Vm, by, next, now);

    public static Result<VolumeAct> Detach(VolumeRecord volume, OperationRecord? current, string by, Generation next, DateTimeOffset now) =>
        Ask(volume, current, OperationKind.DetachVolume, VolumeEvent.DetachAsked, null, by, next, now);

    public static Result<VolumeAct> Delete(VolumeRecord volume, OperationRecord? current, string by, Generation next, DateTimeOffset now) =>
        Ask(volume, current, OperationKind.DeleteVolume, VolumeEvent.DeleteAsked, null, by, next, now);

    /// <summary>Larger only: what lies behind the new end would be lost.</summary>
    public static Result<VolumeAct> Resize(VolumeRecord volume, OperationRecord? current, int sizeGib, string by, Generation next, DateTimeOffset now) =>
        sizeGib <= volume.SizeGib
            ? Refusal.Invalid("sizeGib", "not_larger", $"The volume has {volume.SizeGib} GiB; it can only become larger. Choose {volume.SizeGib + 1} GiB or more.")
            : Ask(volume with { SizeGib = sizeGib }, current, OperationKind.ResizeVolume, VolumeEvent.ResizeAsked, volume.Vm, by, next, now);

    private static Result<VolumeAct> Ask(VolumeRecord volume, OperationRecord? current, OperationKind kind, VolumeEvent e, VmId? vm, string by, Generation next, DateTimeOffset now)
    {
        var moved = VolumeLifecycle.Next(volume.State, e);
        if (!moved.Succeeded) return Result<VolumeAct>.No(moved.Refusals);
        var underWay = current is { IsFinished: false } ? current : null;
        // A deletion ends whatever is under way, a detach the attach before it; all else waits its turn.
        var takesOver = kind == OperationKind.DeleteVolume || (kind == OperationKind.DetachVolume && underWay?.Kind == OperationKind.AttachVolume);
        if (underWay is not null && !takesOver)
            return Refusal.Conflict("operation_under_way", $"“{OperationSteps.Title(underWay.Kind)}” is under way on this volume; wait until it has ended.");
        var changed = volume with { State = moved.Value, Reason = moved.Value == volume.State ? volume.Reason : VolumeLifecycle.Sentence(moved.Value), Vm = vm };
        return new VolumeAct(changed, underWay is null ? null : OperationProgress.Supersede(underWay, kind, now), OperationProgress.Begin(kind, by, next, 0, now));
    }
}
