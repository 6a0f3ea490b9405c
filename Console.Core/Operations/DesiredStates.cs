using System.Security.Cryptography;
using System.Text;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Core.Operations;

/// <summary>A VM with a place, as its row says.</summary>
/// <param name="Nics">In the order of the guest's interfaces.</param>
/// <param name="Removed">It must go: stands as a tombstone until the agent reports it gone.</param>
/// <param name="DiskGeneration">Which of its root disks it should have; image and guest settings are those of that one.</param>
public sealed record PlacedMachine(
    VmId Vm, ProjectId Project, string Name, string Hostname, Resources Size, string StorageClass, IReadOnlyList<DesiredNic> Nics,
    string UserName, IReadOnlyList<string> SshKeys, string UserData, Image Image,
    DesiredPower Power, long PowerGeneration, int StopDeadlineSeconds, bool Removed, GuestFirmware? Firmware = null, long DiskGeneration = 0, CloneSource? Source = null);

/// <summary>A volume with a place, as its row says.</summary>
/// <param name="Removed">It must go: stands as a tombstone until the agent reports it gone.</param>
public sealed record PlacedVolume(VolumeId Volume, ProjectId Project, string Name, string StorageClass, int SizeGib, VmId? Vm, bool Made, bool Removed);

/// <summary>Who is on a network, wherever in the fleet.</summary>
/// <param name="Peers">Tunnel addresses of the other hosts.</param>
public sealed record NetworkMembers(IReadOnlyList<string> Peers, IReadOnlyList<GuestName> Names);

/// <summary>Builds what one host should have, from rows; pure, ordered, so that the same rows give the same bytes.</summary>
public static class DesiredStates
{
    public const string RootDiskSerial = "root";

    /// <summary>The pool that every host has; its id is that of the class that was a pool of its own once.</summary>
    private static readonly PoolConfig Pool = new(new StorageClassId(new Guid("01900000-0000-7000-8000-000000000004")), HostPool.DefaultName, PoolKind.Directory);

    public static DesiredHostState Build(Generation generation, IEnumerable<StorageClass> storageClasses, IEnumerable<VirtualNetwork> networks, IEnumerable<PlacedMachine> machines,
        IEnumerable<PlacedVolume>? volumes = null, IReadOnlyDictionary<NetworkId, NetworkMembers>? members = null)
    {
        var placed = machines.OrderBy(m => m.Vm.Value).ToArray();
        var kept = (volumes ?? []).OrderBy(v => v.Volume.Value).ToArray();
        var classes = storageClasses.ToDictionary(s => s.Name, s => s.Limits);
        var used = placed.SelectMany(m => m.Nics).Select(n => n.Network).ToHashSet();
        return new DesiredHostState(
            generation,
            [Pool],
            [.. networks.Where(n => n.Kind == NetworkKind.HostNat || used.Contains(n.Id)).OrderBy(n => n.Id.Value).Select(n => Network(n, members?.GetValueOrDefault(n.Id)))],
            [.. placed.Where(m => !m.Removed).Select(m => Machine(m, Limits(m.StorageClass)))],
            [.. placed.Where(m => m.Removed).Select(m => new Tombstone(m.Vm))],
            [.. kept.Where(v => !v.Removed).Select(v => new DesiredVolume(v.Volume, v.Project, v.Name, Serial(v.Volume), Pool.Name, v.SizeGib, v.Vm, v.Made, Limits(v.StorageClass)))],
            [.. kept.Where(v => v.Removed).Select(v => v.Volume)]);

        IoLimits? Limits(string name) => classes.GetValueOrDefault(name) is { } limits && limits != IoLimits.None ? limits : null;
    }

    /// <summary>
    /// "52:54:00:…": QEMU's prefix, then three bytes of a hash of VM and network. The same VM always has the same address on a network, so that
    /// a guest knows an interface that comes back.
    /// </summary>
    /// <param name="salt">Another one where the address is taken.</param>
    public static string Mac(VmId vm, NetworkId network, int salt = 0)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes($"{vm.Value:N}/{network.Value:N}/{salt}"));
        return $"52:54:00:{hash[0]:x2}:{hash[1]:x2}:{hash[2]:x2}";
    }

    private static NetworkConfig Network(VirtualNetwork n, NetworkMembers? members) => new(
        n.Id, n.Name, n.Kind, n.Cidr, NetworkNames.Bridge(n.Id),
        n.Kind != NetworkKind.Vxlan ? null : new OverlayConfig(
            n.Vni, VirtualNetwork.OverlayMtu,
            [.. (members?.Peers ?? []).Distinct().Order(StringComparer.Ordinal)],
            [.. (members?.Names ?? []).OrderBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.Address, StringComparer.Ordinal)],
            n.Rules ?? []));

    /// <summary>A volume's serial, "vol-" and the random end of its id: the guest finds it as /dev/disk/by-id/virtio-SERIAL. 20 characters are virtio's limit.</summary>
    public static string Serial(VolumeId volume) => "vol-" + volume.Value.ToString("N")[^12..];

    private static DesiredMachine Machine(PlacedMachine m, IoLimits? limits) => new(
        m.Vm, m.Project, m.Name, m.Size.Vcpus, m.Size.MemoryMib,
        [m.Source is { } source
            ? new DesiredDisk(RootDiskSerial, Pool.Name, m.Size.DiskGib, null, limits, m.DiskGeneration, new DiskSource(source.Vm, source.Name, source.Generation))
            : new DesiredDisk(RootDiskSerial, Pool.Name, m.Size.DiskGib, new ImageReference(m.Image.Id, m.Image.Digest, m.Image.SizeBytes, m.Image.Format), limits, m.DiskGeneration)],
        m.Nics,
        new Seed(m.Hostname, m.UserName, m.SshKeys, m.UserData, m.DiskGeneration),
        m.Image.HasGuestAgent, m.Power, m.PowerGeneration, m.StopDeadlineSeconds, m.Firmware);
}
