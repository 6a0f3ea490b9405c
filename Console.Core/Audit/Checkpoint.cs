using System.Globalization;
using Plinth.Core.Primitives;

namespace Plinth.Core.Audit;

/// <summary>A statement of a ledger's size and root (C2SP tlog-checkpoint): three lines that are signed as a note.</summary>
/// <param name="Origin">Names the ledger; also the name of the key that signs.</param>
public sealed record Checkpoint(string Origin, long Size, byte[] Root)
{
    public string Text => $"{Origin}\n{Size.ToString(CultureInfo.InvariantCulture)}\n{Convert.ToBase64String(Root)}\n";

    /// <summary>Reads the text of a note; lines after the third are extensions and are let be.</summary>
    public static Result<Checkpoint> Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length < 4) return Bad("it has fewer than three lines");
        if (lines[0].Length == 0) return Bad("it names no ledger");
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || lines[1] != size.ToString(CultureInfo.InvariantCulture)) return Bad("its size is not a plain decimal number");
        var root = new byte[lines[2].Length];
        if (!Convert.TryFromBase64String(lines[2], root, out var length) || length != MerkleHash.Bytes) return Bad("its root is not base64 of 32 bytes");
        return new Checkpoint(lines[0], size, root[..length]);

        static Refusal Bad(string why) => Refusal.Invalid("checkpoint", "bad_checkpoint", $"This is no checkpoint: {why}.");
    }

    /// <summary>Reads and verifies a signed checkpoint.</summary>
    public static Result<Checkpoint> Open(string note, params IReadOnlyList<NoteVerifierKey> known)
    {
        var parsed = SignedNote.Parse(note);
        if (!parsed.Succeeded) return Result<Checkpoint>.No(parsed.Refusals);
        var verified = parsed.Value.Verify(known);
        return verified.Succeeded ? Parse(verified.Value.Text) : Result<Checkpoint>.No(verified.Refusals);
    }
}
