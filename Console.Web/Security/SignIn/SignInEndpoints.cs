using System.Net;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Mvc;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Api;
using Plinth.Web.Application;

namespace Plinth.Web.Security.SignIn;

/// <summary>
/// People sign in with a passkey, a password (and a code besides, where they have set up an app), or a one-time link. Opening a link shows a button and
/// uses nothing up: mail scanners and link previews fetch addresses by GET, and must not burn them. The button's POST does.
/// </summary>
public static class SignInEndpoints
{
    public const string Path = "/sign-in", PasskeyPath = "/sign-in/passkey";
    private const string Parameter = "link=", OtherOrigin = "The request came from a page of another origin.";

    // Of a name or password that is sent; longer ones are nobody's.
    private const int Longest = 200;

    public static void MapSignIn(this WebApplication app)
    {
        app.MapGet(Path, Show).AllowAnonymous().ExcludeFromDescription();
        app.MapPost(Path, ByLink).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapPost(Path + "/password", ByPassword).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapPost(Path + "/code", ByCode).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapPost(PasskeyPath + "/question", AskPasskey).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapPost(PasskeyPath, ByPasskey).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
        app.MapGet("/sign-out", () => SignInPage.SignOut()).AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/sign-out", SignOut).AllowAnonymous().DisableAntiforgery().ExcludeFromDescription();
    }

    private static IResult Show(HttpContext context, [FromQuery] string? link, [FromQuery] string? returnUrl) =>
        string.IsNullOrEmpty(link) ? SignInPage.Ways(Local(returnUrl), null, null, context) : SignInPage.Confirm(link, Local(returnUrl));

    private static async Task<IResult> ByLink(HttpContext context, [FromForm] string? link, [FromForm] string? returnUrl, ISignIn signIn, IAccount account, SignInTickets tickets, CancellationToken stop)
    {
        // A strange page that signs its visitor in under a name of its own would have the visitor work in another's name.
        if (!SameOrigin.Holds(context.Request)) return SignInPage.Refused(OtherOrigin);
        var back = Local(returnUrl);
        var used = await signIn.UseLink(SecretOf(link?.Trim() ?? ""), Visitor(context), stop);
        if (!used.Succeeded) return SignInPage.Refused(used.Reason);
        if (used.Value.Asked is { } asked) return SignInPage.Code(tickets.For(asked), back, null);
        var person = used.Value.Person!;
        await Begin(context, person);
        // Whoever was invited has nothing yet to come back with.
        var first = back == "/" && await account.Get(new Caller(person, null), stop) is { Succeeded: true, Value.HasNoWay: true } && person.Name != IOperatorLink.Operator;
        return Results.LocalRedirect(first ? "/account" : back);
    }

    private static async Task<IResult> ByPassword(HttpContext context, [FromForm] string? name, [FromForm] string? password, [FromForm] string? returnUrl, ISignIn signIn, SignInTickets tickets, CancellationToken stop)
    {
        if (!SameOrigin.Holds(context.Request)) return SignInPage.Refused(OtherOrigin);
        var back = Local(returnUrl);
        if (string.IsNullOrWhiteSpace(name) || string.IsNullOrEmpty(password)) return SignInPage.Ways(back, name, "Give your name and your password.", context);
        var answer = await signIn.ByPassword(Short(name.Trim()), Short(password), Visitor(context), stop);
        if (!answer.Succeeded) return SignInPage.Ways(back, name, answer.Reason, context);
        if (answer.Value.Asked is { } asked) return SignInPage.Code(tickets.For(asked), back, null);
        await Begin(context, answer.Value.Person!);
        return Results.LocalRedirect(back);
    }

    private static async Task<IResult> ByCode(HttpContext context, [FromForm] string? ticket, [FromForm] string? code, [FromForm] string? returnUrl, ISignIn signIn, SignInTickets tickets, CancellationToken stop)
    {
        if (!SameOrigin.Holds(context.Request)) return SignInPage.Refused(OtherOrigin);
        var back = Local(returnUrl);
        if (tickets.Of(ticket) is not { } asked) return SignInPage.Ways(back, null, $"What was given before the code is more than {SignInTickets.Lifetime.TotalMinutes:0} minutes old; begin anew.", context);
        var person = await signIn.ByCode(asked, Short(code ?? ""), Visitor(context), stop);
        if (!person.Succeeded) return SignInPage.Code(ticket!, back, person.Reason);
        await Begin(context, person.Value);
        return Results.LocalRedirect(back);
    }

