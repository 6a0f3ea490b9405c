using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Ledger;

/// <summary>What the agent remembers of one VM: what the hypervisor cannot tell, or not any more.</summary>
/// <param name="SettledFor">The power generation that is fulfilled: started for it, or off for it.</param>
/// <param name="Boot">The host's boot in which it was last started; in another one a running VM starts again.</param>
/// <param name="Started">True from a start until the domain was seen off: only such a VM starts again after a reboot of the host.</param>
/// <param name="StartKey">Names the start that <paramref name="StartedAt"/> and <paramref name="GuestAgentAt"/> belong to.</param>
/// <param name="ShutdownAskedFor">The power generation for which the guest was asked to shut down.</param>
/// <param name="Off">Why it is off; <see cref="OffReason.None"/> while it runs.</param>
/// <param name="Title">The name that its definition shows; empty where it is not known.</param>
/// <param name="Defined">The size that its definition has; null where it is not known.</param>
/// <param name="DiskFor">The generation of the disk that <paramref name="DiskReadyAt"/> tells of.</param>
internal sealed record MachineFacts(
    VmId Vm,
    DateTimeOffset? DiskReadyAt = null,
    DateTimeOffset? DefinedAt = null,
    long SettledFor = 0,
    Guid Boot = default,
    bool Started = false,
    DateTimeOffset? StartedAt = null,
    string StartKey = "",
    DateTimeOffset? GuestAgentAt = null,
    long ShutdownAskedFor = 0,
    DateTimeOffset? ShutdownAskedAt = null,
    OffReason Off = OffReason.None,
    string Title = "",
    MachineSize? Defined = null,
    long DiskFor = 0)
{
    /// <summary>The definition says what is desired, as far as it can change.</summary>
    public bool IsDefinedAs(DesiredMachine desired) => Title == desired.Name && Defined == desired.Size;

    public MachineFacts DefinedAs(DesiredMachine desired) => this with { Title = desired.Name, Defined = desired.Size };

    /// <summary>
    /// What is to be remembered after having seen the domain like this: a start (our own before a crash, too) is recognised by
    /// its key, an end by the domain being off although it was started.
    /// </summary>
    public MachineFacts Seen(DomainState domain, OffReason off, string startKey, Guid boot, DateTimeOffset now) => domain switch
    {
        DomainState.Running or DomainState.Paused when Started && StartKey == startKey && Boot == boot => this,
        DomainState.Running or DomainState.Paused => this with
        {
            DiskReadyAt = DiskReadyAt ?? now, DefinedAt = DefinedAt ?? now,
            Started = true, Boot = boot, StartKey = startKey, StartedAt = now, GuestAgentAt = null, Off = OffReason.None,
        },
        _ when Started && Boot != boot => this with { Off = OffReason.HostRestarted, GuestAgentAt = null },
        _ when Started => this with { Started = false, StartKey = "", GuestAgentAt = null, Off = Off == OffReason.SwitchedOff ? Off : Known(off) },
        DomainState.Off when DefinedAt is null => this with { DefinedAt = now, Off = off },
        _ when Off == OffReason.None => this with { Off = DefinedAt is null ? OffReason.NeverStarted : Known(off) },
        _ => this,
    };

    // After a restart of libvirt the reason is gone.
    private static OffReason Known(OffReason off) => off == OffReason.None ? OffReason.Unknown : off;
}
