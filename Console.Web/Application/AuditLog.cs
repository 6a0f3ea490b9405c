using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Audit;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Auditing;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application;

/// <inheritdoc cref="IAuditLog"/>
internal sealed class AuditLog(IConsoleStore store, AccessControl access, AuditSequencer sequencer, AuditKey key) : IAuditLog
{
    private const string NewestFirst = "-sequence";
    private const int MaxFilter = 200, ExportWindow = 2_000;

    public async Task<Result<Page<AuditEntryView>>> List(Caller caller, AuditQuery query, Window window, CancellationToken stop)
    {
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        foreach (var (field, text) in new[] { ("action", query.Action), ("actor", query.Actor), ("target", query.Target) })
            if (text?.Length > MaxFilter) refusals.Invalid(field, "bad_filter", $"A filter has at most {MaxFilter} characters; this one has {text.Length}.");
        var cursor = Cursor.Read(window, NewestFirst);
        if (!cursor.Succeeded) refusals.Add(cursor.Refusals[0]);
        if (refusals.Any) return Result<Page<AuditEntryView>>.No(refusals.All);

        await using var db = store.Read();
        var mine = await access.Projects(db, caller, Permissions.AuditRead, stop);
        if (!mine.Succeeded) return Result<Page<AuditEntryView>>.No(mine.Refusals);
        var entries = mine.Value.Of(db.AuditEntries);
        if (!string.IsNullOrWhiteSpace(query.Action)) entries = entries.Where(e => e.Action.StartsWith(query.Action.Trim()));
        if (!string.IsNullOrWhiteSpace(query.Actor)) entries = entries.Where(e => e.Actor.Contains(query.Actor.Trim()) || e.ActorId == query.Actor.Trim());
        if (!string.IsNullOrWhiteSpace(query.Target)) entries = entries.Where(e => e.Target.Contains(query.Target.Trim()));
        var total = await entries.LongCountAsync(stop);
        if (window.Offset is { } offset) entries = entries.OrderByDescending(e => e.Sequence).Skip(offset);
        else if (cursor.Value is { } after) entries = entries.Where(e => e.Sequence < after.Number());
        var rows = await entries.OrderByDescending(e => e.Sequence).Take(window.Limit + 1)
            .Select(e => new { Entry = e, Leaf = db.AuditLeaves.Where(l => l.Sequence == e.Sequence).Select(l => l.Hash).FirstOrDefault() })
            .ToListAsync(stop);
        string? next = null;
        if (rows.Count > window.Limit)
        {
            rows.RemoveAt(rows.Count - 1);
            next = new Cursor(NewestFirst, rows[^1].Entry.Sequence.ToString(), "").Text();
        }
        var veil = await access.Veil(db, caller, stop);
        return new Page<AuditEntryView>(
            [.. rows.Select(r => veil.Of(new AuditEntryView(
                r.Entry.Sequence, r.Entry.At, r.Entry.Actor, r.Entry.ActorKind.ToString().ToLowerInvariant(), r.Entry.Action, r.Entry.Target, r.Entry.Project,
                r.Entry.Outcome, r.Entry.Detail, r.Entry.RemoteAddress, r.Leaf is null ? null : Convert.ToBase64String(r.Leaf)), caller.Principal))],
            total, next);
    }

