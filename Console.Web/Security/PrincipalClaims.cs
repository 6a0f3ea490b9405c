using System.Security.Claims;
using Plinth.Core.Identity;
using Plinth.Web.Application;

namespace Plinth.Web.Security;

/// <summary>How a <see cref="Principal"/> travels inside ASP.NET: three claims, written and read here only.</summary>
public static class PrincipalClaims
{
    public const string Kind = "plinth:kind", Id = "plinth:id", Name = "plinth:name";

    /// <summary>Of a session in a browser: what it has to carry to be valid.</summary>
    public const string Stamp = "plinth:stamp";

    public static ClaimsIdentity Identity(Principal principal, string scheme) => new(
        [new Claim(Kind, principal.Kind.ToString()), new Claim(Id, principal.Id), new Claim(Name, principal.Name)], scheme, Name, null);

    /// <summary>Anonymous where nobody is signed in.</summary>
    public static Principal ToPrincipal(this ClaimsPrincipal? user) =>
        user?.Identity?.IsAuthenticated == true
        && Enum.TryParse<PrincipalKind>(user.FindFirstValue(Kind), out var kind)
        && user.FindFirstValue(Id) is { } id
            ? new Principal(kind, id, user.FindFirstValue(Name) ?? id)
            : Principal.Anonymous;

    public static Caller Caller(this HttpContext context) => new(context.User.ToPrincipal(), context.Connection.RemoteIpAddress?.ToString());
}
