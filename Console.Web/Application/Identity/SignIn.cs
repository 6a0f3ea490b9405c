using System.Net;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <inheritdoc cref="ISignIn"/>
internal sealed class SignIn(IConsoleStore store, Passwords passwords, AuthenticatorKeys keys, WrongTries wrong, RefusalBundler bundler, TimeProvider time) : ISignIn
{
    private const string ByLink = "sign-in link";
    private const string Another = "Ask for another where you got it; the operator restarts Plinth for one, or runs plinth-console --sign-in-link where it runs.";

    // The same whether the name is known, the password wrong or the door shut: a stranger learns nothing of who is here.
    private static readonly string NotLetIn = $"The name or the password is wrong. After {LockOut.Tries} wrong ones in a row none is looked at for a while, at most {LockOut.Longest.TotalMinutes:0} minutes; the right one neither.";

    public Task<Result<FirstFactor>> UseLink(string secret, Visitor visitor, CancellationToken stop)
    {
        var hash = Secrets.Hash(secret);
        return store.Write(async scope =>
        {
            var link = await scope.Db.SignInLinks.AsTracking().FirstOrDefaultAsync(l => l.TokenHash == hash, stop);
            var refusal = link switch
            {
                null => "This sign-in link is not known: a newer one has replaced it, or it was not copied whole.",
                { UsedAt: not null } => $"This sign-in link was used already; each works once. {Another}",
                _ when link.ExpiresAt <= scope.Now => $"This sign-in link was valid until {link.ExpiresAt:u}. {Another}",
                _ => null,
            };
            var user = link is null ? null : await scope.Db.Users.AsTracking().FirstOrDefaultAsync(u => u.Id == link.User, stop);
            if (refusal is null && (user is null || user.Disabled)) refusal = "The person behind this sign-in link may not sign in any more.";
            if (refusal is not null)
            {
                Refused(scope, visitor, link is null ? "sign-in-link" : $"user/{link.User}", refusal);
                return (Result<FirstFactor>)Refusal.Forbidden(refusal);
            }
            link!.UsedAt = scope.Now;
            if (!link.SkipsCode && await scope.Db.Credentials.AnyAsync(c => c.User == link.User && c.AuthenticatorSince != null, stop)) return new FirstFactor(null, new CodeAsked(link.User, ByLink));
            return new FirstFactor(await Sessions.Begin(scope, user!, ByLink, visitor), null);
        }, stop);
    }

    public async Task<Result<FirstFactor>> ByPassword(string name, string password, Visitor visitor, CancellationToken stop)
    {
        if (wrong.Try(visitor.Address) is { } wait) return wait;
        CredentialRow? stored;
        UserRow? user;
        await using (var db = store.Read())
        {
            user = NameRules.IsName(name) ? await db.Users.SingleOrDefaultAsync(u => u.Name == name && !u.Disabled, stop) : null;
            stored = user is null ? null : await db.Credentials.SingleOrDefaultAsync(c => c.User == user.Id, stop);
        }
        // Somebody who is not here takes as long.
        var verdict = await passwords.Verify(stored?.PasswordHash, password, stop);
        if (verdict is null) return Passwords.TooMany;
        var hash = verdict == PasswordVerificationResult.SuccessRehashNeeded ? await passwords.Hash(password, stop) : stored?.PasswordHash;
        var answer = await store.Write(async scope =>
        {
            var row = user is null ? null : await scope.Db.Credentials.AsTracking().SingleOrDefaultAsync(c => c.User == user.Id, stop);
            var person = user is null ? null : await scope.Db.Users.AsTracking().SingleOrDefaultAsync(u => u.Id == user.Id && !u.Disabled, stop);
            // What was looked at may have been changed or shut meanwhile.
            if (row is null || person is null || row.PasswordHash is null || row.PasswordHash != stored!.PasswordHash || LockOut.Until(row.WrongTries, row.LastWrongAt, scope.Now) is not null || verdict == PasswordVerificationResult.Failed)
                return Wrong<FirstFactor>(scope, row, visitor, "password", NotLetIn);
            row.PasswordHash = hash;
            if (row.AuthenticatorSince is not null) return new FirstFactor(null, new CodeAsked(person.Id, "password"));
            row.WrongTries = 0;
            return new FirstFactor(await Sessions.Begin(scope, person, "password", visitor), null);
        }, stop);
        if (answer.Succeeded) wrong.GiveBack(visitor.Address);
        return answer;
    }