    public async Task<Result<CheckpointView?>> Checkpoint(Caller caller, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.AuditRead, stop) is { } no) return no;
        // Whoever asks wants their last act to be covered.
        await sequencer.Advance(stop);
        var verifier = (await key.Signer(stop)).Verifier.ToString();
        await using var db = store.Read();
        var newest = await db.AuditCheckpoints.OrderByDescending(c => c.Size).FirstOrDefaultAsync(stop);
        return Result<CheckpointView?>.Ok(newest is null ? null : new CheckpointView(newest.Size, Convert.ToBase64String(newest.RootHash), newest.Note, newest.At, verifier));
    }

    public async Task<Result<IReadOnlyList<string>>> InclusionProof(Caller caller, long sequence, long size, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.AuditRead, stop) is { } no) return no;
        await using var db = store.Read();
        var leaves = await Leaves(db, stop);
        if (size < 1 || size > leaves) return NoSuchSize("size", size, leaves);
        var leaf = await db.AuditLeaves.SingleOrDefaultAsync(l => l.Sequence == sequence, stop);
        if (leaf is null) return Refusal.NotFound("entry_not_found", $"The audit ledger has no sequenced entry {sequence}.", "sequence");
        if (leaf.Index >= size) return Refusal.Invalid("size", "entry_not_in_tree", $"Entry {sequence} is leaf {leaf.Index}: a tree of {size} leaves does not contain it. Take a size from {leaf.Index + 1} to {leaves}.");
        return Text(await AuditTree.Proof(db, MerkleProof.Inclusion(leaf.Index, size), stop));
    }

    public async Task<Result<IReadOnlyList<string>>> ConsistencyProof(Caller caller, long from, long to, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.AuditRead, stop) is { } no) return no;
        await using var db = store.Read();
        var leaves = await Leaves(db, stop);
        if (to < 1 || to > leaves) return NoSuchSize("to", to, leaves);
        if (from < 1 || from > to) return Refusal.Invalid("from", "bad_tree_size", $"`from` is {from}; it has to be from 1 to {to}, the size to compare with.");
        return Text(await AuditTree.Proof(db, MerkleProof.Consistency(from, to), stop));
    }

    public async Task<Result<IAsyncEnumerable<string>>> Export(Caller caller, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.AuditRead, stop) is { } no) return no;
        await sequencer.Advance(stop);
        var verifier = (await key.Signer(stop)).Verifier.ToString();
        return Result<IAsyncEnumerable<string>>.Ok(Lines(verifier, stop));
    }

    private async IAsyncEnumerable<string> Lines(string verifier, [EnumeratorCancellation] CancellationToken stop)
    {
        List<AuditCheckpointRow> checkpoints;
        await using (var db = store.Read()) checkpoints = await db.AuditCheckpoints.OrderBy(c => c.Size).ToListAsync(stop);
        var size = checkpoints.Count == 0 ? 0 : checkpoints[^1].Size;
        yield return LedgerExport.Line(new LedgerHead(LedgerExport.Format, verifier, checkpoints.LastOrDefault()?.Note, checkpoints.Count, checkpoints.LastOrDefault()?.At ?? DateTimeOffset.UnixEpoch));
        foreach (var checkpoint in checkpoints) yield return LedgerExport.Line(new LedgerSize(checkpoint.Size, Convert.ToBase64String(checkpoint.RootHash)));
        // Window by window: one long read would hold back the database's own upkeep.
        for (var from = 0L; from < size;)
        {
            var (start, end) = (from, Math.Min(from + ExportWindow, size));
            await using var db = store.Read();
            var rows = await db.AuditLeaves.Where(l => l.Index >= start && l.Index < end).OrderBy(l => l.Index).Join(db.AuditEntries, l => l.Sequence, e => e.Sequence, (l, e) => new { l.Hash, Entry = e }).ToListAsync(stop);
            foreach (var row in rows) yield return LedgerExport.Line(LedgerLine.Of(AuditTree.Entry(row.Entry), row.Hash));
            from = end;
        }
    }

    public async Task<Result<byte[]?>> Tile(Caller caller, TileAddress tile, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.AuditRead, stop) is { } no) return no;
        await using var db = store.Read();
        if (!tile.IsWithin(await Leaves(db, stop))) return Result<byte[]?>.Ok(null);
        return Result<byte[]?>.Ok([.. (await AuditTree.Hashes(db, tile.Nodes, stop)).SelectMany(h => h)]);
    }

    public async Task<Result<byte[]?>> TileEntries(Caller caller, TileAddress tile, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.AuditRead, stop) is { } no) return no;
        await using var db = store.Read();
        if (!tile.IsWithin(await Leaves(db, stop))) return Result<byte[]?>.Ok(null);
        var (start, end) = (tile.Index * TileAddress.Width, (tile.Index * TileAddress.Width) + tile.Count);
        var rows = await db.AuditLeaves.Where(l => l.Index >= start && l.Index < end).OrderBy(l => l.Index).Join(db.AuditEntries, l => l.Sequence, e => e.Sequence, (l, e) => e).ToListAsync(stop);
        return Result<byte[]?>.Ok(TileAddress.Bundle(rows.Select(r => AuditTree.Entry(r).CanonicalBytes())));
    }

    public async Task<string> PublicCheckpoint(CancellationToken stop)
    {
        await using var db = store.Read();
        return await db.AuditCheckpoints.OrderByDescending(c => c.Size).Select(c => c.Note).FirstOrDefaultAsync(stop) ?? "";
    }

    private static async Task<long> Leaves(ConsoleDb db, CancellationToken stop) => await db.AuditLeaves.MaxAsync(l => (long?)l.Index, stop) + 1 ?? 0;

    private static Result<IReadOnlyList<string>> Text(IReadOnlyList<byte[]> proof) => Result<IReadOnlyList<string>>.Ok([.. proof.Select(Convert.ToBase64String)]);

    private static Refusal NoSuchSize(string field, long size, long leaves) =>
        Refusal.Invalid(field, "bad_tree_size", leaves == 0 ? "The audit ledger has no leaves yet." : $"`{field}` is {size}; the audit ledger has sizes from 1 to {leaves}.");
}
