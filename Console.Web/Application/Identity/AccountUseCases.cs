using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <inheritdoc cref="IAccount"/>
internal sealed class AccountUseCases(IConsoleStore store, AccessControl access, Mutations mutations, Passwords passwords, AuthenticatorKeys keys, WrongTries wrong, Lazy<IPrograms> programs, TimeProvider time) : IAccount
{
    private const int MaxPasskeys = 20, MaxTokens = 50, MaxNameLength = 60;

    public async Task<Result<AccountView>> Get(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        if (await access.Check(db, caller, Permissions.Account, stop) is { } no) return no;
        var user = caller.Principal.Person;
        var credential = await db.Credentials.SingleOrDefaultAsync(c => c.User == user, stop);
        var passkeys = await db.Passkeys.Where(p => p.User == user).OrderBy(p => p.CreatedAt).ToListAsync(stop);
        return new AccountView(user, caller.Principal.Name, credential?.PasswordSetAt, credential?.AuthenticatorSince, credential?.RecoveryCodes.Count ?? 0,
            [.. passkeys.Select(View)], (await Stale(db, caller, time.GetUtcNow(), stop))?.Message);
    }

    public async Task<Result<AccountView>> SetPassword(Caller caller, SetPassword request, CancellationToken stop)
    {
        var given = await Given(caller, request.Current, stop);
        if (!given.Succeeded) return Result<AccountView>.No(given.Refusals);
        var checks = new RefusalList();
        PasswordRules.Check(checks, "password", request.Password, caller.Principal.Name);
        var hash = checks.Any ? "" : await passwords.Hash(request.Password!, stop);
        return await Changed(caller, await Change(caller, "account.password", async m =>
        {
            var (user, refusals) = (caller.Principal.Person, new RefusalList());
            var row = await Credential(m, user, stop);
            if (Wrong(row, given.Value, request.Current, m.Now) is { } no) refusals.Add(no);
            foreach (var refusal in checks.All) refusals.Add(refusal);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var had = row.PasswordHash is not null;
            (row.PasswordHash, row.PasswordSetAt, row.WrongTries) = (hash, m.Now, 0);
            var ended = await Identity.Sessions.EndAll(m.Scope, user, caller.Principal.Session, SessionKind.Browser);
            m.Detail = $"{(had ? "changed" : "set")}{(ended > 0 ? $"; {ended} other sessions ended" : "")}";
            return user.Value;
        }, stop), stop);
    }

    public async Task<Result<AccountView>> RemovePassword(Caller caller, string? current, CancellationToken stop)
    {
        var given = await Given(caller, current, stop);
        if (!given.Succeeded) return Result<AccountView>.No(given.Refusals);
        return await Changed(caller, await Change(caller, "account.password-remove", async m =>
        {
            var user = caller.Principal.Person;
            var row = await Credential(m, user, stop);
            if (row.PasswordHash is null) return Refusal.Conflict("no_password", "You have no password.");
            if (Wrong(row, given.Value, current, m.Now) is { } no) return no;
            m.Db.Credentials.Remove(row);
            return user.Value;
        }, stop), stop);
    }

