using System.Buffers.Binary;
using System.Text;
using Plinth.Core.Primitives;

namespace Plinth.Core.Machines;

/// <summary>One OpenSSH public key line: <c>type base64 [comment]</c> (RFC 4253 §6.6 inside the base64). No options, no line ends.</summary>
/// <param name="Blob">The base64 as given: two lines with the same one are the same key.</param>
public sealed record SshPublicKey(string Type, string Blob, string Comment)
{
    public const int MaxLength = 8192;
    private const int MinRsaBits = 2048;

    private static readonly string[] Types =
    [
        "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ];

    public static Result<SshPublicKey> Parse(string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return No("The key is empty; paste the line of a .pub file.");
        if (line.Length > MaxLength) return No($"The key has {line.Length} characters; at most {MaxLength} are allowed.");
        if (line.Contains("PRIVATE KEY", StringComparison.Ordinal)) return No("This is a private key. Keep it secret and paste the .pub file's line instead.");
        if (!TextRules.IsPrintable(line)) return No("The key has a line end or control character in it; one key is one line.");
        var parts = line.Trim().Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (!Types.Contains(parts[0]))
            return No($"{RefusalList.Quote(parts[0])} is not a key type that is accepted ({string.Join(", ", Types)}); options before the type are not accepted either.");
        if (parts.Length < 2) return No("The key ends after its type; paste the whole line of the .pub file.");
        var blob = new byte[parts[1].Length];
        if (!Convert.TryFromBase64String(parts[1], blob, out var length)) return No("The part after the type is not base64; paste the line of the .pub file unchanged.");
        return WhatIsWrong(parts[0], blob.AsSpan(0, length)) is { } wrong
            ? No(wrong)
            : new SshPublicKey(parts[0], parts[1], parts.Length > 2 ? parts[2].Trim() : "");
    }

    public override string ToString() => Comment.Length > 0 ? $"{Type} {Blob} {Comment}" : $"{Type} {Blob}";

    private static Refusal No(string message) => Refusal.Invalid("keys", "bad_key", message);

    private static string? WhatIsWrong(string type, ReadOnlySpan<byte> rest)
    {
        const string damaged = "The key's content is damaged or cut off; paste the line of the .pub file unchanged.";
        if (!TakeText(ref rest, out var inner)) return damaged;
        if (inner != type) return $"The line says {type}, its content says {RefusalList.Quote(inner)}; paste the line of the .pub file unchanged.";
        switch (type)
        {
            case "ssh-ed25519":
                return Take(ref rest, out var point) && point.Length == 32 && rest.IsEmpty ? null : damaged;
            case "sk-ssh-ed25519@openssh.com":
                return Take(ref rest, out var skPoint) && skPoint.Length == 32 && Take(ref rest, out var application) && application.Length > 0 && rest.IsEmpty ? null : damaged;
            case "ssh-rsa":
                if (!Take(ref rest, out var exponent) || exponent.IsEmpty || !Take(ref rest, out var modulus) || modulus.IsEmpty || !rest.IsEmpty) return damaged;
                var bits = Bits(modulus);
                return bits < MinRsaBits ? $"The RSA key has {bits} bits; at least {MinRsaBits} are needed. Make an ed25519 key: ssh-keygen -t ed25519." : null;
            default:
                var curve = type.Contains("nistp256") ? ("nistp256", 65) : type.Contains("nistp384") ? ("nistp384", 97) : ("nistp521", 133);
                if (!TakeText(ref rest, out var name) || name != curve.Item1) return damaged;
                if (!Take(ref rest, out var ecPoint) || ecPoint.Length != curve.Item2 || ecPoint[0] != 4) return damaged;
                if (type.StartsWith("sk-", StringComparison.Ordinal) && (!Take(ref rest, out var ecApplication) || ecApplication.IsEmpty)) return damaged;
                return rest.IsEmpty ? null : damaged;
        }
    }

    // An RFC 4251 string: four bytes of length, then the bytes.
    private static bool Take(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (rest.Length < 4) return false;
        var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        if (length > rest.Length - 4) return false;
        value = rest.Slice(4, (int)length);
        rest = rest[(4 + (int)length)..];
        return true;
    }

    private static bool TakeText(ref ReadOnlySpan<byte> rest, out string text)
    {
        var ok = Take(ref rest, out var value) && value.Length is > 0 and <= 64;
        text = ok ? Encoding.Latin1.GetString(value) : "";
        return ok;
    }

    private static int Bits(ReadOnlySpan<byte> mpint)
    {
        while (!mpint.IsEmpty && mpint[0] == 0) mpint = mpint[1..];
        return mpint.IsEmpty ? 0 : (mpint.Length * 8) - (System.Numerics.BitOperations.LeadingZeroCount(mpint[0]) - 24);
    }
}
