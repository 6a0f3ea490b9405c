using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Audit;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Auditing;

/// <summary>
/// The key that signs checkpoints and the name of the ledger, made once and kept with the settings; the private key is
/// protected by Data Protection. ECDSA P-256, because .NET 10 has no Ed25519.
/// </summary>
public sealed class AuditKey(IConsoleStore store, IDataProtectionProvider protection)
{
    private const string KeySetting = "audit.signing-key", OriginSetting = "audit.origin";

    private readonly IDataProtector _protector = protection.CreateProtector("Plinth.Audit.SigningKey");
    private readonly SemaphoreSlim _once = new(1);
    private NoteSigner? _signer;

    /// <summary>The signer; its name is the ledger's.</summary>
    public async Task<NoteSigner> Signer(CancellationToken stop)
    {
        if (_signer is { } known) return known;
        await _once.WaitAsync(stop);
        try
        {
            return _signer ??= await Load(stop);
        }
        finally
        {
            _once.Release();
        }
    }

    private async Task<NoteSigner> Load(CancellationToken stop)
    {
        var (origin, protectedKey) = await Stored(stop) ?? await Make(stop);
        var signing = ECDsa.Create();
        try
        {
            signing.ImportPkcs8PrivateKey(Convert.FromBase64String(_protector.Unprotect(protectedKey)), out _);
        }
        catch (CryptographicException e)
        {
            throw new InvalidOperationException("The key that signs audit checkpoints cannot be read: the Data Protection keys it was protected with are missing. Restore them together with the database.", e);
        }
        return new NoteSigner(origin, signing);
    }

    private async Task<(string Origin, string Key)?> Stored(CancellationToken stop)
    {
        await using var db = store.Read();
        return await Stored(db, stop);
    }

    private async Task<(string Origin, string Key)> Make(CancellationToken stop)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Before the write, not in it: the first use makes Data Protection store a key of its own on another connection, which
        // would wait for the very lock that the write holds.
        var made = _protector.Protect(Convert.ToBase64String(key.ExportPkcs8PrivateKey()));
        return await store.Write(async scope =>
        {
            if (await Stored(scope.Db, stop) is { } present) return present;
            var origin = $"plinth/audit/{Guid.CreateVersion7(scope.Now):N}";
            scope.Db.AddRange(
                new SettingRow { Key = OriginSetting, Value = origin, UpdatedAt = scope.Now },
                new SettingRow { Key = KeySetting, Value = made, UpdatedAt = scope.Now });
            return (origin, made);
        }, stop);
    }

    private static async Task<(string Origin, string Key)?> Stored(ConsoleDb db, CancellationToken stop)
    {
        var settings = await db.Settings.Where(s => s.Key == KeySetting || s.Key == OriginSetting).ToDictionaryAsync(s => s.Key, s => s.Value, stop);
        return settings.Count == 2 ? (settings[OriginSetting], settings[KeySetting]) : null;
    }
}
