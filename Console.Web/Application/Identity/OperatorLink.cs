using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <inheritdoc cref="IOperatorLink"/>
public sealed class OperatorLink(IConsoleStore store) : IOperatorLink
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    public async Task<string> Issue(CancellationToken stop)
    {
        var secret = "";
        await store.Write(async scope =>
        {
            var operatorId = await Person(scope);
            secret = await SignInLinks.New(scope, operatorId, Lifetime, skipsCode: true);
            scope.Audit(Principal.System, null, "sign-in-link.create", $"user/{operatorId}", null, AuditOutcomes.Done);
            return Done.Value;
        }, stop);
        return secret;
    }

    private static async Task<UserId> Person(WriteScope scope)
    {
        if (await scope.Db.Users.FirstOrDefaultAsync(u => u.Name == IOperatorLink.Operator) is { } present) return present.Id;
        var user = new UserRow { Id = UserId.New(scope.Now), Name = IOperatorLink.Operator, CreatedAt = scope.Now };
        scope.Db.Add(user);
        scope.Db.Add(DatabaseMigrator.PlatformAdmin(PrincipalKind.User, user.Id.ToString(), scope.Now));
        return user.Id;
    }
}