    private static async Task<IResult> AskPasskey(HttpContext context, PasskeyChecks passkeys)
    {
        if (!SameOrigin.Holds(context.Request)) return Problems.Result([Refusal.Forbidden(OtherOrigin)]);
        return Results.Json(await passkeys.Ask(context), Json.Options);
    }

    private static async Task<IResult> ByPasskey(HttpContext context, PasskeyChecks passkeys, ISignIn signIn, CancellationToken stop)
    {
        if (!SameOrigin.Holds(context.Request)) return Problems.Result([Refusal.Forbidden(OtherOrigin)]);
        var answer = (await JsonBody<PasskeyAnswer>.BindAsync(context)).Value;
        var used = await passkeys.Used(answer.State, answer.Credential, context);
        if (!used.Succeeded)
        {
            await signIn.Refuse("passkey", used.Reason, Visitor(context), stop);
            return Problems.Result(used.Refusals);
        }
        var person = await signIn.ByPasskey(used.Value, Visitor(context), stop);
        if (!person.Succeeded) return Problems.Result(person.Refusals);
        await Begin(context, person.Value);
        return Results.NoContent();
    }

    private static async Task<IResult> SignOut(HttpContext context, ISignIn signIn, CancellationToken stop)
    {
        if (!SameOrigin.Holds(context.Request)) return SignInPage.Refused(OtherOrigin);
        if (context.User.Identity?.IsAuthenticated == true)
        {
            await signIn.SignOut(context.User.ToPrincipal(), context.Connection.RemoteIpAddress?.ToString(), stop);
            await context.SignOutAsync(ApiAuthorization.CookieScheme);
        }
        return SignInPage.SignedOut();
    }

    private static Task Begin(HttpContext context, Principal person) =>
        context.SignInAsync(ApiAuthorization.CookieScheme, new ClaimsPrincipal(PrincipalClaims.Identity(person, ApiAuthorization.CookieScheme)), new AuthenticationProperties { IsPersistent = true });

    private static Visitor Visitor(HttpContext context) =>
        new(context.Connection.RemoteIpAddress?.ToString(), context.Request.Headers.UserAgent.ToString(), context.User.Identity?.IsAuthenticated == true ? context.User.ToPrincipal().Session : null);

    private static string Short(string text) => text.Length <= Longest ? text : text[..Longest];

    /// <summary>People paste the whole link, or what it carries.</summary>
    private static string SecretOf(string link) =>
        link.IndexOf(Parameter, StringComparison.Ordinal) is var at and >= 0 ? link[(at + Parameter.Length)..].Split('&')[0] : link;

    /// <summary>Only paths of this console are returned to; anything else could lead people elsewhere.</summary>
    private static string Local(string? url) =>
        url is { Length: > 0 } && url[0] == '/' && !(url.Length > 1 && url[1] is '/' or '\\') && url.All(c => char.IsAscii(c) && !char.IsControl(c)) ? url : "/";
}

/// <param name="Credential">As <c>PublicKeyCredential.toJSON()</c> gives it.</param>
internal sealed record PasskeyAnswer(string? State, JsonElement? Credential);

/// <summary>Between the first factor and the code: who gave the right one just now.</summary>
public sealed class SignInTickets(IDataProtectionProvider protection)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly ITimeLimitedDataProtector _tickets = protection.CreateProtector("sign-in-code").ToTimeLimitedDataProtector();

    public string For(CodeAsked asked) => _tickets.Protect(JsonSerializer.Serialize(asked), Lifetime);

    public CodeAsked? Of(string? ticket)
    {
        try
        {
            return ticket is { Length: > 0 and < 2000 } ? JsonSerializer.Deserialize<CodeAsked>(_tickets.Unprotect(ticket)) : null;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }
}

/// <summary>The few plain pages around signing in; they work before anybody is known, and without scripts but for passkeys.</summary>
internal static class SignInPage
{
    public static IResult Confirm(string link, string returnUrl) => PlainPage.Of("Sign in", $"""
        <p>This link signs you in, once.</p>
        <form method="post" action="{SignInEndpoints.Path}">
          <input type="hidden" name="link" value="{WebUtility.HtmlEncode(link)}">
          <input type="hidden" name="returnUrl" value="{WebUtility.HtmlEncode(returnUrl)}">
          <button type="submit" class="button button-primary">Sign in</button>
        </form>
        """);

