using OtpNet;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <summary>Codes of an authenticator app (TOTP, RFC 6238: 6 digits, 30 s, SHA-1, which all apps know), and the codes for when it is lost.</summary>
internal static class SecondFactor
{
    private const int KeyBytes = 20, Codes = 10, CodeBytes = 15, Group = 4;

    // A clock may be half a minute off.
    private static readonly VerificationWindow Window = new(previous: 1, future: 1);

    /// <summary>A fresh key, base32.</summary>
    public static string NewKey() => Base32Encoding.ToString(KeyGeneration.GenerateRandomKey(KeyBytes));

    /// <summary>What an app reads from a QR code.</summary>
    public static string Uri(string key, string person) => new OtpUri(OtpType.Totp, key, person, "Plinth").ToString();

    /// <summary>The time step that the code is of; null for a wrong one, or one that is not newer than <paramref name="after"/>: each works once.</summary>
    public static long? Step(string key, string code, long after, DateTimeOffset now) =>
        new Totp(Base32Encoding.ToBytes(key)).VerifyTotp(now.UtcDateTime, code, out var step, Window) && step > after ? step : null;

    /// <summary>Codes of 120 random bits: "ABCD-EFGH-…".</summary>
    public static IReadOnlyList<string> NewRecoveryCodes() =>
        [.. Enumerable.Range(0, Codes).Select(_ => string.Join('-', Base32Encoding.ToString(KeyGeneration.GenerateRandomKey(CodeBytes)).TrimEnd('=').Chunk(Group).Select(c => new string(c))))];

    public static string Hash(string recoveryCode) => Secrets.Hash(recoveryCode.Replace("-", "", StringComparison.Ordinal).Trim().ToUpperInvariant());

    /// <summary>Uses the code up, of either kind; what was used for the sentence, null for a wrong one.</summary>
    /// <param name="key">The authenticator's, unprotected.</param>
    public static string? Use(CredentialRow row, string key, string code, DateTimeOffset now)
    {
        code = code.Replace(" ", "", StringComparison.Ordinal);
        if (code.Length == 6 && Step(key, code, row.AuthenticatorStep, now) is { } step)
        {
            row.AuthenticatorStep = step;
            return "code";
        }
        var hash = Hash(code);
        if (!row.RecoveryCodes.Contains(hash)) return null;
        row.RecoveryCodes = [.. row.RecoveryCodes.Where(c => c != hash)];
        return "recovery code";
    }
}
