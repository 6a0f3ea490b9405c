using System.Net;
using System.Text.RegularExpressions;
using Plinth.Core.Network;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Machines;

/// <summary>
/// What a host accepts, whoever asks: the console has checked it before, and a host that runs guests as root does not rely on that.
/// Nothing that fails here can succeed later, so each refusal is final.
/// </summary>
internal static partial class DomainRules
{
    private const int MaxVcpus = 512;
    private const int MinMemoryMib = 16;
    private const int MaxMemoryMib = 16 * 1024 * 1024;
    private const int MaxDiskGib = 64 * 1024;

    /// <summary>The libvirt name: readable, and unique on the host by the random end of the VM's id.</summary>
    public static string DomainName(DesiredMachine machine) => $"{machine.Name}-{machine.Vm.Value.ToString("N")[^8..]}";

    /// <summary>How many vCPUs a machine can get while it runs: four times as many as it starts with, and no more than the host has.</summary>
    public static int MostVcpus(int vcpus, int hostCpus) => Math.Max(vcpus, Math.Min(4 * vcpus, hostCpus));

    public static void CheckSize(DesiredMachine machine)
    {
        Require(Label().IsMatch(machine.Name), "name", $"The VM name '{machine.Name}' is not 1–63 lower-case letters, digits and inner hyphens.");
        Require(machine.Vcpus is >= 1 and <= MaxVcpus, "vcpus", $"{machine.Vcpus} vCPUs: 1 to {MaxVcpus} are possible.");
        Require(machine.MemoryMib is >= MinMemoryMib and <= MaxMemoryMib, "memory", $"{machine.MemoryMib} MiB of memory: {MinMemoryMib} to {MaxMemoryMib} are possible.");
    }

    public static void Check(DesiredMachine machine, IReadOnlyList<NetworkConfig> networks)
    {
        CheckSize(machine);
        Require(machine.Disks.Count is >= 1 and <= 16, "disks", $"{machine.Disks.Count} disks: 1 to 16 are possible.");
        Require(machine.Disks.DistinctBy(d => d.Serial).Count() == machine.Disks.Count, "disks", "Two disks of the VM have the same serial.");
        foreach (var disk in machine.Disks) Check(disk);
        Check(machine.Seed);
        foreach (var nic in machine.Nics) Check(nic, networks);
    }

    public static void Check(DesiredNic nic, IReadOnlyList<NetworkConfig> networks)
    {
        Require(Mac().IsMatch(nic.Mac), "mac", $"'{nic.Mac}' is no unicast MAC address like 52:54:00:12:34:56.");
        var network = networks.FirstOrDefault(n => n.Id == nic.Network) ?? throw Refusals.NetworkMissing(nic.Network);
        Check(network);
        Require(nic.Address is null || AddressRange.Parse(network.Cidr).Contains(nic.Address), "address", $"The address {nic.Address} is not within {network.Cidr}.");
        Check(nic.Rules ?? []);
    }

    public static void Check(DesiredDisk disk)
    {
        Require(Serial().IsMatch(disk.Serial), "serial", $"The disk serial '{disk.Serial}' is not 1–20 lower-case letters, digits and inner hyphens.");
        Require(disk.Serial != "seed", "serial", "The disk serial 'seed' is taken by the seed.");
        Require(Label().IsMatch(disk.Pool), "pool", $"The pool '{disk.Pool}' is not 1–63 lower-case letters, digits and inner hyphens.");
        Require(disk.SizeGib is >= 1 and <= MaxDiskGib, "disk_size", $"A disk of {disk.SizeGib} GiB: 1 to {MaxDiskGib} are possible.");
        if (disk.Image is { } image) Check(image);
        if (disk.Limits is { } limits && IoLimitRules.Check("limits", limits) is [var no, ..]) throw Refusals.Invalid("limits", no.Message);
    }

    public static void Check(DesiredVolume volume) => Check(new DesiredDisk(volume.Serial, volume.Pool, volume.SizeGib, null, volume.Limits));

    public static void Check(ImageReference image)
    {
        Require(Digest().IsMatch(image.Digest), "digest", "An image digest is 'sha256:' and 64 lower-case hex digits.");
        Require(image.Format is "qcow2" or "raw", "format", $"The image format '{image.Format}' is neither qcow2 nor raw.");
    }

