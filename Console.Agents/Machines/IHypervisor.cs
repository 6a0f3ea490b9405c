using System.Threading.Channels;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

/// <summary>
/// What the agent needs of a host, implemented by libvirt and by the simulated host; one contract suite holds both to it.
/// Every <c>Ensure…</c> and every removal is idempotent: called again after a crash at any moment it completes the work.
/// A failure is a <see cref="HypervisorException"/> with a sentence for people.
/// </summary>
public interface IHypervisor : Storage.IVolumeHost, Network.IInterfaceHost, IAsyncDisposable
{
    /// <summary>Facts of the host, the KVM self-test's verdict among them. Cheap after the first call.</summary>
    Task<HostFacts> Facts(CancellationToken stop);

    /// <summary>What is really free now: memory and pool space (vCPUs: logical CPUs).</summary>
    Task<Resources> Free(CancellationToken stop);

    /// <summary>The directory-backed pool of this name exists, is active and starts with the host.</summary>
    Task<ObservedFacility> EnsurePool(PoolConfig pool, CancellationToken stop);

    /// <summary>The network exists as it is wanted: bridge, DHCP and NAT; for one that reaches over hosts also its segment and the ways to its peers.
    /// What somebody changed by hand is put right, and said.</summary>
    Task<ObservedFacility> EnsureNetwork(NetworkConfig network, CancellationToken stop);

    /// <summary>Every guest interface is pinned to its own addresses, and what may come in from outside is what the rules allow. The networks
    /// exist already. Read back each time; what somebody changed by hand is put right, and said.</summary>
    Task<ObservedFacility> EnsureRules(DesiredHostState desired, CancellationToken stop);

    /// <summary>The disks and volumes of every machine, running or not, do no more than their limits say. Read back each time; what somebody changed
    /// by hand is put right, and said.</summary>
    Task<ObservedFacility> EnsureLimits(DesiredHostState desired, CancellationToken stop);

    /// <summary>How often limits are looked at.</summary>
    TimeSpan LimitsLookEvery => TimeSpan.FromSeconds(10);

    /// <summary>MAC addresses of the guest interfaces that are pinned now: no other may be started.</summary>
    IReadOnlySet<string> Pinned { get; }

    /// <summary>What guests sent that was not theirs to send, as of the last <see cref="EnsureRules"/>; interfaces without any are left out.</summary>
    IReadOnlyList<InterfaceDrops> Drops { get; }

    /// <summary>Takes down networks that reach over hosts, are not wanted here any more and have no guest's interface on them.</summary>
    Task PruneNetworks(IReadOnlyList<NetworkConfig> wanted, CancellationToken stop);

    /// <summary>How often networks and rules are looked at: what was changed by hand is put right within twice this.</summary>
    TimeSpan NetworkLookEvery => TimeSpan.FromSeconds(4);

    /// <summary>Where the bytes of an image live on this host: fetched there by the agent, under a name made from the digest.
    /// Disks may use it as their backing file, so it is never changed in place.</summary>
    string ImagePath(ImageReference image);

    /// <summary>False where <see cref="ImagePath"/> need not exist before a disk is made from it: a simulated host keeps no bytes.</summary>
    bool NeedsImageBytes => true;

    /// <summary>A qcow2 disk of that size in the pool, an overlay of the image where there is one (formats stated, never probed).</summary>
    Task EnsureDisk(VmId vm, DesiredDisk disk, CancellationToken stop);

    /// <summary>
    /// The disk is a whole copy of its source, without snapshots and without a backing file, grown to its own size. <paramref name="copied"/> hears 0–100 as it
    /// goes. Stopped half way, it begins anew the next time. Refused while the source is on; for good where it is gone, or has got another disk.
    /// </summary>
    Task CopyDisk(VmId vm, DesiredDisk disk, Action<int> copied, CancellationToken stop);

    /// <summary>The NoCloud seed of the VM.</summary>
    Task EnsureSeed(VmId vm, Seed seed, CancellationToken stop);

    /// <summary>The domain is defined as <paramref name="machine"/> says (UUID = VM id). Its nics name networks by id; configurations are given.</summary>
    Task Define(DesiredMachine machine, IReadOnlyList<NetworkConfig> networks, CancellationToken stop);

    /// <summary>
    /// The definition of a machine that exists gets the name, vCPUs and memory of <paramref name="machine"/>, and is otherwise left as it is. While
    /// it runs, it takes at once what it can (the name; more vCPUs, up to what it was started with room for); the rest is so from its next start on.
    /// </summary>
    Task Adjust(DesiredMachine machine, CancellationToken stop);

    /// <summary>
    /// The machine, which is off, has the disks and the seed that <paramref name="machine"/> names, made before, instead of those it had. Its devices,
    /// its volumes and all else stay. The former files are kept until <see cref="RemoveFormerDisks"/>. Refused while it is on.
    /// </summary>
    Task TakeDisks(DesiredMachine machine, CancellationToken stop);

    /// <summary>Removes the VM's disks and seeds of every generation but this, which its definition has, and the snapshots that were in them.</summary>
    Task RemoveFormerDisks(VmId vm, long generation, CancellationToken stop);

    /// <summary>VMs that have disks or seeds of more than one generation on this host, half made ones included.</summary>
    Task<IReadOnlyList<VmId>> FormerDiskOwners(CancellationToken stop);

    Task Start(VmId vm, CancellationToken stop);

    /// <summary>Asks the guest to shut down (agent first, then ACPI) and returns; the end is an event. A paused one is resumed first: it could not answer.</summary>
    Task Shutdown(VmId vm, CancellationToken stop);