    public async Task<Result<Principal>> ByCode(CodeAsked asked, string code, Visitor visitor, CancellationToken stop)
    {
        if (wrong.Try(visitor.Address) is { } wait) return wait;
        var answer = await store.Write(async scope =>
        {
            var row = await scope.Db.Credentials.AsTracking().SingleOrDefaultAsync(c => c.User == asked.User, stop);
            var person = await scope.Db.Users.AsTracking().SingleOrDefaultAsync(u => u.Id == asked.User && !u.Disabled, stop);
            if (row is not { AuthenticatorKey: { } key, AuthenticatorSince: not null } || person is null) return Refusal.Forbidden("Begin to sign in anew.");
            // Who got this far knows the password, and is told.
            if (LockOut.Until(row.WrongTries, row.LastWrongAt, scope.Now) is { } until) return Refusal.Forbidden($"{row.WrongTries} codes or passwords in a row were wrong; none is looked at until {until:u}.");
            if (SecondFactor.Use(row, keys.Read(key), code, scope.Now) is not { } used)
                return Wrong<Principal>(scope, row, visitor, "code", $"The code is wrong, or was used already; each works once. The app's codes change every 30 seconds. After {LockOut.Tries} wrong ones in a row none is looked at for a while.");
            row.WrongTries = 0;
            return (Result<Principal>)await Sessions.Begin(scope, person, $"{asked.First} and {used}", visitor);
        }, stop);
        if (answer.Succeeded) wrong.GiveBack(visitor.Address);
        return answer;
    }

    public Task<Result<Principal>> ByPasskey(PasskeyUse use, Visitor visitor, CancellationToken stop) => store.Write(async scope =>
    {
        var passkey = await scope.Db.Passkeys.AsTracking().SingleOrDefaultAsync(p => p.CredentialId == use.CredentialId, stop);
        var person = passkey is null ? null : await scope.Db.Users.AsTracking().SingleOrDefaultAsync(u => u.Id == passkey.User && !u.Disabled, stop);
        var refusal = passkey is null ? "This console does not know the passkey; it was removed here, or made elsewhere."
            : person is null ? "The person behind this passkey may not sign in any more."
            : use.AskedAt <= passkey.LastUsedAt ? "The passkey was used elsewhere in the meantime; try once more." : null;
        if (refusal is not null)
        {
            Refused(scope, visitor, passkey is null ? "passkey" : $"user/{passkey.User}", refusal);
            return (Result<Principal>)Refusal.Forbidden(refusal);
        }
        (passkey!.SignCount, passkey.IsBackedUp, passkey.LastUsedAt) = (use.SignCount, use.IsBackedUp, scope.Now);
        return await Sessions.Begin(scope, person!, "passkey", visitor);
    }, stop);

    public Task Refuse(string target, string reason, Visitor visitor, CancellationToken stop) => store.Write(scope =>
    {
        Refused(scope, visitor, target, reason);
        return Task.FromResult(Done.Value);
    }, stop);

    public Task Record(Principal principal, string action, bool allowed, string detail, string? remoteAddress, CancellationToken stop) =>
        store.Write(scope =>
        {
            scope.Audit(principal, remoteAddress, action, $"{principal.Kind.ToString().ToLowerInvariant()}/{principal.Id}", null, allowed ? AuditOutcomes.Done : AuditOutcomes.Refused, detail);
            return Task.FromResult(Done.Value);
        }, stop);

    public async Task<bool> IsIn(Principal person, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        if (person.Session is not { } id) return false;
        await using (var db = store.Read())
        {
            var session = await db.Sessions.SingleOrDefaultAsync(s => s.Id == id, stop);
            if (session?.IsOpen(now) != true || session.User.ToString() != person.Id || !await db.Users.AnyAsync(u => u.Id == session.User && !u.Disabled, stop)) return false;
            if (session.LastSeenAt + SessionLife.SeenEvery > now) return true;
        }
        return await store.Write(async scope =>
        {
            var session = await scope.Db.Sessions.AsTracking().SingleOrDefaultAsync(s => s.Id == id, stop);
            if (session?.IsOpen(scope.Now) != true) return false;
            session.LastSeenAt = scope.Now;
            return true;
        }, stop);
    }

    public async Task<Principal?> ByToken(string secret, CancellationToken stop)
    {
        var hash = Secrets.Hash(secret);
        UserRow? user;
        SessionRow? token;
        await using (var db = store.Read())
        {
            token = await db.Sessions.SingleOrDefaultAsync(s => s.TokenHash == hash, stop);
            user = token is null ? null : await db.Users.SingleOrDefaultAsync(u => u.Id == token.User, stop);
        }
        if (user is null) return null;
        var person = Sessions.Person(user, token!);
        return await IsIn(person, stop) ? person : null;
    }

    public Task SignOut(Principal person, string? remoteAddress, CancellationToken stop) => store.Write(async scope =>
    {
        if (person.Session is { } id && await scope.Db.Sessions.AsTracking().SingleOrDefaultAsync(s => s.Id == id && s.EndedAt == null, stop) is { } session) session.EndedAt = scope.Now;
        scope.Audit(person, remoteAddress, "sign-out", $"user/{person.Id}", null, AuditOutcomes.Done);
        return Done.Value;
    }, stop);

    public Task Trust(string client, CancellationToken stop) => store.Write(async scope =>
    {
        if (!await scope.Db.RoleBindings.AnyAsync(b => b.SubjectKind == PrincipalKind.Client && b.Subject == client, stop)) scope.Db.Add(DatabaseMigrator.PlatformAdmin(PrincipalKind.Client, client, scope.Now));
        scope.Audit(Principal.System, null, "client.create", $"client/{client}", null, AuditOutcomes.Done, $"bootstrap client {client}, {Roles.PlatformAdmin.Title} on the platform");
        return Done.Value;
    }, stop);

