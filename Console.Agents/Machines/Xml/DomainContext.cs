using Plinth.Core.Inventory;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Machines.Xml;

/// <summary>Everything a domain's XML is made of; checked before (<see cref="DomainRules"/>).</summary>
/// <param name="Acceleration">What the self-test found: KVM, or QEMU's own emulation.</param>
/// <param name="Disks">In the order of the guest's device names; the first is the one it starts from.</param>
/// <param name="SeedPath">The NoCloud seed, an ISO 9660 image.</param>
/// <param name="Networks">The network of each nic, in the order of the nics.</param>
/// <param name="DirectIo">Whether the pool's file system takes O_DIRECT.</param>
/// <param name="MostVcpus">How many vCPUs it may get while it runs.</param>
/// <param name="SerialLogPath">Where QEMU keeps what the guest writes on its serial console.</param>
internal sealed record DomainContext(
    DesiredMachine Machine,
    Acceleration Acceleration,
    string Emulator,
    IReadOnlyList<DomainDisk> Disks,
    string SeedPath,
    IReadOnlyList<NetworkConfig> Networks,
    string SerialLogPath,
    bool DirectIo,
    int MostVcpus)
{
    public GuestFirmware Firmware => Machine.Firmware ?? GuestFirmware.Default;
}

/// <param name="Limits">How much it may do in a second; null for as much as it can.</param>
/// <param name="Image">The overlay's backing file and its format; null for a disk of its own.</param>
internal sealed record DomainDisk(string Serial, string Path, BackingFile? Image, IoLimits? Limits = null);

internal sealed record BackingFile(string Path, string Format);
