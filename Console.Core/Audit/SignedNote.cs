using System.Buffers.Binary;
using System.Text;
using Plinth.Core.Primitives;

namespace Plinth.Core.Audit;

/// <param name="KeyId">With the name, which key made it.</param>
public sealed record NoteSignature(string Name, uint KeyId, byte[] Value);

/// <summary>Text with the signatures under it, in the form of C2SP signed-note: the text, an empty line, one line per signature.</summary>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Signatures)
{
    // The reference implementation's bound; more is an attack on the verifier.
    private const int MaxSignatures = 100;
    private const string Dash = "\u2014 ";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public override string ToString() =>
        Text + "\n" + string.Concat(Signatures.Select(s =>
        {
            var bytes = new byte[4 + s.Value.Length];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, s.KeyId);
            s.Value.CopyTo(bytes, 4);
            return $"{Dash}{s.Name} {Convert.ToBase64String(bytes)}\n";
        }));

    /// <summary>Reads the bytes of a note; judges the form, not the signatures.</summary>
    public static Result<SignedNote> Parse(ReadOnlySpan<byte> bytes)
    {
        string all;
        try
        {
            all = Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Bad("it is not UTF-8");
        }
        return Parse(all);
    }

    public static Result<SignedNote> Parse(string all)
    {
        if (all.Any(c => c < ' ' && c != '\n')) return Bad("it contains a control character");
        var split = all.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (split < 0) return Bad("no empty line divides the text from signatures");
        var (text, below) = (all[..(split + 1)], all[(split + 2)..]);
        if (below.Length == 0) return Bad("it is not signed");
        if (below[^1] != '\n') return Bad("the last line does not end");
        var lines = below[..^1].Split('\n');
        if (lines.Length > MaxSignatures) return Bad($"it carries {lines.Length} signatures, at most {MaxSignatures} are read");
        var signatures = new List<NoteSignature>(lines.Length);
        foreach (var line in lines)
        {
            if (!line.StartsWith(Dash, StringComparison.Ordinal) || line[Dash.Length..].Split(' ') is not [var name, var value] || !IsKeyName(name)) return Bad("a signature line is not \u201c\u2014 name base64\u201d");
            var decoded = new byte[value.Length];
            if (!Convert.TryFromBase64String(value, decoded, out var length) || length < 5) return Bad("a signature is not base64 of at least five bytes");
            signatures.Add(new NoteSignature(name, BinaryPrimitives.ReadUInt32BigEndian(decoded), decoded[4..length]));
        }
        return new SignedNote(text, signatures);
    }

    /// <summary>
    /// True when at least one of the known keys signed and none of their signatures is wrong; signatures of other keys say nothing.
    /// </summary>
    public Result<SignedNote> Verify(params IReadOnlyList<NoteVerifierKey> known)
    {
        var text = Encoding.UTF8.GetBytes(Text);
        var verified = 0;
        foreach (var signature in Signatures)
        {
            if (known.FirstOrDefault(k => k.Name == signature.Name && k.Id == signature.KeyId) is not { } key) continue;
            if (!key.Verify(text, signature.Value)) return Bad($"the signature of {key.Name} is wrong");
            verified++;
        }
        return verified > 0 ? this : Bad("no known key has signed it");
    }

    internal static bool IsKeyName(string name) => name.Length > 0 && !name.Any(c => char.IsWhiteSpace(c) || c == '+');

    private static Refusal Bad(string why) => Refusal.Invalid("note", "bad_note", $"The signed note is not acceptable: {why}.");
}
