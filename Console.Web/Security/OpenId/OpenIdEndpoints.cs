using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Security.SignIn;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Plinth.Web.Security.OpenId;

/// <summary>Who a token speaks for. Everything else about the protocol is OpenIddict's.</summary>
public static class OpenIdEndpoints
{
    private const string Scheme = OpenIddictServerAspNetCoreDefaults.AuthenticationScheme;

    public static void MapOpenId(this WebApplication app)
    {
        app.MapPost(OpenIdProvider.TokenPath, Token).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapMethods(OpenIdProvider.DevicePath, ["GET", "POST"], Device).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapMethods(OpenIdProvider.AuthorizePath, ["GET", "POST"], Authorize).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
    }

    private static async Task<IResult> Token(HttpContext context, IOpenIddictApplicationManager clients, CancellationToken stop)
    {
        var request = context.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("the token endpoint was reached without an OpenID request");
        if (request.IsClientCredentialsGrantType())
        {
            var client = await clients.FindByClientIdAsync(request.ClientId!, stop) ?? throw new InvalidOperationException($"client {request.ClientId} was authenticated and is not there");
            var name = await clients.GetDisplayNameAsync(client, stop) ?? request.ClientId!;
            // A program that was made for the API need not say so.
            var scopes = request.GetScopes();
            return Results.SignIn(Subject(new Principal(PrincipalKind.Client, request.ClientId!, name), scopes.Length == 0 ? [OpenIdProvider.ApiScope] : scopes), null, Scheme);
        }
        // Authorization code, device code and refresh token: the person whom the code was given to.
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
        // What the program was allowed does not end with this browser's session.
        return Results.SignIn(Subject(person.ToPrincipal() with { Session = null }, request.GetScopes()), null, Scheme);
    }

    /// <summary>A program on a device without a browser shows a code; whoever is signed in here gives it and says yes or no.</summary>
    private static async Task<IResult> Device(HttpContext context, ISignIn audit, IAccount account, IOpenIddictAuthorizationManager authorizations, IOpenIddictApplicationManager clients, CancellationToken stop)
    {
        if (context.Request.Query["answer"].ToString() is { Length: > 0 } answer) return DevicePage.Answered(answer == "allowed");
        var person = (await context.AuthenticateAsync(ApiAuthorization.CookieScheme)).Principal;
        if (person?.Identity?.IsAuthenticated != true)
            return Results.Challenge(new AuthenticationProperties { RedirectUri = context.Request.PathBase + context.Request.Path + context.Request.QueryString }, [ApiAuthorization.CookieScheme]);
        var request = context.GetOpenIddictServerRequest() ?? throw new InvalidOperationException("the verification endpoint was reached without an OpenID request");
        if (string.IsNullOrEmpty(request.UserCode)) return DevicePage.Ask(null);
        var asked = await context.AuthenticateAsync(Scheme);
        if (!asked.Succeeded || asked.Principal.GetClaim(Claims.ClientId) is not { Length: > 0 } client) return DevicePage.Ask("There is no such code, or it is over: codes work once, within ten minutes. The program shows a new one when it is asked again.");
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            var known = await clients.FindByClientIdAsync(client, stop);
            var name = known is null ? null : await clients.GetDisplayNameAsync(known, stop);
            return DevicePage.Confirm(name is null || name == client ? client : $"{name} ({client})", request.UserCode);
        }
        if (!SameOrigin.Holds(context.Request)) return DevicePage.Ask("The request came from a page of another origin.");
        var allowed = context.Request.Form["decision"] == "allow";
        // It acts for them for days; a browser that was left open is not enough.
        if (allowed && await account.MayChange(new Caller(person.ToPrincipal(), null), stop) is { Succeeded: false } stale) return DevicePage.SignInAgain(stale.Reason, request.UserCode);
        await audit.Record(person.ToPrincipal(), "device.answer", allowed, $"{client}, by a code", context.Connection.RemoteIpAddress?.ToString(), stop);
        var back = new AuthenticationProperties { RedirectUri = $"{OpenIdProvider.DevicePath}?answer={(allowed ? "allowed" : "refused")}" };
        if (!allowed) return Results.Forbid(back, [Scheme]);
        await Own(authorizations, asked.Principal.GetAuthorizationId(), SubjectOf(person.ToPrincipal()), stop);
        return Results.SignIn(Subject(person.ToPrincipal() with { Session = null }, asked.Principal.GetScopes()), back, Scheme);
    }

    /// <summary>What a device asked for was written down before anybody was known; now it is somebody's, who finds it among their programs.</summary>
    private static async Task Own(IOpenIddictAuthorizationManager authorizations, string? id, string subject, CancellationToken stop)
    {
        if (id is null || await authorizations.FindByIdAsync(id, stop) is not { } authorization) return;
        var described = new OpenIddictAuthorizationDescriptor();
        await authorizations.PopulateAsync(described, authorization, stop);
        described.Subject = subject;
        await authorizations.UpdateAsync(authorization, described, stop);
    }

    private static AuthenticationProperties Error(string code, string sentence) => new(new Dictionary<string, string?>
    {
        [OpenIddictServerAspNetCoreConstants.Properties.Error] = code,
        [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = sentence,
    });

    /// <summary>"user:…": who a token is about, as it says.</summary>
    public static string SubjectOf(Principal principal) => $"{principal.Kind.ToString().ToLowerInvariant()}:{principal.Id}";

    private static ClaimsPrincipal Subject(Principal principal, IEnumerable<string> scopes)
    {
        var identity = PrincipalClaims.Identity(principal, Scheme);
        identity.SetClaim(Claims.Subject, SubjectOf(principal)).SetClaim(Claims.Name, principal.Name);
        identity.SetScopes(scopes);
        if (identity.HasScope(OpenIdProvider.ApiScope)) identity.SetResources(OpenIdProvider.ApiAudience);
        identity.SetDestinations(claim => claim.Type == Claims.Name ? [Destinations.AccessToken, Destinations.IdentityToken] : [Destinations.AccessToken]);
        return new ClaimsPrincipal(identity);
    }
}
