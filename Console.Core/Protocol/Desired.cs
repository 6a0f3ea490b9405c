using System.Text.Json.Serialization;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;

namespace Plinth.Core.Protocol;

/// <summary>
/// Everything that should durably exist on one host. Whole each time, stamped with a generation.
/// Absence destroys nothing: what should go is named by a <see cref="Tombstone"/>.
/// </summary>
public sealed record DesiredHostState(
    Generation Generation,
    [property: JsonPropertyName("storageClasses")] IReadOnlyList<PoolConfig> Pools,
    IReadOnlyList<NetworkConfig> Networks,
    IReadOnlyList<DesiredMachine> Machines,
    IReadOnlyList<Tombstone> Tombstones,
    IReadOnlyList<DesiredVolume>? Volumes = null,
    IReadOnlyList<VolumeId>? VolumeTombstones = null);

/// <summary>A pool that the host should have. On the wire it has kept the name it had when each storage class was a pool.</summary>
public sealed record PoolConfig(StorageClassId Id, string Name, PoolKind Kind);

/// <param name="Bridge">Name of the bridge on the host, at most 15 characters.</param>
/// <param name="Overlay">How its segment reaches other hosts; null for a network of this host alone.</param>
public sealed record NetworkConfig(NetworkId Id, string Name, NetworkKind Kind, string Cidr, string Bridge, OverlayConfig? Overlay = null);

/// <param name="Peers">Tunnel addresses of the other hosts that have guests on the network.</param>
/// <param name="Names">Every guest on the network, on whatever host.</param>
/// <param name="Rules">What may come in from outside the network, to every guest on it.</param>
public sealed record OverlayConfig(int Vni, int Mtu, IReadOnlyList<string> Peers, IReadOnlyList<GuestName> Names, IReadOnlyList<PortRule> Rules);

/// <summary>A guest's interface on one network.</summary>
public sealed record GuestName(string Name, string Address, string Mac);

/// <summary>One VM as its host should have it.</summary>
/// <param name="PowerGeneration">Raised each time a person asks for a start or a stop. A domain that went off by itself
/// after having been started for this number is not started again; the console decides.</param>
/// <param name="StopDeadlineSeconds">How long the guest may take to shut down before it is switched off; 0 switches off at once.</param>
/// <param name="Firmware">Null means BIOS.</param>
public sealed record DesiredMachine(
    VmId Vm,
    ProjectId Project,
    string Name,
    int Vcpus,
    int MemoryMib,
    IReadOnlyList<DesiredDisk> Disks,
    IReadOnlyList<DesiredNic> Nics,
    Seed Seed,
    bool HasGuestAgent,
    DesiredPower Power,
    long PowerGeneration,
    int StopDeadlineSeconds,
    GuestFirmware? Firmware = null)
{
    [JsonIgnore]
    public MachineSize Size => new(Vcpus, MemoryMib);

    /// <summary>Which of its root disks it should have.</summary>
    [JsonIgnore]
    public long DiskGeneration => Seed.Generation;
}

/// <param name="Serial">Seen by the guest as the disk's serial; at most 20 characters; unique in the VM ("root").</param>
/// <param name="Image">The image under the overlay; null for an empty disk.</param>
/// <param name="Limits">How much it may do in a second; null for as much as it can.</param>
/// <param name="Generation">Rises with each rebuild: each is a file of its own, and the one before is kept until the machine has the new one.</param>
/// <param name="Source">The disk that this one is a whole copy of; null for one that is made from the image, or empty.</param>
public sealed record DesiredDisk(string Serial, [property: JsonPropertyName("storageClass")] string Pool, int SizeGib, ImageReference? Image, IoLimits? Limits = null, long Generation = 0, DiskSource? Source = null);

/// <summary>The disk of the same serial of another VM on the host, which is off while it is copied.</summary>
/// <param name="Name">The VM's, for people.</param>
public sealed record DiskSource(VmId Vm, string Name, long Generation);

/// <param name="Digest">"sha256:" + 64 hex digits; the bytes are fetched by it from the console.</param>
public sealed record ImageReference(ImageId Id, string Digest, long SizeBytes, string Format);

/// <summary>One volume as its host should have it: a disk of at least that size, attached to that VM and to no other.</summary>
/// <param name="Serial">Seen by the guest as the disk's serial; unique on the host.</param>
/// <param name="Vm">The VM it is attached to; null for none.</param>
/// <param name="Made">The console has seen it. Should it be missing now, it is not made anew: that would hide the loss.</param>
/// <param name="Limits">How much it may do in a second; null for as much as it can.</param>
public sealed record DesiredVolume(
    VolumeId Volume, ProjectId Project, string Name, string Serial, [property: JsonPropertyName("storageClass")] string Pool, int SizeGib, VmId? Vm, bool Made, IoLimits? Limits = null);

/// <param name="Mac">"52:54:00:…", given by the console.</param>
/// <param name="Address">The one IPv4 address that the guest may use; null where the host's own DHCP gives it one.</param>
/// <param name="Rules">What may come in to this interface from outside the network, beside the network's own rules.</param>
/// <param name="Leaving">It must go: stands until the agent reports it gone, and stays pinned until then.</param>
public sealed record DesiredNic(string Mac, NetworkId Network, string? Address = null, IReadOnlyList<PortRule>? Rules = null, bool Leaving = false);

/// <summary>NoCloud seed: who can log in. User data, when given, is passed as it is and wins over user name and keys.</summary>
/// <param name="Generation">That of the root disk it belongs to: a guest that sees another one sets itself up anew.</param>
public sealed record Seed(string Hostname, string UserName, IReadOnlyList<string> SshKeys, string UserData, long Generation = 0);

/// <summary>This VM must go: off, undefined, disk and seed removed. Kept until the agent reports it gone.</summary>
public sealed record Tombstone(VmId Vm);
