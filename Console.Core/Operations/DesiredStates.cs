using System.Security.Cryptography;
using System.Text;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Core.Operations;

/// <summary>A VM with a place, as its row says.</summary>
/// <param name="Networks">In the order of the guest's interfaces.</param>
/// <param name="Removed">It must go: stands as a tombstone until the agent reports it gone.</param>
public sealed record PlacedMachine(
    VmId Vm, ProjectId Project, string Name, string Hostname, Resources Size, string StorageClass, IReadOnlyList<NetworkId> Networks,
    string UserName, IReadOnlyList<string> SshKeys, string UserData, Image Image,
    DesiredPower Power, long PowerGeneration, int StopDeadlineSeconds, bool Removed);

/// <summary>Builds what one host should have, from rows; pure, ordered, so that the same rows give the same bytes.</summary>
public static class DesiredStates
{
    public const string RootDiskSerial = "root";

    public static DesiredHostState Build(Generation generation, IEnumerable<StorageClass> storageClasses, IEnumerable<VirtualNetwork> networks, IEnumerable<PlacedMachine> machines)
    {
        var placed = machines.OrderBy(m => m.Vm.Value).ToArray();
        return new DesiredHostState(
            generation,
            [.. storageClasses.OrderBy(s => s.Id.Value).Select(s => new StorageClassConfig(s.Id, s.Name, s.Kind))],
            [.. networks.OrderBy(n => n.Id.Value).Select(n => new NetworkConfig(n.Id, n.Name, n.Kind, n.Cidr, Bridge(n.Id)))],
            [.. placed.Where(m => !m.Removed).Select(Machine)],
            [.. placed.Where(m => m.Removed).Select(m => new Tombstone(m.Vm))]);
    }

    /// <summary>"52:54:00:…": QEMU's prefix, then three bytes of a hash of VM and interface. The same VM always has the same address.</summary>
    public static string Mac(VmId vm, int nic)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes($"{vm.Value:N}/{nic}"));
        return $"52:54:00:{hash[0]:x2}:{hash[1]:x2}:{hash[2]:x2}";
    }

    /// <summary>A bridge's name: 15 characters are Linux's limit.</summary>
    public static string Bridge(NetworkId network) => "plinth" + Convert.ToHexStringLower(SHA256.HashData(network.Value.ToByteArray()))[..8];

    private static DesiredMachine Machine(PlacedMachine m) => new(
        m.Vm, m.Project, m.Name, m.Size.Vcpus, m.Size.MemoryMib,
        [new DesiredDisk(RootDiskSerial, m.StorageClass, m.Size.DiskGib, new ImageReference(m.Image.Id, m.Image.Digest, m.Image.SizeBytes, m.Image.Format))],
        [.. m.Networks.Select((network, i) => new DesiredNic(Mac(m.Vm, i), network))],
        new Seed(m.Hostname, m.UserName, m.SshKeys, m.UserData),
        m.Image.HasGuestAgent, m.Power, m.PowerGeneration, m.StopDeadlineSeconds);
}
