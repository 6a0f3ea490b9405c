using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using Plinth.Web.Options;

namespace Plinth.Web.Security.OpenId;

/// <summary>The keys of the OpenID provider, made once and kept in the data directory: tokens stay valid over restarts, and a start makes no keys.</summary>
public sealed record OpenIdKeys(ECDsaSecurityKey Signing, SymmetricSecurityKey Encryption)
{
    private const int EncryptionBytes = 32;

    /// <summary>In the data directory: the signing key and the encryption key.</summary>
    public static IReadOnlyList<string> Files { get; } = ["openid-signing.key", "openid-encryption.key"];

    public static OpenIdKeys LoadOrCreate(DataDirectory data)
    {
        var signing = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signingPath = data.File(Files[0]);
        if (File.Exists(signingPath)) signing.ImportFromPem(File.ReadAllText(signingPath));
        else DataDirectory.WriteSecret(signingPath, System.Text.Encoding.ASCII.GetBytes(signing.ExportPkcs8PrivateKeyPem()));

        var encryptionPath = data.File(Files[1]);
        if (!File.Exists(encryptionPath)) DataDirectory.WriteSecret(encryptionPath, RandomNumberGenerator.GetBytes(EncryptionBytes));
        var encryption = File.ReadAllBytes(encryptionPath);
        if (encryption.Length != EncryptionBytes) throw new SettingsException([$"{encryptionPath} holds {encryption.Length} bytes instead of {EncryptionBytes}; restore it from a backup, or delete it: every API token then has to be asked for anew"]);
        return new OpenIdKeys(new ECDsaSecurityKey(signing) { KeyId = Id(signing.ExportSubjectPublicKeyInfo()) }, new SymmetricSecurityKey(encryption) { KeyId = Id(encryption) });
    }

    private static string Id(byte[] key) => Convert.ToHexStringLower(SHA256.HashData(key))[..16];
}
