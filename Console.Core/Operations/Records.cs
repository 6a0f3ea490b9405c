using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>What the console holds about a VM when a report is read.</summary>
/// <param name="Power">The wish that stands in the desired host state.</param>
/// <param name="HostName">Null while the VM has no place.</param>
/// <param name="StopDeadlineSeconds">How long the guest may take to shut down.</param>
/// <param name="Protected">It may not be deleted.</param>
/// <param name="Size">The vCPUs and memory that it should have.</param>
/// <param name="Deletion">While it is restorable; null otherwise.</param>
/// <param name="Interface">The one that the operation under way adds or removes; null where it is about none.</param>
/// <param name="HasDisk">Its host has been seen to have its disk: there is something to keep.</param>
public sealed record MachineRecord(
    VmId Vm, VmState State, string Reason, DesiredPower Power, long PowerGeneration, bool HasGuestAgent, string? HostName, int StopDeadlineSeconds, bool Protected = false, MachineSize? Size = null,
    MachineDeletion? Deletion = null, bool HasDisk = false, MachineInterface? Interface = null);

/// <summary>A network interface of a VM.</summary>
/// <param name="Network">The network's name.</param>
/// <param name="Address">From the network's range; null where the host's own DHCP gives one.</param>
public sealed record MachineInterface(string Mac, string Network, string? Address, InterfaceState State);

/// <summary>A deletion that can be undone.</summary>
/// <param name="Until">From then on the disk is removed.</param>
/// <param name="Power">What was wished before: a restore brings it back.</param>
public sealed record MachineDeletion(DateTimeOffset Until, DesiredPower Power);

/// <summary>An operation as stored, without its names and owners.</summary>
/// <param name="Generation">The desired generation that carries it out; reports that answer an older one say nothing about it.</param>
public sealed record OperationRecord(
    OperationKind Kind,
    OperationState State,
    string Reason,
    IReadOnlyList<OperationStep> Steps,
    DateTimeOffset CreatedAt,
    DateTimeOffset? EndedAt,
    Generation Generation,
    long PowerGeneration)
{
    public bool IsFinished => OperationLifecycle.IsFinished(State);
}

/// <summary>What an agent answered to a one-shot command; <paramref name="At"/> is the console's receipt.</summary>
public sealed record CommandOutcome(bool Succeeded, string Message, DateTimeOffset At);

/// <summary>What the console should wish after the machine did something by itself.</summary>
public enum PowerWish
{
    /// <summary>As before.</summary>
    Keep,
    /// <summary>It went off by itself: desired becomes stopped, so that nothing starts it behind its owner's back.</summary>
    StayOff,
    /// <summary>Its host restarted under it: it is started again, as its owner wished.</summary>
    StartAgain,
}

/// <summary>The whole effect of one reading. Equal to what was there when nothing changed.</summary>
public sealed record MachineAdvance(VmState State, string Reason, OperationRecord? Operation, PowerWish Wish);