    private Result<T> Wrong<T>(WriteScope scope, CredentialRow? row, Visitor visitor, string what, string sentence)
    {
        // While the door is shut, tries change nothing: otherwise a stranger could keep it shut.
        if (row is not null && LockOut.Until(row.WrongTries, row.LastWrongAt, scope.Now) is null) (row.WrongTries, row.LastWrongAt) = (row.WrongTries + 1, scope.Now);
        var shut = row is null ? null : LockOut.Until(row.WrongTries, row.LastWrongAt, scope.Now);
        Refused(scope, visitor, row is null ? "user" : $"user/{row.User}", row is null ? $"wrong {what}, unknown name" : $"wrong {what}, {row.WrongTries} in a row{(shut is { } until ? $"; shut until {until:u}" : "")}");
        return Refusal.Forbidden(sentence);
    }

    // Strangers must not be able to fill the ledger.
    private void Refused(WriteScope scope, Visitor visitor, string target, string reason)
    {
        if (bundler.Count($"sign-in|{visitor.Address}|{target}") is { } times)
            scope.Audit(Principal.Anonymous, visitor.Address, "sign-in", target, null, AuditOutcomes.Refused, reason + (times > 1 ? $"; {times} refusals of this kind since the last entry" : ""));
    }
}

/// <summary>Hashing and checking of passwords (PBKDF2 with HMAC-SHA512, 210,000 rounds, as OWASP asks), few at a time: each costs a core a tenth of a second, and strangers may ask for it.</summary>
internal sealed class Passwords : IDisposable
{
    private const int Rounds = 210_000, AtOnce = 2, MostWaiting = 100;

    private readonly SemaphoreSlim _few = new(AtOnce);
    private readonly PasswordHasher<Passwords> _hasher = new(Microsoft.Extensions.Options.Options.Create(new PasswordHasherOptions { IterationCount = Rounds }));
    private string? _nobodys;
    private int _waiting;

    /// <summary>The answer while more wait than can be looked at within a few seconds.</summary>
    public static Refusal TooMany => Refusal.Unavailable("busy", "Too many passwords are being looked at just now; try again in a few seconds.");

    public Task<string> Hash(string password, CancellationToken stop) => Few(() => _hasher.HashPassword(this, password), stop);

    /// <param name="hash">Null takes as long, and fails.</param>
    /// <returns>Null where too many wait.</returns>
    public async Task<PasswordVerificationResult?> Verify(string? hash, string password, CancellationToken stop)
    {
        if (Volatile.Read(ref _waiting) >= MostWaiting) return null;
        var verdict = await Few(() => _hasher.VerifyHashedPassword(this, hash ?? (_nobodys ??= _hasher.HashPassword(this, Secrets.New())), password), stop);
        return hash is null ? PasswordVerificationResult.Failed : verdict;
    }

    private async Task<T> Few<T>(Func<T> work, CancellationToken stop)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _few.WaitAsync(stop);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
        try
        {
            return await Task.Run(work, stop);
        }
        finally
        {
            _few.Release();
        }
    }

    public void Dispose() => _few.Dispose();
}

/// <summary>Keys of authenticator apps as the database holds them.</summary>
internal sealed class AuthenticatorKeys(IDataProtectionProvider protection)
{
    private readonly IDataProtector _protector = protection.CreateProtector("authenticator");

    public string Protect(string key) => _protector.Protect(key);

    public string Read(string stored) => _protector.Unprotect(stored);
}

/// <summary>How many wrong passwords and codes came from an address lately: one that tries many people is stopped though no person's own door shuts.</summary>
internal sealed class WrongTries(TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    // A whole office may stand behind one address.
    private const int Most = 100;
    // Past it counting starts anew rather than memory filling up.
    private const int MaxAddresses = 10_000;

    private readonly Dictionary<string, (DateTimeOffset Since, int Count)> _seen = [];
    private readonly Lock _lock = new();

    /// <summary>Counts a try before it is looked at; one that was right is given back. Null where it may be made.</summary>
    public Refusal? Try(string? address)
    {
        // A proxy on this machine stands for everybody; what it lets through it has to hold back itself.
        if (address is null || (IPAddress.TryParse(address, out var ip) && IPAddress.IsLoopback(ip))) return null;
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            if (!_seen.TryGetValue(address, out var seen) || now >= seen.Since + Window) seen = (now, 0);
            if (seen.Count >= Most) return Refusal.Forbidden($"{seen.Count} wrong tries came from your address within {Window.TotalMinutes:0} minutes; try again after {seen.Since + Window:u}.");
            if (_seen.Count >= MaxAddresses) _seen.Clear();
            _seen[address] = seen with { Count = seen.Count + 1 };
            return null;
        }
    }

    public void GiveBack(string? address)
    {
        lock (_lock)
            if (address is not null && _seen.TryGetValue(address, out var seen) && seen.Count > 0) _seen[address] = seen with { Count = seen.Count - 1 };
    }
}
