using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <summary>The operator and the links that sign them in.</summary>
public sealed class SignIn(IConsoleStore store) : ISignIn
{
    public static readonly TimeSpan LinkLifetime = TimeSpan.FromMinutes(15);
    private const string OperatorName = "operator";
    private const string Another = "Ask for another where you got it; the operator restarts Plinth for one, or runs plinth-console --sign-in-link where it runs.";

    public async Task<string> IssueLink(CancellationToken stop)
    {
        var secret = "";
        await store.Write(async scope =>
        {
            var operatorId = await Operator(scope);
            secret = await SignInLinks.New(scope, operatorId, LinkLifetime);
            scope.Audit(Principal.System, null, "sign-in-link.create", $"user/{operatorId}", null, AuditOutcomes.Done);
            return Done.Value;
        }, stop);
        return secret;
    }

    public Task<Result<Principal>> UseLink(string secret, string? remoteAddress, CancellationToken stop)
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
                scope.Audit(Principal.Anonymous, remoteAddress, "sign-in", link is null ? "sign-in-link" : $"user/{link.User}", null, AuditOutcomes.Refused, refusal);
                return (Result<Principal>)Refusal.Forbidden(refusal);
            }
            link!.UsedAt = scope.Now;
            user!.LastSignInAt = scope.Now;
            var person = new Principal(PrincipalKind.User, user.Id.ToString(), user.Name);
            scope.Audit(person, remoteAddress, "sign-in", $"user/{user.Id}", null, AuditOutcomes.Done);
            return person;
        }, stop);
    }

    public Task Record(Principal principal, string action, bool allowed, string detail, string? remoteAddress, CancellationToken stop) =>
        store.Write(scope =>
        {
            scope.Audit(principal, remoteAddress, action, $"{principal.Kind.ToString().ToLowerInvariant()}/{principal.Id}", null, allowed ? AuditOutcomes.Done : AuditOutcomes.Refused, detail);
            return Task.FromResult(Done.Value);
        }, stop);

    public async Task<string?> Stamp(Principal person, CancellationToken stop)
    {
        if (person.Kind != PrincipalKind.User || !Guid.TryParse(person.Id, out var id)) return null;
        await using var db = store.Read();
        return await db.Users.Where(u => u.Id == new UserId(id) && !u.Disabled).Select(u => (Guid?)u.SecurityStamp).SingleOrDefaultAsync(stop) is { } stamp ? stamp.ToString("N") : null;
    }

    public Task Trust(string client, CancellationToken stop) => store.Write(async scope =>
    {
        if (!await scope.Db.RoleBindings.AnyAsync(b => b.SubjectKind == PrincipalKind.Client && b.Subject == client, stop)) scope.Db.Add(DatabaseMigrator.PlatformAdmin(PrincipalKind.Client, client, scope.Now));
        scope.Audit(Principal.System, null, "client.create", $"client/{client}", null, AuditOutcomes.Done, $"bootstrap client {client}, {Roles.PlatformAdmin.Title} on the platform");
        return Done.Value;
    }, stop);

    private static async Task<UserId> Operator(WriteScope scope)
    {
        if (await scope.Db.Users.FirstOrDefaultAsync(u => u.Name == OperatorName) is { } present) return present.Id;
        var user = new UserRow { Id = UserId.New(scope.Now), Name = OperatorName, CreatedAt = scope.Now, SecurityStamp = Guid.NewGuid() };
        scope.Db.Add(user);
        scope.Db.Add(DatabaseMigrator.PlatformAdmin(PrincipalKind.User, user.Id.ToString(), scope.Now));
        return user.Id;
    }
}
