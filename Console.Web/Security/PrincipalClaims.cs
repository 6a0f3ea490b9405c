using System.Security.Claims;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Security;

/// <summary>How a <see cref="Principal"/> travels inside ASP.NET: a few claims, written and read here only.</summary>
public static class PrincipalClaims
{
    public const string Kind = "plinth:kind", Id = "plinth:id", Name = "plinth:name";

    /// <summary>Of a person: by which session or token they came.</summary>
    private const string Session = "plinth:session";

    public static ClaimsIdentity Identity(Principal principal, string scheme) => new(
        [
            new Claim(Kind, principal.Kind.ToString()), new Claim(Id, principal.Id), new Claim(Name, principal.Name),
            .. principal.Session is { } session ? [new Claim(Session, session.ToString())] : Array.Empty<Claim>(),
        ], scheme, Name, null);

    /// <summary>Anonymous where nobody is signed in.</summary>
    public static Principal ToPrincipal(this ClaimsPrincipal? user) =>
        user?.Identity?.IsAuthenticated == true
        && Enum.TryParse<PrincipalKind>(user.FindFirstValue(Kind), out var kind)
        && user.FindFirstValue(Id) is { } id
            ? new Principal(kind, id, user.FindFirstValue(Name) ?? id) { Session = Guid.TryParse(user.FindFirstValue(Session), out var session) ? new SessionId(session) : null }
            : Principal.Anonymous;

    public static Caller Caller(this HttpContext context) => new(context.User.ToPrincipal(), context.Connection.RemoteIpAddress?.ToString());
}
