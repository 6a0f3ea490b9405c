using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Ledger;

/// <summary>What the agent remembers of one VM: what the hypervisor cannot tell, or not any more.</summary>
/// <param name="StartingFor">The power generation a start was begun for. Written before the start, so that an end after a crash is recognised as that of a started domain.</param>
/// <param name="SettledFor">The power generation that is fulfilled: started for it, or off for it.</param>
/// <param name="Boot">The host's boot in which it was last started; in another one a running VM starts again.</param>
/// <param name="Started">True from a start until the domain was seen off: only such a VM starts again after a reboot of the host.</param>
/// <param name="StartKey">Names the start that <paramref name="StartedAt"/> and <paramref name="GuestAgentAt"/> belong to.</param>
/// <param name="ShutdownAskedFor">The power generation for which the guest was asked to shut down.</param>
/// <param name="SwitchedOffFor">The power generation for which it was switched off.</param>
internal sealed record MachineFacts(
    VmId Vm,
    DateTimeOffset? DiskReadyAt = null,
    DateTimeOffset? DefinedAt = null,
    long StartingFor = 0,
    long SettledFor = 0,
    Guid Boot = default,
    bool Started = false,
    DateTimeOffset? StartedAt = null,
    string StartKey = "",
    DateTimeOffset? GuestAgentAt = null,
    long ShutdownAskedFor = 0,
    DateTimeOffset? ShutdownAskedAt = null,
    long SwitchedOffFor = 0,
    OffReason Off = OffReason.None);
