using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Plinth.Core.Identity;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Plinth.Web.Security.OpenId;

/// <summary>Who a token speaks for. Everything else about the protocol is OpenIddict's.</summary>
public static class OpenIdEndpoints
{
    private const string Scheme = OpenIddictServerAspNetCoreDefaults.AuthenticationScheme;

    public static void MapOpenId(this WebApplication app)
    {
        app.MapPost(OpenIdProvider.TokenPath, Token).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapMethods(OpenIdProvider.AuthorizePath, ["GET", "POST"], Authorize).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
    }

    private static async Task<IResult> Token(HttpContext context, IOpenIddictApplicationManager clients, CancellationToken stop)
    {
        var request = context.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("the token endpoint was reached without an OpenID request");
        if (request.IsClientCredentialsGrantType())
        {
            var client = await clients.FindByClientIdAsync(request.ClientId!, stop) ?? throw new InvalidOperationException($"client {request.ClientId} was authenticated and is not there");
            var name = await clients.GetDisplayNameAsync(client, stop) ?? request.ClientId!;
            return Results.SignIn(Subject(new Principal(PrincipalKind.Client, request.ClientId!, name), request.GetScopes()), null, Scheme);
        }
        // Authorization code and refresh token: the person whom the code was given to.
        var stored = await context.AuthenticateAsync(Scheme);
        return Results.SignIn(Subject(stored.Principal.ToPrincipal(), stored.Principal!.GetScopes()), null, Scheme);
    }

    /// <summary>Consent is implicit: clients are registered by the operator.</summary>
    private static async Task<IResult> Authorize(HttpContext context, CancellationToken stop)
    {
        var request = context.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("the authorization endpoint was reached without an OpenID request");
        var person = (await context.AuthenticateAsync(ApiAuthorization.CookieScheme)).Principal;
        stop.ThrowIfCancellationRequested();
        if (person?.Identity?.IsAuthenticated != true && request.HasPromptValue(PromptValues.None))
            return Results.Forbid(Error(Errors.LoginRequired, "Nobody is signed in to the console in this browser."), [Scheme]);
        if (person?.Identity?.IsAuthenticated != true)
            return Results.Challenge(new AuthenticationProperties { RedirectUri = context.Request.PathBase + context.Request.Path + context.Request.QueryString }, [ApiAuthorization.CookieScheme]);
        return Results.SignIn(Subject(person.ToPrincipal(), request.GetScopes()), null, Scheme);
    }

    private static AuthenticationProperties Error(string code, string sentence) => new(new Dictionary<string, string?>
    {
        [OpenIddictServerAspNetCoreConstants.Properties.Error] = code,
        [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = sentence,
    });

    private static ClaimsPrincipal Subject(Principal principal, IEnumerable<string> scopes)
    {
        var identity = PrincipalClaims.Identity(principal, Scheme);
        identity.SetClaim(Claims.Subject, $"{principal.Kind.ToString().ToLowerInvariant()}:{principal.Id}").SetClaim(Claims.Name, principal.Name);
        identity.SetScopes(scopes);
        identity.SetDestinations(claim => claim.Type == Claims.Name ? [Destinations.AccessToken, Destinations.IdentityToken] : [Destinations.AccessToken]);
        return new ClaimsPrincipal(identity);
    }
}
