using Plinth.Agents.Network;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>The one next thing to do for an interface. Each act is idempotent, so doing it again after a crash completes it.</summary>
internal abstract record InterfaceAction(StepKind Step)
{
    /// <summary>Nothing now; look again at <paramref name="Until"/>, or when something happens.</summary>
    internal sealed record Rest(DateTimeOffset? Until = null) : InterfaceAction(StepKind.Accepted);

    /// <summary>No rule holds it to its own addresses yet: it is not added before one does.</summary>
    internal sealed record AwaitRules() : InterfaceAction(StepKind.Plugged);

    internal sealed record Add(DesiredNic Nic) : InterfaceAction(StepKind.Plugged);
    internal sealed record Remove() : InterfaceAction(StepKind.Unplugged);

    /// <summary>It was to go, and is gone.</summary>
    internal sealed record Fulfilled() : InterfaceAction(StepKind.Unplugged);
}

/// <summary>An interface as it should be and as it is.</summary>
/// <param name="Info">Null where its machine does not have it.</param>
/// <param name="Machine">The machine's domain.</param>
/// <param name="Pinned">The packet rules hold it to its own addresses.</param>
/// <param name="AskedAt">When the guest was last asked to release it.</param>
internal sealed record InterfaceSight(DesiredNic Desired, InterfaceInfo? Info, DomainState Machine, bool Pinned, DateTimeOffset? AskedAt);

/// <summary>Decides what to do next for one interface. Pure; the executor has no choices left.</summary>
internal static class InterfacePlan
{
    public static InterfaceAction Next(InterfaceSight sight, DateTimeOffset now) => sight switch
    {
        { Desired.Leaving: true, Info: null } => new InterfaceAction.Fulfilled(),
        { Desired.Leaving: true, Info: { } info } => Remove(info, sight.AskedAt, now),
        // A machine that is not defined yet is defined with it.
        { Machine: DomainState.Absent } => new InterfaceAction.Rest(),
        _ when IsThere(sight.Info, sight.Machine) => new InterfaceAction.Rest(),
        { Pinned: false } => new InterfaceAction.AwaitRules(),
        _ => new InterfaceAction.Add(sight.Desired),
    };

    private static InterfaceAction Remove(InterfaceInfo info, DateTimeOffset? askedAt, DateTimeOffset now)
    {
        var again = askedAt + VolumePlan.AskAgainAfter;
        return info.Plugged && again > now ? new InterfaceAction.Rest(again) : new InterfaceAction.Remove();
    }

    private static bool IsThere(InterfaceInfo? info, DomainState machine) => info is { Configured: true } && (info.Plugged || machine == DomainState.Off);
}
