using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Plinth.Web.Application;

namespace Plinth.Web.Security.SignIn;

/// <summary>
/// People sign in with a one-time link. Opening it shows a button and uses nothing up: mail scanners and link previews fetch
/// addresses by GET, and must not burn them. The button's POST does.
/// </summary>
public static class SignInEndpoints
{
    public const string Path = "/sign-in";
    private const string Parameter = "link=";

    public static void MapSignIn(this WebApplication app)
    {
        app.MapGet(Path, Show).AllowAnonymous().ExcludeFromDescription();
        app.MapPost(Path, SignIn).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapGet("/sign-out", () => SignInPage.SignOut()).AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/sign-out", SignOut).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
    }

    private static IResult Show([FromQuery] string? link, [FromQuery] string? returnUrl) =>
        string.IsNullOrEmpty(link) ? SignInPage.NoLink(Local(returnUrl)) : SignInPage.Confirm(link, Local(returnUrl));

    private static async Task<IResult> SignIn(HttpContext context, [FromForm] string? link, [FromForm] string? returnUrl, ISignIn signIn, CancellationToken stop)
    {
        // A strange page that signs its visitor in under a link of its own would have the visitor work in another's name.
        if (!SameOrigin.Holds(context.Request)) return SignInPage.Refused("The request came from a page of another origin.", StatusCodes.Status403Forbidden);
        var person = await signIn.UseLink(SecretOf(link?.Trim() ?? ""), context.Connection.RemoteIpAddress?.ToString(), stop);
        if (!person.Succeeded) return SignInPage.Refused(person.Reason, StatusCodes.Status403Forbidden);
        var identity = PrincipalClaims.Identity(person.Value, ApiAuthorization.CookieScheme);
        identity.AddClaim(new Claim(PrincipalClaims.Stamp, await signIn.Stamp(person.Value, stop) ?? ""));
        await context.SignInAsync(ApiAuthorization.CookieScheme, new ClaimsPrincipal(identity), new AuthenticationProperties { IsPersistent = true });
        return Results.LocalRedirect(Local(returnUrl));
    }

    private static async Task<IResult> SignOut(HttpContext context, ISignIn signIn, CancellationToken stop)
    {
        if (!SameOrigin.Holds(context.Request)) return SignInPage.Refused("The request came from a page of another origin.", StatusCodes.Status403Forbidden);
        if (context.User.Identity?.IsAuthenticated == true)
        {
            await signIn.Record(context.User.ToPrincipal(), "sign-out", true, "", context.Connection.RemoteIpAddress?.ToString(), stop);
            await context.SignOutAsync(ApiAuthorization.CookieScheme);
        }
        return SignInPage.SignedOut();
    }

    /// <summary>People paste the whole link, or what it carries.</summary>
    private static string SecretOf(string link) =>
        link.IndexOf(Parameter, StringComparison.Ordinal) is var at and >= 0 ? link[(at + Parameter.Length)..].Split('&')[0] : link;

    /// <summary>Only paths of this console are returned to; anything else could lead people elsewhere.</summary>
    private static string Local(string? url) =>
        url is { Length: > 0 } && url[0] == '/' && !(url.Length > 1 && url[1] is '/' or '\\') && !url.Any(char.IsControl) ? url : "/";
}

/// <summary>The few plain pages around signing in; they need no script and work before anybody is known.</summary>
internal static class SignInPage
{
    public static IResult Confirm(string link, string returnUrl) => Page("Sign in", $"""
        <p>This link signs you in, once.</p>
        <form method="post" action="{SignInEndpoints.Path}">
          <input type="hidden" name="link" value="{WebUtility.HtmlEncode(link)}">
          <input type="hidden" name="returnUrl" value="{WebUtility.HtmlEncode(returnUrl)}">
          <button type="submit" class="button button-primary">Sign in</button>
        </form>
        """);

    public static IResult NoLink(string returnUrl) => Page("Sign in", $"""
        <p>People sign in with one-time links: from whoever invited them, or, for the operator, printed at each start of Plinth and valid for 15 minutes. Open yours, or paste it here to go on where you were.</p>
        <form method="post" action="{SignInEndpoints.Path}">
          <input type="hidden" name="returnUrl" value="{WebUtility.HtmlEncode(returnUrl)}">
          <div class="field"><label for="link">Sign-in link</label><input id="link" name="link" class="input mono" required autocomplete="off" autocapitalize="off" spellcheck="false"></div>
          <button type="submit" class="button button-primary">Sign in</button>
        </form>
        <p>No link at hand? Stop Plinth and run <code>./start</code> again on the machine that it runs on. Guests are not touched by that. Where Plinth is a Debian package: <code>runuser -u plinth -- plinth-console --sign-in-link</code>.</p>
        """);

    public static IResult Refused(string reason, int status) => Page("Not signed in", $"<p>{WebUtility.HtmlEncode(reason)}</p>", status);

    public static IResult SignOut() => Page("Sign out", """
        <form method="post" action="/sign-out"><button type="submit" class="button button-primary">Sign out</button></form>
        """);

    public static IResult SignedOut() => Page("Signed out", """<p>You are signed out. To come back, ask for a new sign-in link where you got yours; the operator's is printed at the next start of Plinth.</p>""");

    private const string Mark = """<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path d="M8 3.5h8v9H8z" fill="currentColor" opacity=".38"/><path d="M5.5 14h13v3h-13z" fill="currentColor" opacity=".7"/><path d="M3 18.5h18v3H3z" fill="currentColor"/></svg>""";

    // The portal's own stylesheet, without its scripts: there is nothing to be interactive about.
    private static IResult Page(string title, string body, int status = StatusCodes.Status200OK) => Results.Content($$"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{{title}} · Plinth</title>
          <script src="/js/theme.js"></script>
          <link rel="stylesheet" href="/app.css"><link rel="icon" href="/favicon.svg" type="image/svg+xml">
        </head>
        <body>
          <div class="plain">
            <header><span class="brand">{{Mark}}<span>Plinth</span></span></header>
            <main><h1>{{title}}</h1>{{body}}</main>
          </div>
        </body>
        </html>
        """, "text/html; charset=utf-8", statusCode: status);
}
