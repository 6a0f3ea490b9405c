using System.Net;
using Plinth.Web.Security.SignIn;

namespace Plinth.Web.Security.OpenId;

/// <summary>Where somebody allows a program that runs where there is no browser.</summary>
internal static class DevicePage
{
    public static IResult Ask(string? refused) => PlainPage.Of("Connect a program", $"""
        {(refused is null ? "" : $"""<div class="notice notice-attention" role="alert"><p>{WebUtility.HtmlEncode(refused)}</p></div>""")}
        <p>A program that you started shows a code. Give it here.</p>
        <form method="get" action="{OpenIdProvider.DevicePath}">
          <div class="field"><label for="user_code">Code</label><input id="user_code" name="user_code" class="input mono" required autocomplete="off" autocapitalize="characters" spellcheck="false" autofocus placeholder="BCDF-GHJK"></div>
          <button type="submit" class="button button-primary">Go on</button>
        </form>
        """, refused is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);

    public static IResult Confirm(string client, string code) => PlainPage.Of("Connect a program", $"""
        <p><strong>{WebUtility.HtmlEncode(client)}</strong> shows the code <strong class="mono">{WebUtility.HtmlEncode(code)}</strong> and wants to use this console as you, with everything that you may do.</p>
        <p>Allow it only if you have started it yourself just now, and see this code there. Nobody who helps you ever asks you to give a code of theirs.</p>
        <form method="post" action="{OpenIdProvider.DevicePath}">
          <input type="hidden" name="user_code" value="{WebUtility.HtmlEncode(code)}">
          <div class="acts">
            <button type="submit" name="decision" value="allow" class="button button-primary">Allow</button>
            <button type="submit" name="decision" value="refuse" class="button">Refuse</button>
          </div>
        </form>
        """);

    public static IResult SignInAgain(string reason, string code) => PlainPage.Of("Connect a program", $"""
        <p>{WebUtility.HtmlEncode(reason)}</p>
        <p><a href="{SignInEndpoints.Path}?returnUrl={WebUtility.UrlEncode($"{OpenIdProvider.DevicePath}?user_code={code}")}">Sign in again</a></p>
        """, StatusCodes.Status403Forbidden);

    public static IResult Answered(bool allowed) => PlainPage.Of(allowed ? "Allowed" : "Refused", allowed
        ? "<p>The program goes on by itself. You can close this page; <a href=\"/account\">Your account</a> shows the program, and ends it.</p>"
        : "<p>The program gets nothing. You can close this page.</p>");
}