    /// <summary>Switches off at once. No error when it is off or absent.</summary>
    Task SwitchOff(VmId vm, CancellationToken stop);

    Task Reboot(VmId vm, bool force, CancellationToken stop);

    /// <summary>The processors stand still. No error when they do already; refused while it is off.</summary>
    Task Pause(VmId vm, CancellationToken stop);

    /// <summary>A paused machine goes on. No error when it runs; refused while it is off.</summary>
    Task Resume(VmId vm, CancellationToken stop);

    /// <summary>
    /// A snapshot of the VM's own disks; <paramref name="withMemory"/>, of its memory too: then it is on, stands still meanwhile and goes on.
    /// Without, of a machine that is on, the guest is asked to freeze its file systems for that moment. One that exists stays as it is. Refused
    /// with memory where the machine is off, and where it has volumes.
    /// </summary>
    /// <returns>What became of the guest's file systems, a sentence; empty where they were at rest, or their state is in the memory.</returns>
    Task<string> TakeSnapshot(VmId vm, SnapshotId snapshot, bool withMemory, CancellationToken stop);

    /// <summary>The disks are what they were, and with memory the machine goes on from there. The definition stays as it is. Refused while it is on.</summary>
    Task RevertTo(VmId vm, SnapshotId snapshot, CancellationToken stop);

    /// <summary>No error when there is none. A machine's removal removes its snapshots.</summary>
    Task RemoveSnapshot(VmId vm, SnapshotId snapshot, CancellationToken stop);

    /// <summary>Removes the definition. No error when it is absent; refused while it runs.</summary>
    Task Undefine(VmId vm, CancellationToken stop);

    /// <summary>Removes the VM's disks and seed, whatever is left of them.</summary>
    Task RemoveDisks(VmId vm, CancellationToken stop);

    /// <summary>Every domain of the host, those that are not Plinth's too.</summary>
    Task<IReadOnlyList<DomainInfo>> Domains(CancellationToken stop);

    /// <summary>VMs for which a disk or seed exists on this host, a leftover of a crash included.</summary>
    Task<IReadOnlyList<VmId>> DiskOwners(CancellationToken stop);

    /// <summary>What the guest agent says; null when it does not answer within a second or so.</summary>
    Task<GuestInfo?> Guest(VmId vm, CancellationToken stop);

    /// <summary>Cumulative counters of the running domains.</summary>
    Task<IReadOnlyList<DomainCounters>> Counters(CancellationToken stop);

    Task<HostSample> Sample(CancellationToken stop);

    /// <summary>The serial console, both ways; ends when the domain goes off. Several may be open on one VM (each sees the output).</summary>
    Task<Stream> OpenSerial(VmId vm, CancellationToken stop);

    /// <summary>The screen, as an RFB server speaks; ends when the domain goes off. Several may be open on one VM, and none can shut the others out.</summary>
    Task<Stream> OpenVnc(VmId vm, CancellationToken stop);

    /// <summary>What happens on the host. A missed event is harmless: every state is read again.</summary>
    ChannelReader<DomainEvent> Events { get; }
}

/// <param name="Vm">Set where the domain is Plinth's own (its UUID and metadata say so).</param>
/// <param name="StartKey">Changes with each start of the domain; empty while it is off.</param>
/// <param name="Running">What it has now; null while it is off.</param>
/// <param name="Pause">Why it stands still; none while it does not, or where the hypervisor does not tell.</param>
/// <param name="Disk">The generation of the root disk in its definition.</param>
public sealed record DomainInfo(VmId? Vm, string Name, DomainState State, OffReason Off, string StartKey, MachineSize? Running = null, PauseReason Pause = PauseReason.None, long Disk = 0);

/// <param name="System">The operating system in its own words; empty where it does not tell.</param>
/// <param name="Interfaces">What it has on each of its interfaces; null where it does not tell.</param>
public sealed record GuestInfo(IReadOnlyList<string> Addresses, string System = "", IReadOnlyList<GuestInterface>? Interfaces = null)
{
    public static readonly GuestInfo Unknown = new([]);

    public IReadOnlyList<string> On(string mac) => Interfaces?.FirstOrDefault(i => i.Mac == mac)?.Addresses ?? [];
}

public sealed record GuestInterface(string Mac, IReadOnlyList<string> Addresses);

/// <summary>Counters since the start named by <paramref name="StartKey"/>; nanoseconds and bytes.</summary>
public sealed record DomainCounters(
    VmId Vm, string StartKey, int Vcpus, long CpuTimeNanoseconds, long StealNanoseconds, long MemoryUsedMib,
    long DiskReadBytes, long DiskWriteBytes, long NetReceiveBytes, long NetTransmitBytes);

/// <param name="Vm">Null: something about the host or the connection changed; read everything.</param>
public sealed record DomainEvent(VmId? Vm, string What)
{
    /// <summary><see cref="What"/> when the guest began anew inside a domain that went on: what its agent said before is void.</summary>
    public const string Rebooted = "rebooted";
}

/// <summary>The host said no. <paramref name="code"/> is stable ("disk_full", "start_failed", "unreachable"); the message is for people and says what to do.</summary>
/// <param name="final">True when trying again cannot help.</param>
public sealed class HypervisorException(string code, string message, bool final = false, Exception? cause = null) : Exception(message.EndsWith('.') ? message : message + ".", cause)
{
    public string Code { get; } = code;
    public bool Final { get; } = final;
}
