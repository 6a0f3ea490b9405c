using Plinth.Core.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>What is wrong with a VM beyond what its state says, and what to do about it.</summary>
/// <param name="Code">Stable: "storage_full", "storage_failed", "crashed" or "guest_silent".</param>
/// <param name="Since">There was no answer of the guest agent since; null where that is not the trouble.</param>
public sealed record VmTrouble(string Code, string Sentence, string Remedy, DateTimeOffset? Since = null)
{
    /// <summary>Read from the last report; null where nothing is wrong, or nothing is known.</summary>
    public static VmTrouble? Of(VmState state, ObservedMachine? seen, string host) => seen switch
    {
        { Domain: DomainState.Paused, Pause: PauseReason.StorageFull } when state is VmState.Paused or VmState.Starting => new(
            "storage_full", $"The storage of {host} is full: the machine stands still before the guest's next write. Nothing is lost.",
            $"Free space in its storage class on {host} (delete VMs, volumes or images that nobody needs), then resume the VM: the write is tried again."),
        { Domain: DomainState.Paused, Pause: PauseReason.StorageFailed } when state is VmState.Paused or VmState.Starting => new(
            "storage_failed", $"{host} could not read or write the machine's disk: the machine stands still before the guest notices.",
            $"Look at the storage of {host} (its kernel log says what failed). Once it is mended, resume the VM: the access is tried again."),
        { Domain: DomainState.Off, Off: OffReason.Crashed } when state is VmState.Stopped or VmState.Failed => new(
            "crashed", "The machine crashed: its process ended, or the guest's kernel gave up. Its disk is as after a power cut.",
            $"The end of its serial console may show why, and /var/log/libvirt/qemu on {host} has QEMU's own words. Start it to have it back."),
        { Domain: DomainState.Running, GuestSilentSince: { } since } when state == VmState.Running => new(
            "guest_silent", "The machine runs, but its guest agent has stopped answering: the guest hangs, or the agent in it has ended.",
            "Look at the VNC console. If the guest is well, start qemu-guest-agent in it again; if it hangs, reboot the VM by force. Until then addresses are those of the last answer, and a stop presses the power button.", since),
        _ => null,
    };
}
