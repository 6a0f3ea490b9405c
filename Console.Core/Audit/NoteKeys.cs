using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Plinth.Core.Primitives;

namespace Plinth.Core.Audit;

/// <summary>The types of C2SP signed-note keys that are understood here.</summary>
public enum NoteKeyType : byte { Ed25519 = 0x01, EcdsaP256 = 0x02 }

/// <summary>A public key that verifies notes. Its text form is <c>name+keyid+base64(type || key)</c>.</summary>
public sealed class NoteVerifierKey
{
    private readonly byte[] _key;

    private NoteVerifierKey(string name, NoteKeyType type, byte[] key) => (Name, Type, _key) = (name, type, key);

    public string Name { get; }
    public NoteKeyType Type { get; }

    /// <summary>Identifies the key together with its name; not a fingerprint to trust.</summary>
    public uint Id => BinaryPrimitives.ReadUInt32BigEndian(Type == NoteKeyType.EcdsaP256
        // As the witnesses that introduced this type do: over the key in SPKI form alone.
        ? SHA256.HashData(_key)
        : SHA256.HashData([.. Encoding.UTF8.GetBytes(Name), (byte)'\n', (byte)Type, .. _key]));

    public static NoteVerifierKey Of(string name, ECDsa key) => new(name, NoteKeyType.EcdsaP256, key.ExportSubjectPublicKeyInfo());

    /// <summary>Reads the text form; refuses unknown types, wrong lengths and an id that is not the key's.</summary>
    public static Result<NoteVerifierKey> Parse(string text)
    {
        var parts = text.Split('+', 3);
        if (parts.Length != 3 || !SignedNote.IsKeyName(parts[0])) return Bad("it is not of the form name+keyid+key");
        if (parts[1].Length != 8 || !uint.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)) return Bad("its key id is not eight hex digits");
        var bytes = new byte[parts[2].Length];
        if (!Convert.TryFromBase64String(parts[2], bytes, out var length) || length < 2) return Bad("its key is not base64");
        var (type, key) = ((NoteKeyType)bytes[0], bytes[1..length]);
        if (type == NoteKeyType.Ed25519 ? key.Length != 32 : type != NoteKeyType.EcdsaP256 || !IsEcdsaKey(key)) return Bad("its key is neither Ed25519 (type 1) nor ECDSA (type 2)");
        var parsed = new NoteVerifierKey(parts[0], type, key);
        return parsed.Id == id ? parsed : Bad($"its key id is {id:x8}, that of the key is {parsed.Id:x8}");

        static Refusal Bad(string why) => Refusal.Invalid("key", "bad_note_key", $"This is no key of signed notes: {why}.");
    }

    public bool Verify(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        if (Type == NoteKeyType.Ed25519) return Ed25519.Verify(_key, text, signature);
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(_key, out _);
        return ecdsa.VerifyData(text, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    public override string ToString() => $"{Name}+{Id:x8}+{Convert.ToBase64String([(byte)Type, .. _key])}";

    private static bool IsEcdsaKey(byte[] spki)
    {
        try
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(spki, out var read);
            return read == spki.Length;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}

/// <summary>Signs notes with ECDSA P-256 (C2SP type 2): Ed25519 is not in .NET 10.</summary>
public sealed class NoteSigner(string name, ECDsa key)
{
    public NoteVerifierKey Verifier { get; } = NoteVerifierKey.Of(name, key);

    /// <param name="text">Ends in a newline and contains no control character but newlines.</param>
    public SignedNote Sign(string text) => new(text,
        [new NoteSignature(name, Verifier.Id, key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))]);
}
