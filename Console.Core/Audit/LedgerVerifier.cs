using Plinth.Core.Primitives;

namespace Plinth.Core.Audit;

/// <summary>What a check of a whole ledger found good.</summary>
public sealed record LedgerVerdict(long Entries, byte[] Root);

/// <summary>
/// Judges a ledger offline: from its entries in leaf order and signed checkpoints alone. An older checkpoint, kept elsewhere,
/// shows what was cut off or rewritten since.
/// </summary>
public static class LedgerVerifier
{
    /// <param name="checkpoints">Signed notes, any order; the largest says how long the ledger has to be at least.</param>
    public static Result<LedgerVerdict> Verify(IEnumerable<AuditEntry> entries, IReadOnlyList<string> checkpoints, params IReadOnlyList<NoteVerifierKey> known)
    {
        var expected = new SortedDictionary<long, Checkpoint>();
        foreach (var note in checkpoints)
        {
            var opened = Checkpoint.Open(note, known);
            if (!opened.Succeeded) return Result<LedgerVerdict>.No(opened.Refusals);
            if (expected.TryGetValue(opened.Value.Size, out var other) && !other.Root.AsSpan().SequenceEqual(opened.Value.Root))
                return Broken($"two checkpoints of {opened.Value.Size} entries have different roots: the ledger was forked");
            expected[opened.Value.Size] = opened.Value;
        }
        var range = new CompactRange();
        if (Contradiction() is { } atStart) return atStart;
        foreach (var entry in entries)
        {
            range.Append(entry.LeafHash());
            if (Contradiction() is { } refusal) return refusal;
        }
        if (expected.Count > 0 && expected.Keys.Last() is var size && range.Size < size)
            return Broken($"{range.Size} entries are left of the {size} that a checkpoint signs: {size - range.Size} were cut off");
        return new LedgerVerdict(range.Size, range.Root());

        Refusal? Contradiction() => expected.TryGetValue(range.Size, out var checkpoint) && !checkpoint.Root.AsSpan().SequenceEqual(range.Root())
            ? Broken($"the first {range.Size} entries do not give the root that was signed: one of them was changed, moved or removed")
            : null;
    }

    private static Refusal Broken(string why) => Refusal.Conflict("ledger_broken", $"The audit ledger is not what was signed: {why}.");
}
