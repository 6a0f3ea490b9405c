using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Core.Protocol;

/// <summary>What the hypervisor says about a domain now.</summary>
public enum DomainState { Absent, Off, Running, Paused }

/// <summary>Why a domain is off, as far as the hypervisor and the agent's ledger tell.</summary>
public enum OffReason { None, NeverStarted, GuestShutdown, SwitchedOff, Crashed, HostRestarted, Unknown }

/// <summary>Why a domain stands still: a person asked, its storage has no room for the guest's next write, or its storage fails.</summary>
public enum PauseReason { None, Asked, StorageFull, StorageFailed }

/// <summary>Processors and memory of a machine.</summary>
public sealed record MachineSize(int Vcpus, int MemoryMib);

/// <summary>A VM as its agent sees it. The steps of operations are derived from these reports.</summary>
/// <param name="Generation">The newest desired generation that this report answers.</param>
/// <param name="StartedForPowerGeneration">The power generation the domain was last started (or stopped) for; 0 when never.</param>
/// <param name="GuestAgentAt">When the guest agent last answered since the last start; null when it has not.</param>
/// <param name="GuestSilentSince">It has answered since the last start and not since this moment: its last answer, or when the agent began to ask again (after a pause, or its own restart). Null while it answers.</param>
/// <param name="GuestSystem">The guest's operating system in its own words; empty where it has not told.</param>
/// <param name="ShutdownAskedAt">When the guest was last asked to shut down for the present power generation.</param>
/// <param name="Gone">The tombstone is fulfilled: no domain, no disk, no seed.</param>
/// <param name="StartKey">Changes with each start of the domain: counters are only comparable within one.</param>
/// <param name="Defined">The size it has from its next start on; null before it is defined.</param>
/// <param name="Running">The size it has now; null while it is off.</param>
/// <param name="Disk">The generation of the root disk that its definition has.</param>
/// <param name="DiskMade">The generation of the last root disk that was made for it.</param>
/// <param name="Interfaces">One for each that is desired; null from an agent that does not tell of them.</param>
public sealed record ObservedMachine(
    VmId Vm,
    Generation Generation,
    DomainState Domain,
    OffReason Off,
    long StartedForPowerGeneration,
    DateTimeOffset? DiskReadyAt,
    DateTimeOffset? DefinedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? GuestAgentAt,
    DateTimeOffset? ShutdownAskedAt,
    bool Gone,
    string StartKey,
    IReadOnlyList<string> Addresses,
    Progress? Progress,
    MachineProblem? Problem,
    MachineSize? Defined = null,
    MachineSize? Running = null,
    PauseReason Pause = PauseReason.None,
    DateTimeOffset? GuestSilentSince = null,
    string GuestSystem = "",
    long Disk = 0,
    long DiskMade = 0,
    IReadOnlyList<ObservedInterface>? Interfaces = null)
{
    /// <summary>Lists are compared by what is in them.</summary>
    public bool HasSameLists(ObservedMachine other) => Addresses.SequenceEqual(other.Addresses) && (Interfaces ?? []).SequenceEqual(other.Interfaces ?? []) && Interfaces is null == other.Interfaces is null;
}

/// <summary>A network interface of a VM as its agent sees it.</summary>
/// <param name="Configured">In the machine's definition: there at its next start.</param>
/// <param name="Plugged">The running machine has it; false while the machine is off.</param>
/// <param name="Leaving">It answers the wish that the interface goes; otherwise the wish that it is there.</param>
/// <param name="UnplugAskedAt">When the guest was first asked to release it for the present wish.</param>
/// <param name="Gone">The wish that it goes is fulfilled.</param>
/// <param name="Addresses">What the guest agent last said the guest has on it.</param>
public sealed record ObservedInterface(string Mac, bool Configured, bool Plugged, bool Leaving, DateTimeOffset? UnplugAskedAt, bool Gone, MachineProblem? Problem, IReadOnlyList<string> Addresses)
{
    public bool Equals(ObservedInterface? other) => other is not null
        && (Mac, Configured, Plugged, Leaving, UnplugAskedAt, Gone, Problem) == (other.Mac, other.Configured, other.Plugged, other.Leaving, other.UnplugAskedAt, other.Gone, other.Problem)
        && Addresses.SequenceEqual(other.Addresses);

    public override int GetHashCode() => HashCode.Combine(Mac, Configured, Plugged, Leaving, Gone);
}

/// <summary>A volume as its agent sees it.</summary>
/// <param name="Generation">The newest desired generation that this report answers.</param>
/// <param name="SizeBytes">What the host has; 0 where there is none.</param>
/// <param name="Vm">The VM whose machine has it, running or in its definition.</param>
/// <param name="Plugged">The running machine has it; false while the machine is off.</param>
/// <param name="UnplugAskedAt">When the guest was first asked to release it for the present wish.</param>
/// <param name="Gone">The tombstone is fulfilled.</param>
public sealed record ObservedVolume(
    VolumeId Volume, Generation Generation, long SizeBytes, VmId? Vm, bool Plugged, DateTimeOffset? UnplugAskedAt, bool Gone, MachineProblem? Problem);

/// <summary>How far a long step is: "fetching image", 12 of 18 MiB.</summary>
public sealed record Progress(string Sentence, long Done, long Total);

/// <param name="Code">Stable: "disk_full", "image_digest", "define_failed", "start_failed", …</param>
/// <param name="Message">A sentence for people, with what to do.</param>
/// <param name="Step">The step that failed.</param>
/// <param name="Final">True when trying again cannot help; otherwise the agent goes on trying.</param>
public sealed record MachineProblem(string Code, string Message, StepKind Step, bool Final);

/// <summary>A storage class, a network or the rules as the host has them.</summary>
/// <param name="Id">Of a network: projects may use the same names.</param>
/// <param name="Drift">What was last found different from what is wanted, and put right; empty when nothing was since the agent started.</param>
public sealed record ObservedFacility(string Kind, string Name, bool Ready, string Detail, string Drift = "", DateTimeOffset? DriftAt = null, Guid? Id = null);

/// <summary>Packets of one guest interface that were dropped because they were not its own, since the interface came to this host.</summary>
/// <param name="Kind">"mac", "arp", "ip", "dhcp" (answers of a DHCP server) or "other" (neither ARP nor IPv4).</param>
public sealed record InterfaceDrops(string Mac, string Kind, long Packets, long Bytes);

/// <summary>
/// What a host looks like. <see cref="Full"/> reports replace everything known; others carry only what changed.
/// </summary>
/// <param name="Drops">Null where nothing has changed since the last report.</param>
/// <param name="At">The agent's clock, for display; ages are computed from the console's receipt.</param>
/// <param name="Volumes">All of them; null where nothing about them is new.</param>
public sealed record ObservedHostState(
    bool Full,
    Generation Generation,
    DateTimeOffset At,
    HostFacts? Facts,
    Resources Free,
    IReadOnlyList<ObservedFacility>? Facilities,
    IReadOnlyList<ObservedMachine> Machines,
    IReadOnlyList<string> UnknownDomains,
    IReadOnlyList<ObservedVolume>? Volumes = null,
    IReadOnlyList<InterfaceDrops>? Drops = null);