    public static IResult Ways(string returnUrl, string? name, string? refused, HttpContext context) => PlainPage.Of("Sign in", $"""
        {(refused is null ? "" : $"""<div class="notice notice-attention" role="alert"><p>{WebUtility.HtmlEncode(refused)}</p></div>""")}
        {(PasskeyChecks.WhyNone(context.Request.Host.Host) is not null ? "" : $"""
        <section class="way">
          <button type="button" class="button button-primary" data-passkey-sign-in data-return="{WebUtility.HtmlEncode(returnUrl)}">Sign in with a passkey</button>
          <p class="hint" id="passkey-answer" role="status">Your finger, face or PIN, or a key that you plug in.</p>
        </section>
        """)}
        <section class="way" aria-labelledby="by-password">
          <h2 id="by-password">With a password</h2>
          <form method="post" action="{SignInEndpoints.Path}/password">
            <input type="hidden" name="returnUrl" value="{WebUtility.HtmlEncode(returnUrl)}">
            <div class="field"><label for="name">Name</label><input id="name" name="name" class="input" required autocomplete="username" autocapitalize="off" spellcheck="false" value="{WebUtility.HtmlEncode(name)}"></div>
            <div class="field"><label for="password">Password</label><input id="password" name="password" type="password" class="input" required autocomplete="current-password"></div>
            <button type="submit" class="button">Sign in</button>
          </form>
        </section>
        <section class="way" aria-labelledby="by-link">
          <h2 id="by-link">With a link</h2>
          <p>From whoever invited you, or, for the operator, printed at each start of Plinth and valid for 15 minutes. Open it, or paste it here to go on where you were.</p>
          <form method="post" action="{SignInEndpoints.Path}">
            <input type="hidden" name="returnUrl" value="{WebUtility.HtmlEncode(returnUrl)}">
            <div class="field"><label for="link">Sign-in link</label><input id="link" name="link" class="input mono" required autocomplete="off" autocapitalize="off" spellcheck="false"></div>
            <button type="submit" class="button">Sign in by link</button>
          </form>
          <details><summary>No way in at hand?</summary>
          <p>Whoever looks after people here can make you another link. The operator stops Plinth and runs <code>./start</code> again on the machine that it runs on; guests are not touched by that. Where Plinth is a Debian package: <code>runuser -u plinth -- plinth-console --sign-in-link</code>.</p></details>
        </section>
        <script src="/js/passkey.js"></script>
        """, refused is null ? StatusCodes.Status200OK : StatusCodes.Status403Forbidden);

    public static IResult Code(string ticket, string returnUrl, string? refused) => PlainPage.Of("One more step", $"""
        {(refused is null ? "" : $"""<div class="notice notice-attention" role="alert"><p>{WebUtility.HtmlEncode(refused)}</p></div>""")}
        <p>Give the code that your authenticator app shows now, or one of your recovery codes.</p>
        <form method="post" action="{SignInEndpoints.Path}/code">
          <input type="hidden" name="ticket" value="{WebUtility.HtmlEncode(ticket)}">
          <input type="hidden" name="returnUrl" value="{WebUtility.HtmlEncode(returnUrl)}">
          <div class="field"><label for="code">Code</label><input id="code" name="code" class="input mono" required autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" autofocus></div>
          <button type="submit" class="button button-primary">Sign in</button>
        </form>
        """, refused is null ? StatusCodes.Status200OK : StatusCodes.Status403Forbidden);

    public static IResult Refused(string reason) => PlainPage.Of("Not signed in", $"""<p>{WebUtility.HtmlEncode(reason)}</p><p><a href="{SignInEndpoints.Path}">Other ways to sign in</a></p>""", StatusCodes.Status403Forbidden);

    public static IResult SignOut() => PlainPage.Of("Sign out", """
        <form method="post" action="/sign-out"><button type="submit" class="button button-primary">Sign out</button></form>
        """);

    public static IResult SignedOut() => PlainPage.Of("Signed out", $"""<p>You are signed out.</p><p><a href="{SignInEndpoints.Path}">Sign in again</a></p>""");
}
