using Plinth.Core.Primitives;

namespace Plinth.Core.Inventory;

/// <summary>What a host may be used for; see <see cref="HostLifecycle"/>.</summary>
public enum HostState
{
    /// <summary>Its agent has joined and has not reported yet.</summary>
    Enrolling,
    /// <summary>It reports and takes VMs.</summary>
    Ready,
    /// <summary>Its agent is away; its VMs may well be running. Takes no new VMs.</summary>
    Lost,
    /// <summary>It is being repaired or judged: an act of the operator is needed before it is used again.</summary>
    Quarantined,
    /// <summary>It left for good.</summary>
    Retired,
}

public enum HostEvent { Reported, SessionLost, RefusedByProtocol, Adopted, RetiredByOperator }

/// <summary>How the guests of a host are executed, as its self-test found.</summary>
public enum Acceleration
{
    /// <summary>Hardware virtualization; a guest was really booted with it.</summary>
    Kvm,
    /// <summary>Software emulation (TCG): correct and slow. Labelled wherever the host or its VMs appear.</summary>
    Qemu,
    /// <summary>No guest is executed at all: a simulated host.</summary>
    Simulated,
}

/// <summary>The host lifecycle: every state with a sentence, every pair with an answer.</summary>
public static class HostLifecycle
{
    public static string Sentence(HostState state) => state switch
    {
        HostState.Enrolling => "The agent has joined; its first report is awaited.",
        HostState.Ready => "The host reports and takes VMs.",
        HostState.Lost => "The agent does not answer; VMs on the host may be running. No new VMs are placed here.",
        HostState.Quarantined => "The host needs a decision of an operator before it is used again.",
        HostState.Retired => "The host has left.",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    /// <summary>The state after <paramref name="e"/>, or the refusal that says why it cannot happen.</summary>
    public static Result<HostState> Next(HostState state, HostEvent e) => (state, e) switch
    {
        (HostState.Retired, _) => Refusal.Conflict("host_retired", "The host is retired; enrol it anew to use it."),
        (_, HostEvent.RetiredByOperator) => HostState.Retired,
        (_, HostEvent.RefusedByProtocol) => HostState.Quarantined,
        (HostState.Quarantined, HostEvent.Adopted) => HostState.Enrolling,
        (HostState.Quarantined, HostEvent.Reported or HostEvent.SessionLost) => HostState.Quarantined,
        (_, HostEvent.Adopted) => Refusal.Conflict("host_not_quarantined", "Only a quarantined host can be adopted."),
        (_, HostEvent.Reported) => HostState.Ready,
        (HostState.Enrolling, HostEvent.SessionLost) => HostState.Enrolling,
        (_, HostEvent.SessionLost) => HostState.Lost,
        _ => throw new ArgumentOutOfRangeException(nameof(e), e, null),
    };
}

/// <summary>What an agent found out about its host: facts, not policy. Reported on connect and when they change.</summary>
/// <param name="Capacity">What guests may use in sum: logical CPUs, memory in MiB, disk in GiB of the <c>default</c> pool.</param>
/// <param name="Pool">What its pool can do; null where its agent does not say.</param>
/// <param name="TunnelAddress">Where other hosts reach this one with the traffic of networks; empty where there is no such address.</param>
/// <param name="Firmware">What guests can boot with beside BIOS; null: nothing.</param>
/// <param name="AccelerationReason">Why it is KVM or software emulation, as a sentence.</param>
public sealed record HostFacts(
    string Hostname,
    string AgentVersion,
    Acceleration Acceleration,
    string AccelerationReason,
    string Architecture,
    string CpuModel,
    Resources Capacity,
    string OperatingSystem,
    string Kernel,
    string HypervisorVersion,
    string EmulatorVersion,
    string TunnelAddress = "",
    HostPool? Pool = null,
    FirmwareSupport? Firmware = null);

/// <summary>A value with the moment it was observed. Age is computed against the reader's clock and is always shown.</summary>
public readonly record struct Observed<T>(T Value, DateTimeOffset At)
{
    public TimeSpan Age(DateTimeOffset now) => now > At ? now - At : TimeSpan.Zero;
}

/// <summary>When an observation stops being believed. Agents report at least every 10 s.</summary>
public static class Freshness
{
    public static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(10);

    /// <summary>Three missed reports: shown as stale, never as green.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(30);

    public static bool IsStale(DateTimeOffset at, DateTimeOffset now) => now - at > StaleAfter;
}
