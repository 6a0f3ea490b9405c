using Plinth.Core.Primitives;

namespace Plinth.Core.State;

/// <summary>Which server runs the loops and holds the agents' sessions: one row that all servers of a console share.</summary>
/// <param name="Epoch">Rises with every holder, and with every start of the same one. It stands in the transaction of each write that it guards.</param>
/// <param name="Since">When this epoch began.</param>
/// <param name="Until">When others may take the lease, unless it is renewed before. By the database's clock, the only one that all servers share.</param>
public sealed record LeaderLease(ServerId Holder, Epoch Epoch, DateTimeOffset Since, DateTimeOffset Until);

public enum LeaseVerdict
{
    /// <summary>This server leads from now on, under a new epoch.</summary>
    Taken,
    /// <summary>It goes on leading.</summary>
    Renewed,
    /// <summary>Another one leads.</summary>
    Follows,
}

/// <summary>What becomes of the lease; for <see cref="LeaseVerdict.Follows"/> it stays as it is.</summary>
public sealed record LeaseDecision(LeaseVerdict Verdict, LeaderLease Lease);

/// <summary>
/// Who leads. A lease lapses by itself, so a server that is gone is replaced; it does not fence by itself, so a server that was only
/// asleep is stopped by the epoch: what it writes stands only while its epoch is the lease's.
/// </summary>
public static class Leadership
{
    /// <summary>From the last sign of life to the replacement; with the reconnection of the agents it stays under 15 s.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(10);

    /// <summary>Four renewals may be missed in a row.</summary>
    public static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);

    /// <summary>A server that leads acts no longer than this after the beginning of its last renewal, whatever it could reach since: a little less than the lease, for clocks that run apart.</summary>
    public static readonly TimeSpan ActsFor = TimeSpan.FromSeconds(9);

    /// <param name="held">The epoch that this process leads under; <see cref="Epoch.None"/> when it does not.</param>
    public static LeaseDecision Decide(LeaderLease? current, ServerId me, Epoch held, DateTimeOffset now)
    {
        if (current is null) return Take(me, Epoch.None, now);
        // Nobody else has led since, even when it lapsed meanwhile.
        if (current.Holder == me && current.Epoch == held) return new(LeaseVerdict.Renewed, current with { Until = Later(current.Until, now + Life) });
        // The data directory is held by this process: the one that led before on it has ended.
        if (current.Holder == me) return Take(me, current.Epoch, now);
        return now >= current.Until ? Take(me, current.Epoch, now) : new(LeaseVerdict.Follows, current);
    }

    /// <summary>An orderly end: the others need not wait. Unchanged where somebody else leads.</summary>
    public static LeaderLease Release(LeaderLease current, ServerId me, Epoch held, DateTimeOffset now) =>
        current.Holder == me && current.Epoch == held && current.Until > now ? current with { Until = now } : current;

    /// <summary>Null while what is written under <paramref name="epoch"/> may stand; otherwise why not.</summary>
    public static Refusal? Fence(Epoch epoch, LeaderLease? current) => current?.Epoch == epoch
        ? null
        : Refusal.Conflict("leadership_over", $"This was to be written under the leadership's epoch {epoch}; in force is {current?.Epoch ?? Epoch.None}{(current is null ? "" : $", of server {current.Holder}")}. Nothing was written.");

    private static LeaseDecision Take(ServerId me, Epoch before, DateTimeOffset now) => new(LeaseVerdict.Taken, new LeaderLease(me, before.Next(), now, now + Life));

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
