using Plinth.Core.Primitives;

namespace Plinth.Core.Audit;

/// <summary>What a check of a whole ledger found good.</summary>
/// <param name="Signed">How many of the entries a checkpoint signs.</param>
public sealed record LedgerVerdict(long Entries, long Signed, byte[] Root);

/// <summary>
/// Judges a ledger offline: from its entries in leaf order and signed checkpoints alone. An older checkpoint, kept elsewhere,
/// shows what was cut off or rewritten since.
/// </summary>
public static class LedgerVerifier
{
    public static Result<LedgerVerdict> Verify(IEnumerable<AuditEntry> entries, IReadOnlyList<string> checkpoints, params IReadOnlyList<NoteVerifierKey> known) =>
        Verify(entries.Select(e => (e, (byte[]?)null)), new Dictionary<long, byte[]>(), checkpoints, known);

    /// <param name="entries">Each with the leaf hash that the ledger has for it, where that is known: it names the entry that was changed.</param>
    /// <param name="hints">Roots by size that nobody has signed here. Nothing is believed of them; they narrow down where it went wrong.</param>
    /// <param name="checkpoints">Signed notes, any order; the largest says how long the ledger has to be at least.</param>
    public static Result<LedgerVerdict> Verify(
        IEnumerable<(AuditEntry Entry, byte[]? Leaf)> entries, IReadOnlyDictionary<long, byte[]> hints, IReadOnlyList<string> checkpoints, params IReadOnlyList<NoteVerifierKey> known)
    {
        var signed = new Dictionary<long, byte[]>();
        foreach (var note in checkpoints)
        {
            var opened = Checkpoint.Open(note, known);
            if (!opened.Succeeded) return Result<LedgerVerdict>.No(opened.Refusals);
            if (signed.TryGetValue(opened.Value.Size, out var other) && !other.AsSpan().SequenceEqual(opened.Value.Root))
                return Broken($"two checkpoints of {opened.Value.Size} entries have different roots: the ledger was forked");
            signed[opened.Value.Size] = opened.Value.Root;
        }
        var range = new CompactRange();
        if (!Agrees(signed, range)) return Broken("the root that is signed for no entries is another");
        var (before, good, bad) = (0L, 0L, 0L);
        string? changed = null;
        foreach (var (entry, kept) in entries)
        {
            var leaf = entry.LeafHash();
            if (entry.Sequence <= before) changed ??= $"{Named(entry)} stands after entry {before}: they were put in another order";
            else if (kept is not null && !kept.AsSpan().SequenceEqual(leaf)) changed ??= $"{Named(entry)} does not give the hash that the ledger has for it: it was changed";
            before = entry.Sequence;
            range.Append(leaf);
            if (bad == 0 && hints.ContainsKey(range.Size)) (good, bad) = Agrees(hints, range) ? (before, 0L) : (good, before);
            if (Agrees(signed, range)) continue;
            return Broken(changed ?? $"the first {range.Size} entries do not give the root that was signed: after entry {good} and up to entry {(bad == 0 ? before : bad)}, one was changed, moved or removed");
        }
        if (changed is not null) return Broken(changed);
        var longest = signed.Count == 0 ? 0 : signed.Keys.Max();
        if (range.Size < longest) return Broken($"{range.Size} entries are left of the {longest} that a checkpoint signs: {longest - range.Size} were cut off");
        return new LedgerVerdict(range.Size, longest, range.Root());
    }

    private static bool Agrees(IReadOnlyDictionary<long, byte[]> roots, CompactRange range) => !roots.TryGetValue(range.Size, out var root) || root.AsSpan().SequenceEqual(range.Root());

    private static string Named(AuditEntry entry) => $"entry {entry.Sequence} ({entry.Action} on {entry.Target} by {entry.Actor}, {entry.At.UtcDateTime:u})";

    internal static Refusal Broken(string why) => Refusal.Conflict("ledger_broken", $"The audit ledger is not what was signed: {why}.");
}
