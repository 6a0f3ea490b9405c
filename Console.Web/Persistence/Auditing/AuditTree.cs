using Microsoft.EntityFrameworkCore;
using Plinth.Core.Audit;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Auditing;

/// <summary>The stored Merkle tree: leaves in one table, complete subtrees above them in another.</summary>
public static class AuditTree
{
    /// <summary>The entry as it is hashed.</summary>
    public static AuditEntry Entry(AuditEntryRow row) => new(
        row.Sequence, row.At, row.ActorKind.ToString(), row.ActorId, row.Actor, row.Action, row.Target, row.Project, row.Outcome, row.Detail, row.RemoteAddress);

    /// <summary>The hashes of a proof, read in as many queries as the tree has levels.</summary>
    public static async Task<IReadOnlyList<byte[]>> Proof(ConsoleDb db, IReadOnlyList<LeafRange> ranges, CancellationToken stop)
    {
        var addresses = ranges.SelectMany(r => r.Nodes).Distinct().ToArray();
        var hashes = addresses.Zip(await Hashes(db, addresses, stop)).ToDictionary(p => p.First, p => p.Second);
        return [.. ranges.Select(r => r.Fold(n => hashes[n]))];
    }

    /// <summary>The hashes of complete subtrees, in the order asked.</summary>
    /// <exception cref="InvalidDataException">One is missing: the tables were changed by another hand.</exception>
    public static async Task<IReadOnlyList<byte[]>> Hashes(ConsoleDb db, IReadOnlyList<NodeAddress> addresses, CancellationToken stop)
    {
        var found = new Dictionary<NodeAddress, byte[]>();
        foreach (var level in addresses.GroupBy(a => a.Level))
        {
            var indexes = level.Select(a => a.Index).ToArray();
            var rows = level.Key == 0
                ? await db.AuditLeaves.AsNoTracking().Where(l => indexes.Contains(l.Index)).Select(l => new { l.Index, l.Hash }).ToListAsync(stop)
                : await db.AuditNodes.AsNoTracking().Where(n => n.Level == level.Key && indexes.Contains(n.Index)).Select(n => new { n.Index, n.Hash }).ToListAsync(stop);
            foreach (var row in rows) found[new NodeAddress(level.Key, row.Index)] = row.Hash;
        }
        return [.. addresses.Select(a => found.TryGetValue(a, out var hash) ? hash : throw new InvalidDataException($"the audit tree has no node {a.Index} at level {a.Level}"))];
    }
}
