using Microsoft.EntityFrameworkCore;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <summary>Links that sign somebody in once. A newer one of the same person takes the place of those that were not used.</summary>
internal static class SignInLinks
{
    /// <summary>Somebody who is invited does not sit at the console.</summary>
    public static readonly TimeSpan InvitationLifetime = TimeSpan.FromDays(3);

    /// <summary>The secret that the link carries; only its hash is kept.</summary>
    public static async Task<string> New(WriteScope scope, UserId user, TimeSpan lifetime, bool skipsCode = false)
    {
        var secret = Secrets.New();
        scope.Db.SignInLinks.RemoveRange(await scope.Db.SignInLinks.Where(l => l.User == user && l.UsedAt == null).ToListAsync());
        scope.Db.SignInLinks.Add(new SignInLinkRow { TokenHash = Secrets.Hash(secret), User = user, CreatedAt = scope.Now, ExpiresAt = scope.Now + lifetime, SkipsCode = skipsCode });
        return secret;
    }

    public static string Path(string secret) => $"/sign-in?link={secret}";
}
