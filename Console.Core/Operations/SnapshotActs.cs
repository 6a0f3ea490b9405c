using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>What people ask of snapshots, judged; pure. A one-shot command carries each act, and its outcome is the snapshot's.</summary>
public static class SnapshotActs
{
    /// <summary>They share the disk's file, and each makes it larger.</summary>
    public const int MaxPerVm = 8;

    /// <summary>Whether there is memory that could go with it: that of a machine that is on.</summary>
    public static bool HasMemory(VmState state) => state is VmState.Running or VmState.Paused;

    public static bool IsBusy(VmSnapshot snapshot) => snapshot.State is SnapshotState.Taking or SnapshotState.Reverting or SnapshotState.Removing;

    /// <param name="snapshots">How many it has.</param>
    /// <param name="volumes">How many are attached to it.</param>
    public static Refusal? WhyNotTake(VmState state, int snapshots, int volumes, GuestFirmware firmware)
    {
        // Their variables and state are files of their own, which libvirt's internal snapshots leave out.
        if (firmware.Kind == FirmwareKind.Uefi || firmware.Tpm)
            return Refusal.Conflict("firmware_state", $"The VM boots with {firmware}: what UEFI and a TPM remember is not part of a snapshot, so none is taken.");
        if (state is not (VmState.Running or VmState.Paused or VmState.Stopped))
            return Refusal.Conflict("vm_not_settled", $"The VM is {VmLifecycle.Word(state)}; a snapshot is taken of one that is running, paused or stopped.");
        if (Volumes(volumes) is { } attached) return attached;
        return snapshots >= MaxPerVm
            ? Refusal.Conflict("too_many_snapshots", $"The VM has {snapshots} snapshots; at most {MaxPerVm} are possible. Delete one first.")
            : null;
    }

    /// <param name="size">What the VM has now.</param>
    /// <param name="interfaces">MAC addresses of the interfaces that it has now.</param>
    public static Refusal? WhyNotRevert(VmSnapshot snapshot, VmState state, MachineSize size, int volumes, IReadOnlyList<string> interfaces)
    {
        if (snapshot.State != SnapshotState.Available) return NotThere(snapshot);
        if (state != VmState.Stopped) return Refusal.Conflict("vm_not_stopped", $"The VM is {VmLifecycle.Word(state)}; stop it first. What it has written since {snapshot.Name} was taken is lost by going back.");
        if (Volumes(volumes) is { } attached) return attached;
        if (!snapshot.WithMemory) return null;
        if (new MachineSize(snapshot.Vcpus, snapshot.MemoryMib) != size)
            return Refusal.Conflict("other_size", $"The memory in {snapshot.Name} is that of a machine with {snapshot.Vcpus} vCPU and {snapshot.MemoryMib} MiB; the VM has {size.Vcpus} vCPU and {size.MemoryMib} MiB. Resize it to that first.");
        // A running guest cannot find other devices than it had, and another VM may have the address of one that is gone.
        return snapshot.Interfaces is { } then && !then.ToHashSet().SetEquals(interfaces)
            ? Refusal.Conflict("other_interfaces", $"The memory in {snapshot.Name} is that of a machine with other interfaces ({Listed(then)}; the VM has {Listed(interfaces)}). {Mending(then, interfaces)}")
            : null;
    }

    public static Refusal? WhyNotRemove(VmSnapshot snapshot, VmState state) =>
        IsBusy(snapshot) ? NotThere(snapshot)
        : state is VmState.Running or VmState.Paused or VmState.Stopped or VmState.Failed ? null
        : Refusal.Conflict("vm_not_settled", $"The VM is {VmLifecycle.Word(state)}; a snapshot is deleted while it is running, paused or stopped.");

    /// <summary>The snapshot after its operation has ended; null where it is gone.</summary>
    /// <param name="command">What the host answered; null where it did not.</param>
    public static VmSnapshot? Ended(VmSnapshot snapshot, OperationRecord operation, CommandOutcome? command)
    {
        var done = operation.State == OperationState.Succeeded;
        return snapshot.State switch
        {
            SnapshotState.Removing when done => null,
            SnapshotState.Taking when !done => snapshot with { State = SnapshotState.Failed, Reason = operation.Reason },
            SnapshotState.Taking => snapshot with { State = SnapshotState.Available, Reason = "", How = command?.Message ?? "" },
            SnapshotState.Reverting or SnapshotState.Removing => snapshot with { State = SnapshotState.Available, Reason = done ? "" : operation.Reason },
            _ => snapshot,
        };
    }

    private static Refusal? Volumes(int volumes) => volumes > 0
        ? Refusal.Conflict("volumes_attached", $"The VM has {volumes} volume{(volumes == 1 ? "" : "s")} attached, and a snapshot covers its own disk only: the two would not fit together. Detach {(volumes == 1 ? "it" : "them")} first.")
        : null;

    private static string Listed(IReadOnlyList<string> interfaces) => interfaces.Count == 0 ? "none" : string.Join(", ", interfaces.Order(StringComparer.Ordinal));

    private static string Mending(IReadOnlyList<string> then, IReadOnlyList<string> now)
    {
        var (came, went) = (now.Except(then).ToArray(), then.Except(now).ToArray());
        return (came.Length > 0 ? $"Remove {Listed(came)} first. " : "") + (went.Length > 0 ? $"Add {Listed(went)} again first." : "").TrimEnd();
    }

    private static Refusal NotThere(VmSnapshot snapshot) => Refusal.Conflict("snapshot_not_available", snapshot.State == SnapshotState.Failed
        ? $"The snapshot {snapshot.Name} was not taken: {snapshot.Reason} Delete it."
        : $"The snapshot {snapshot.Name} is being worked on; wait until that has ended.");
}