    /// <summary>The password hash that there is, and whether what was given is that password. Costly, so before the change, which everybody waits for.</summary>
    private async Task<Result<(string? Hash, bool Right)>> Given(Caller caller, string? current, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.Account, stop) is not null) return (null, false);
        var user = caller.Principal.Person;
        string? hash;
        await using (var db = store.Read()) hash = await db.Credentials.Where(c => c.User == user).Select(c => c.PasswordHash).SingleOrDefaultAsync(stop);
        if (hash is null) return (null, true);
        // A page's circuit has no address; its person stands for it.
        var from = caller.RemoteAddress ?? caller.Principal.Id;
        if (wrong.Try(from) is { } wait) return wait;
        var verdict = string.IsNullOrEmpty(current) || current.Length > PasswordRules.Longest ? PasswordVerificationResult.Failed : await passwords.Verify(hash, current, stop);
        if (verdict is null) return Passwords.TooMany;
        if (verdict != PasswordVerificationResult.Failed) wrong.GiveBack(from);
        // What is refused leaves nothing behind, so that it was wrong is written by itself.
        else if (!string.IsNullOrEmpty(current))
            await store.Write(async scope =>
            {
                if (await scope.Db.Credentials.AsTracking().SingleOrDefaultAsync(c => c.User == user, stop) is { } row && LockOut.Until(row.WrongTries, row.LastWrongAt, scope.Now) is null) (row.WrongTries, row.LastWrongAt) = (row.WrongTries + 1, scope.Now);
                return Done.Value;
            }, stop);
        return (hash, verdict != PasswordVerificationResult.Failed);
    }

    private static Refusal? Wrong(CredentialRow row, (string? Hash, bool Right) given, string? current, DateTimeOffset now) =>
        row.PasswordHash != given.Hash ? Refusal.Conflict("password_changed", "The password was changed elsewhere in the meantime.")
        : given.Hash is null ? null
        : LockOut.Until(row.WrongTries, row.LastWrongAt, now) is { } until ? Refusal.Invalid("current", "shut", $"{row.WrongTries} passwords in a row were wrong; none is looked at until {until:u}.")
        : given.Right ? null
        : Refusal.Invalid("current", "wrong", string.IsNullOrEmpty(current) ? "Give the password that you have now." : "This is not the password that you have now.");

    public async Task<Result<AuthenticatorSetupView>> BeginAuthenticator(Caller caller, CancellationToken stop)
    {
        var key = SecondFactor.NewKey();
        var done = await Change(caller, "account.authenticator-begin", async m =>
        {
            var user = caller.Principal.Person;
            var row = await Credential(m, user, stop);
            if (row.PasswordHash is null) return Refusal.Conflict("no_password", "Codes of an app are asked for besides a password; set one first. Passkeys need no code.");
            if (row.AuthenticatorSince is not null) return Refusal.Conflict("authenticator_set", "An authenticator app is set up already; remove it first.");
            row.AuthenticatorKey = keys.Protect(key);
            return user.Value;
        }, stop);
        return done.Succeeded ? new AuthenticatorSetupView(string.Join(' ', key.Chunk(4).Select(c => new string(c))), SecondFactor.Uri(key, caller.Principal.Name)) : Result<AuthenticatorSetupView>.No(done.Refusals);
    }

    public async Task<Result<RecoveryCodesView>> ConfirmAuthenticator(Caller caller, string? code, CancellationToken stop)
    {
        var codes = SecondFactor.NewRecoveryCodes();
        var done = await Change(caller, "account.authenticator", async m =>
        {
            var user = caller.Principal.Person;
            var row = await Credential(m, user, stop);
            if (row.AuthenticatorKey is null || row.AuthenticatorSince is not null) return Refusal.Conflict("authenticator_not_begun", "Begin with the key for your app first.");
            if (SecondFactor.Step(keys.Read(row.AuthenticatorKey), code?.Replace(" ", "", StringComparison.Ordinal) ?? "", row.AuthenticatorStep, m.Now) is not { } step)
                return Refusal.Invalid("code", "wrong", "The code is wrong. The app's codes change every 30 seconds; the clocks of phone and console may differ by half a minute.");
            (row.AuthenticatorSince, row.AuthenticatorStep, row.RecoveryCodes) = (m.Now, step, [.. codes.Select(SecondFactor.Hash)]);
            m.Detail = $"{codes.Count} recovery codes";
            return user.Value;
        }, stop);
        return done.Succeeded ? new RecoveryCodesView(codes) : Result<RecoveryCodesView>.No(done.Refusals);
    }

    public async Task<Result<RecoveryCodesView>> NewRecoveryCodes(Caller caller, CancellationToken stop)
    {
        var codes = SecondFactor.NewRecoveryCodes();
        var done = await Change(caller, "account.recovery-codes", async m =>
        {
            var user = caller.Principal.Person;
            var row = await Credential(m, user, stop);
            if (row.AuthenticatorSince is null) return Refusal.Conflict("no_authenticator", "Recovery codes stand in for an authenticator app; set one up first.");
            row.RecoveryCodes = [.. codes.Select(SecondFactor.Hash)];
            m.Detail = $"{codes.Count} new ones";
            return user.Value;
        }, stop);
        return done.Succeeded ? new RecoveryCodesView(codes) : Result<RecoveryCodesView>.No(done.Refusals);
    }

    public async Task<Result<AccountView>> RemoveAuthenticator(Caller caller, CancellationToken stop) => await Changed(caller, await Change(caller, "account.authenticator-remove", async m =>
    {
        var user = caller.Principal.Person;
        var row = await Credential(m, user, stop);
        if (row.AuthenticatorKey is null) return Refusal.Conflict("no_authenticator", "No authenticator app is set up.");
        (row.AuthenticatorKey, row.AuthenticatorSince, row.RecoveryCodes) = (null, null, []);
        return user.Value;
    }, stop), stop);

    public async Task<Result<Done>> MayChange(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        if (await access.Check(db, caller, Permissions.Account, stop) is { } no) return no;
        return await Stale(db, caller, time.GetUtcNow(), stop) is { } stale ? stale : Done.Value;
    }

    public async Task<Result<AccountView>> AddPasskey(Caller caller, string? name, StoredPasskey passkey, CancellationToken stop) => await Changed(caller, await Change(caller, "account.passkey", async m =>
    {
        var user = caller.Principal.Person;
        var refusals = new RefusalList();
        var called = Name(refusals, name, "Give the passkey a name, by which you know it again.");
        if (refusals.Any) return Result<Guid>.No(refusals.All);
        if (passkey.User != user) return Refusal.Conflict("passkey_of_another", "This passkey was made for somebody else; begin anew.");
        if (await m.Db.Passkeys.AnyAsync(p => p.CredentialId == passkey.CredentialId, stop)) return Refusal.Conflict("passkey_known", "This passkey is known here already.");
        if (await m.Db.Passkeys.CountAsync(p => p.User == user, stop) >= MaxPasskeys) return Refusal.Conflict("too_many_passkeys", $"You have {MaxPasskeys} passkeys, which is the most; remove one first.");
        var row = new PasskeyRow
        {
            Id = PasskeyId.New(m.Now), User = user, CredentialId = passkey.CredentialId, Name = called, PublicKey = passkey.PublicKey, SignCount = passkey.SignCount,
            Transports = passkey.Transports, IsBackupEligible = passkey.IsBackupEligible, IsBackedUp = passkey.IsBackedUp, CreatedAt = m.Now,
        };
        m.Db.Passkeys.Add(row);
        m.Detail = called;
        return row.Id.Value;
    }, stop), stop);

    public async Task<Result<AccountView>> RemovePasskey(Caller caller, PasskeyId passkey, CancellationToken stop) => await Changed(caller, await Change(caller, "account.passkey-remove", async m =>
    {
        var user = caller.Principal.Person;
        if (await m.Db.Passkeys.SingleOrDefaultAsync(p => p.Id == passkey && p.User == user, stop) is not { } row) return Refusal.NotFound("passkey_not_found", $"You have no passkey {passkey}.");
        m.Db.Passkeys.Remove(row);
        m.Detail = row.Name;
        return passkey.Value;
    }, stop), stop);

    public async Task<Result<IReadOnlyList<SessionView>>> Sessions(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        if (await access.Check(db, caller, Permissions.Account, stop) is { } no) return no;
        return Result<IReadOnlyList<SessionView>>.Ok(await Open(db, caller.Principal.Person, caller.Principal.Session, stop));
    }

    public async Task<Result<Done>> EndSession(Caller caller, SessionId session, CancellationToken stop)
    {
        // Ending needs no fresh sign-in: whoever finds a stranger in the list must not be kept waiting.
        var done = await mutations.Run(caller, Permissions.Account, "session.end", $"user/{caller.Principal.Id}", async m =>
        {
            var user = caller.Principal.Person;
            if (await m.Db.Sessions.SingleOrDefaultAsync(s => s.Id == session && s.User == user && s.EndedAt == null, stop) is not { } row) return Refusal.NotFound("session_not_found", $"You have no open session or token {session}.");
            row.EndedAt = m.Now;
            m.Detail = row.Kind == SessionKind.Token ? $"token {row.Name}" : $"{row.Name}, {row.Method}";
            return session.Value;
        }, stop);
        return done.Succeeded ? Done.Value : Result<Done>.No(done.Refusals);
    }

    public async Task<Result<Done>> EndOtherSessions(Caller caller, CancellationToken stop)
    {
        var done = await mutations.Run(caller, Permissions.Account, "session.end-others", $"user/{caller.Principal.Id}", async m =>
        {
            m.Detail = $"{await Identity.Sessions.EndAll(m.Scope, caller.Principal.Person, caller.Principal.Session, SessionKind.Browser)} ended";
            return Guid.Empty;
        }, stop);
        return done.Succeeded ? Done.Value : Result<Done>.No(done.Refusals);
    }

    public async Task<Result<IReadOnlyList<TokenView>>> Tokens(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        if (await access.Check(db, caller, Permissions.Account, stop) is { } no) return no;
        var (user, now) = (caller.Principal.Person, time.GetUtcNow());
        var rows = await db.Sessions.Where(s => s.User == user && s.Kind == SessionKind.Token && s.EndedAt == null).OrderBy(s => s.CreatedAt).ToListAsync(stop);
        return Result<IReadOnlyList<TokenView>>.Ok(await Views(db, rows, now, stop));
    }

    public async Task<Result<NewTokenView>> CreateToken(Caller caller, CreateToken request, CancellationToken stop)
    {
        var secret = ISignIn.TokenPrefix + Secrets.New();
        SessionRow? made = null;
        var done = await Change(caller, "account.token", async m =>
        {
            var user = caller.Principal.Person;
            var refusals = new RefusalList();
            var name = Name(refusals, request.Name, "Give the token a name: what is it for?");
            SizeRules.Within(refusals, "days", "days", request.Days ?? 0, 1, SessionLife.LongestTokenDays);
            var role = (await RoleViews.Find(m.Db, request.Role, stop))?.Name;
            if (role is null && !string.IsNullOrEmpty(request.Role)) refusals.Invalid("role", "unknown_role", $"There is no role {RefusalList.Quote(request.Role)}.");
            if (role is null && string.IsNullOrEmpty(request.Role) && !string.IsNullOrEmpty(request.Project ?? request.Organization))
                refusals.Invalid("role", "required", "Say which role the token is limited to there.");
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var rights = await access.Of(m.Db, caller.Principal, stop);
            ProjectRow? project = null;
            OrganizationRow? organization = null;
            if (!string.IsNullOrEmpty(request.Project))
            {
                var found = await access.Seen(m.Db, rights, request.Project, stop);
                if (!found.Succeeded) return Result<Guid>.No([.. found.Refusals.Select(r => r with { Field = "project" })]);
                project = found.Value;
            }
            else if (!string.IsNullOrEmpty(request.Organization))
            {
                var found = await access.SeenOrganization(m.Db, rights, request.Organization, stop);
                if (!found.Succeeded) return Result<Guid>.No([.. found.Refusals.Select(r => r with { Field = "organization" })]);
                organization = found.Value;
            }
            if (await m.Db.Sessions.CountAsync(s => s.User == user && s.Kind == SessionKind.Token && s.EndedAt == null && s.ExpiresAt > m.Now, stop) >= MaxTokens)
                return Refusal.Conflict("too_many_tokens", $"You have {MaxTokens} tokens, which is the most; revoke one first.");
            made = new SessionRow
            {
                Id = SessionId.New(m.Now), User = user, Kind = SessionKind.Token, Name = name, TokenHash = Secrets.Hash(secret), Role = role, Organization = project?.Organization ?? organization?.Id, Project = project?.Id,
                CreatedAt = m.Now, ExpiresAt = m.Now.AddDays(request.Days!.Value),
            };
            m.Db.Sessions.Add(made);
            m.Detail = $"{name}, until {made.ExpiresAt:u}{(role is null ? "" : $", no more than {role} on {(project is not null ? $"project {project.Name}" : organization is not null ? $"organization {organization.Name}" : "the platform")}")}";
            return made.Id.Value;
        }, stop);
        if (!done.Succeeded) return Result<NewTokenView>.No(done.Refusals);
        await using var db = store.Read();
        return new NewTokenView((await Views(db, [made!], time.GetUtcNow(), stop))[0], secret);
    }

    public async Task<Result<IReadOnlyList<ProgramView>>> Programs(Caller caller, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.Account, stop) is { } no) return no;
        return Result<IReadOnlyList<ProgramView>>.Ok(await programs.Value.Of(caller.Principal.Person, stop));
    }

    public async Task<Result<Done>> RevokeProgram(Caller caller, Guid program, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.Account, stop) is null && !await programs.Value.Revoke(caller.Principal.Person, program, stop)) return Refusal.NotFound("program_not_found", $"You have allowed no program {program}.");
        var done = await mutations.Run(caller, Permissions.Account, "program.revoke", $"user/{caller.Principal.Id}", m =>
        {
            m.Detail = program.ToString();
            return Task.FromResult(Result<Guid>.Ok(program));
        }, stop);
        return done.Succeeded ? Done.Value : Result<Done>.No(done.Refusals);
    }

    public async Task<Result<IReadOnlyList<SessionView>>> SessionsOf(Caller caller, UserId user, CancellationToken stop)
    {
        await using var db = store.Read();
        if (await access.Check(db, caller, Permissions.AccessRead, stop) is { } no) return no;
        if (!await db.Users.AnyAsync(u => u.Id == user, stop)) return Refusal.NotFound("user_not_found", $"There is no person {user}.");
        return Result<IReadOnlyList<SessionView>>.Ok(await Open(db, user, caller.Principal.Session, stop));
    }

    public async Task<Result<Done>> EndSessionsOf(Caller caller, UserId user, CancellationToken stop)
    {
        var done = await mutations.Run(caller, Permissions.AccessManage, "session.end-all", $"user/{user}", async m =>
        {
            if (await m.Db.Users.SingleOrDefaultAsync(u => u.Id == user, stop) is not { } row) return Refusal.NotFound("user_not_found", $"There is no person {user}.");
            m.Detail = $"{row.Name}: {await Identity.Sessions.EndAll(m.Scope, user, null, null)} sessions and tokens ended, and every program";
            return user.Value;
        }, stop);
        if (done.Succeeded) await programs.Value.RevokeAll(user, stop);
        return done.Succeeded ? Done.Value : Result<Done>.No(done.Refusals);
    }

    /// <summary>One change of how the caller signs in. A browser that was left open is not enough for it.</summary>
    private Task<Result<Guid>> Change(Caller caller, string action, Func<Mutation, Task<Result<Guid>>> change, CancellationToken stop) =>
        mutations.Run(caller, Permissions.Account, action, $"user/{caller.Principal.Id}", async m => await Stale(m.Db, caller, m.Now, stop) is { } stale ? stale : await change(m), stop);

    private async Task<Result<AccountView>> Changed(Caller caller, Result<Guid> done, CancellationToken stop) => done.Succeeded ? await Get(caller, stop) : Result<AccountView>.No(done.Refusals);

    /// <summary>Why the sign-in is too long ago; null where it is not. Whoever has nothing of their own to sign in with yet has only the link that brought them.</summary>
    private static async Task<Refusal?> Stale(ConsoleDb db, Caller caller, DateTimeOffset now, CancellationToken stop)
    {
        var (user, id) = (caller.Principal.Person, caller.Principal.Session);
        if (id is null || await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, stop) is not { } session || now < session.CreatedAt + SessionLife.Fresh) return null;
        if (!await db.Passkeys.AnyAsync(p => p.User == user, stop) && !await db.Credentials.AnyAsync(c => c.User == user && c.PasswordHash != null, stop)) return null;
        return Refusal.Conflict("sign_in_again", $"You signed in at {session.CreatedAt:u}. Changing how you sign in needs a sign-in of the last {SessionLife.Fresh.TotalMinutes:0} minutes: sign in again, and come back.");
    }

    private static async Task<CredentialRow> Credential(Mutation m, UserId user, CancellationToken stop) =>
        await m.Db.Credentials.SingleOrDefaultAsync(c => c.User == user, stop) ?? m.Db.Credentials.Add(new CredentialRow { User = user }).Entity;

    private async Task<IReadOnlyList<SessionView>> Open(ConsoleDb db, UserId user, SessionId? own, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var rows = await db.Sessions.Where(s => s.User == user && s.Kind == SessionKind.Browser && s.EndedAt == null && s.ExpiresAt > now).ToListAsync(stop);
        return [.. rows.Where(s => s.IsOpen(now)).OrderByDescending(s => s.Id == own).ThenByDescending(s => s.LastSeenAt)
            .Select(s => new SessionView(s.Id, s.Name, s.Method, s.Address, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.Id == own))];
    }

    private static async Task<IReadOnlyList<TokenView>> Views(ConsoleDb db, IReadOnlyList<SessionRow> rows, DateTimeOffset now, CancellationToken stop)
    {
        var organizations = await db.Organizations.ToDictionaryAsync(o => o.Id, o => o.Name, stop);
        var projects = await db.Projects.ToDictionaryAsync(p => p.Id, p => p.Name, stop);
        return [.. rows.Select(s => new TokenView(s.Id, s.Name, s.Role, s.Organization is { } o && s.Project is null ? organizations.GetValueOrDefault(o) : null, s.Project is { } p ? projects.GetValueOrDefault(p) : null, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.ExpiresAt <= now))];
    }

    private static PasskeyView View(PasskeyRow row) => new(row.Id, row.Name, row.IsBackedUp, row.CreatedAt, row.LastUsedAt);

    private static string Name(RefusalList refusals, string? text, string missing)
    {
        var name = text?.Trim() ?? "";
        if (name.Length == 0) refusals.Invalid("name", "required", missing);
        else if (name.Length > MaxNameLength || !TextRules.IsPrintable(name)) refusals.Invalid("name", "bad_name", $"The name has 1 to {MaxNameLength} printable characters.");
        return name;
    }
}

/// <inheritdoc cref="IPasskeys"/>
internal sealed class StoredPasskeys(IConsoleStore store) : IPasskeys
{
    public async Task<string?> NameOf(UserId user, CancellationToken stop)
    {
        await using var db = store.Read();
        return await db.Users.Where(u => u.Id == user && !u.Disabled).Select(u => u.Name).SingleOrDefaultAsync(stop);
    }

    public async Task<IReadOnlyList<StoredPasskey>> Of(UserId user, CancellationToken stop)
    {
        await using var db = store.Read();
        return [.. (await db.Passkeys.Where(p => p.User == user).ToListAsync(stop)).Select(Stored)];
    }

    public async Task<StoredPasskey?> Find(string credentialId, CancellationToken stop)
    {
        await using var db = store.Read();
        return await db.Passkeys.SingleOrDefaultAsync(p => p.CredentialId == credentialId, stop) is { } row ? Stored(row) : null;
    }

    private static StoredPasskey Stored(PasskeyRow row) => new(row.User, row.CredentialId, row.PublicKey, row.SignCount, row.Transports, row.IsBackupEligible, row.IsBackedUp, row.CreatedAt);
}
