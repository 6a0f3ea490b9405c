using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using OpenIddict.Validation.AspNetCore;

namespace Plinth.Web.Security;

/// <summary>Who may come in at the portal: holders of a token by their header, people by their cookie. One request is one of the two.</summary>
public static class ApiAuthorization
{
    public const string TokenScheme = OpenIddictValidationAspNetCoreDefaults.AuthenticationScheme;
    public const string CookieScheme = CookieAuthenticationDefaults.AuthenticationScheme;

    /// <summary>The default: a request with an Authorization header is judged by it alone, any other by its cookie.</summary>
    public const string Scheme = "portal";

    public static AuthorizationPolicy Policy { get; } =
        new AuthorizationPolicyBuilder(Scheme).RequireAuthenticatedUser().RequireClaim(PrincipalClaims.Kind).Build();

    public static string Choose(HttpContext context) => context.Request.Headers.Authorization is not { Count: > 0 } header ? CookieScheme
        : TokenAuthentication.SecretIn(header.ToString()) is not null ? TokenAuthentication.SchemeName : TokenScheme;
}
