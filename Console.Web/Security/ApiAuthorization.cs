using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using OpenIddict.Validation.AspNetCore;

namespace Plinth.Web.Security;

/// <summary>Who may call the API: holders of a token, and people's browsers by their cookie.</summary>
public static class ApiAuthorization
{
    public const string TokenScheme = OpenIddictValidationAspNetCoreDefaults.AuthenticationScheme;
    public const string CookieScheme = CookieAuthenticationDefaults.AuthenticationScheme;

    public static AuthorizationPolicy Policy { get; } =
        new AuthorizationPolicyBuilder(TokenScheme, CookieScheme).RequireAuthenticatedUser().RequireClaim(PrincipalClaims.Kind).Build();

    /// <summary>Pages and everything that names no policy: a person with a cookie.</summary>
    public static AuthorizationPolicy People { get; } =
        new AuthorizationPolicyBuilder(CookieScheme).RequireAuthenticatedUser().RequireClaim(PrincipalClaims.Kind).Build();
}