    public static void Check(NetworkConfig network)
    {
        Require(Label().IsMatch(network.Name), "network", $"The network name '{network.Name}' is not 1–63 lower-case letters, digits and inner hyphens.");
        Require(Bridge().IsMatch(network.Bridge), "bridge", $"The bridge name '{network.Bridge}' is not 1–15 letters, digits, '-' and '_'.");
        Require(
            IPNetwork.TryParse(network.Cidr, out var range) && range.BaseAddress.GetAddressBytes().Length == 4 && network.Cidr == range.ToString() && range.PrefixLength is >= 8 and <= 29,
            "cidr", $"'{network.Cidr}' is no IPv4 range with no host bits and a prefix of 8 to 29, like 192.168.122.0/24.");
        if (network.Overlay is not { } overlay) return;
        Require(network.Bridge == NetworkNames.Bridge(network.Id), "bridge", $"The bridge of the network '{network.Name}' is {NetworkNames.Bridge(network.Id)}, not '{network.Bridge}'.");
        Require(overlay.Vni is >= NetworkNames.FirstVni and <= NetworkNames.LastVni, "vni", $"VXLAN id {overlay.Vni}: {NetworkNames.FirstVni} to {NetworkNames.LastVni} are possible.");
        Require(overlay.Mtu is >= 1280 and <= 9000, "mtu", $"An MTU of {overlay.Mtu}: 1280 to 9000 are possible.");
        foreach (var peer in overlay.Peers) Require(PortRule.IsRange(peer + "/32"), "peer", $"'{peer}' is no IPv4 address.");
        foreach (var guest in overlay.Names)
        {
            Require(Label().IsMatch(guest.Name), "name", $"The VM name '{guest.Name}' is not 1–63 lower-case letters, digits and inner hyphens.");
            Require(Mac().IsMatch(guest.Mac), "mac", $"'{guest.Mac}' is no unicast MAC address like 52:54:00:12:34:56.");
            Require(AddressRange.Parse(network.Cidr).Contains(guest.Address) && PortRule.IsRange(guest.Address + "/32"), "address", $"The address '{guest.Address}' is not within {network.Cidr}.");
        }
        Check(overlay.Rules);
    }

    private static void Check(IReadOnlyList<PortRule> rules)
    {
        if (NetworkChecks.Rules("rules", rules) is [var no, ..]) throw Refusals.Invalid("rules", no.Message);
    }

    public static void Check(PoolConfig pool) =>
        Require(Label().IsMatch(pool.Name), "pool", $"The pool name '{pool.Name}' is not 1–63 lower-case letters, digits and inner hyphens.");

    public static void Check(Seed seed)
    {
        Require(HostName().IsMatch(seed.Hostname), "hostname", $"'{seed.Hostname}' is no host name.");
        Require(UserName().IsMatch(seed.UserName) || (seed.UserName == "" && seed.UserData != ""), "user_name", $"The user name '{seed.UserName}' is not 1–32 lower-case letters, digits, '-' and '_', beginning with a letter.");
        foreach (var key in seed.SshKeys)
            Require(!key.AsSpan().ContainsAny('\n', '\r', '\0') && key.Length <= 16 * 1024, "ssh_key", "An SSH key is one line of at most 16 KiB.");
        Require(seed.UserData.Length <= 256 * 1024, "user_data", $"User data of {seed.UserData.Length} characters: at most {256 * 1024} are possible.");
    }

    private static void Require(bool holds, string field, string message)
    {
        if (!holds) throw Refusals.Invalid(field, message);
    }

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z")]
    private static partial Regex Label();

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\z")]
    private static partial Regex HostName();

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?\z")]
    private static partial Regex Serial();

    [GeneratedRegex(@"^[a-z_][a-z0-9_-]{0,31}\z")]
    private static partial Regex UserName();

    [GeneratedRegex(@"^[0-9a-f][02468ace](:[0-9a-f]{2}){5}\z")]
    private static partial Regex Mac();

    [GeneratedRegex(@"^sha256:[0-9a-f]{64}\z")]
    private static partial Regex Digest();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_-]{0,14}\z")]
    private static partial Regex Bridge();
}
