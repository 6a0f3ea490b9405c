using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

/// <summary>The refusals that every implementation of <see cref="IHypervisor"/> gives in the same words and with the same codes.</summary>
internal static class Refusals
{
    public static HypervisorException Unreachable(string what, Exception? cause = null) =>
        new("unreachable", $"The hypervisor does not answer: {what}", cause: cause);

    public static HypervisorException DomainMissing(VmId vm) =>
        new("domain_missing", $"VM {vm} is not defined on this host; define it first.");

    public static HypervisorException DomainRunning(VmId vm) =>
        new("domain_running", $"VM {vm} is running; switch it off before its definition or its disks are removed.");

    public static HypervisorException DomainOff(VmId vm) =>
        new("domain_off", $"VM {vm} is off; start it first.");

    public static HypervisorException DomainOn(VmId vm) =>
        new("domain_on", $"VM {vm} is on; switch it off first.");

    public static HypervisorException OtherDisk(VmId vm, long generation) =>
        new("other_disk", $"VM {vm} does not have its disk number {generation} on this host; nothing of it is removed.");

    public static HypervisorException SourceGone(DiskSource source) =>
        new("source_gone", $"The VM {source.Name}, whose disk was to be copied, is not on this host any more. Delete this VM, and clone another one.", final: true);

    public static HypervisorException SourceChanged(DiskSource source) =>
        new("source_changed", $"The VM {source.Name} was rebuilt since this clone was asked for: its disk is another one now. Delete this VM, and clone it again.", final: true);

    public static HypervisorException SourceRunning(DiskSource source) =>
        new("source_running", $"The VM {source.Name} is on: its disk is copied once it is off. Stop it.");

    public static HypervisorException SnapshotMissing(VmId vm, SnapshotId snapshot) =>
        new("snapshot_missing", $"VM {vm} has no snapshot {snapshot} on this host; delete it in the console.", final: true);

    public static HypervisorException HasVolumes(VmId vm) =>
        new("volumes_attached", $"VM {vm} has volumes, which a snapshot does not cover; detach them first.");

    public static HypervisorException DiskMissing(VmId vm, string disk) =>
        new("disk_missing", $"VM {vm} cannot start: its {disk} does not exist on this host; it has to be made first.");

    public static HypervisorException PoolMissing(string name) =>
        new("pool_missing", $"The storage class '{name}' has no pool on this host; the pool has to be made first.");

    public static HypervisorException NetworkMissing(NetworkId network) =>
        new("network_missing", $"The network {network} is not configured on this host; it has to be made first.");

    public static HypervisorException VolumeAttached(VolumeId volume) =>
        new("volume_attached", $"The volume {volume} is attached to a machine; it has to be detached before it is removed.");

    public static HypervisorException VolumeMissing(VolumeId volume) =>
        new("volume_missing", $"The volume {volume} does not exist on this host; it has to be made first.");

    public static HypervisorException Invalid(string field, string message) =>
        new("invalid_" + field, message, final: true);
}
