using Microsoft.EntityFrameworkCore;
using Plinth.Core.Audit;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Auditing;

/// <summary>
/// Gives entries their leaf indexes, in the order of their sequence, and signs the root after each batch. Entries come into the
/// database in that order (the store's writer sees to it), so whatever has no leaf stands behind everything that has.
/// </summary>
public sealed class AuditSequencer(IConsoleStore store, AuditKey key)
{
    // One write holds up the others for as long as this many rows take to be hashed and inserted, some tens of milliseconds.
    private const int MaxBatch = 200;

    /// <summary>Sequences all that wait. Gives the number of leaves.</summary>
    public async Task<long> Advance(CancellationToken stop)
    {
        var signer = await key.Signer(stop);
        while (true)
        {
            // Looked at first without the writer's lock: most of the time there is nothing to do.
            await using (var db = store.Read())
            {
                var last = await db.AuditLeaves.OrderByDescending(l => l.Index).FirstOrDefaultAsync(stop);
                if (!await db.AuditEntries.AnyAsync(e => e.Sequence > (last == null ? 0 : last.Sequence), stop)) return last is null ? 0 : last.Index + 1;
            }
            await store.Write(scope => Batch(scope, signer, stop), stop);
        }
    }

    private static async Task<long> Batch(WriteScope scope, NoteSigner signer, CancellationToken stop)
    {
        var db = scope.Db;
        var last = await db.AuditLeaves.AsNoTracking().OrderByDescending(l => l.Index).FirstOrDefaultAsync(stop);
        var (size, after) = last is null ? (0, 0) : (last.Index + 1, last.Sequence);
        var entries = await db.AuditEntries.AsNoTracking().Where(e => e.Sequence > after).OrderBy(e => e.Sequence).Take(MaxBatch).ToListAsync(stop);
        if (entries.Count == 0) return size;

        var range = new CompactRange(size, await AuditTree.Hashes(db, CompactRange.Edge(size), stop));
        foreach (var entry in entries)
        {
            var leaf = AuditTree.Entry(entry).LeafHash();
            db.AuditLeaves.Add(new AuditLeafRow { Index = range.Size, Sequence = entry.Sequence, Hash = leaf });
            db.AuditNodes.AddRange(range.Append(leaf).Select(n => new AuditNodeRow { Level = n.Address.Level, Index = n.Address.Index, Hash = n.Hash }));
        }
        var checkpoint = new Checkpoint(signer.Verifier.Name, range.Size, range.Root());
        db.AuditCheckpoints.Add(new AuditCheckpointRow { Size = checkpoint.Size, RootHash = checkpoint.Root, Note = signer.Sign(checkpoint.Text).ToString(), At = scope.Now });
        return range.Size;
    }
}
