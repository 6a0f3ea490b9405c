using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Plinth.Web.Api;

namespace Plinth.Web.Security;

/// <summary>The API answers 401 and 403 as problem details and never redirects; a browser's cookie counts only for calls from the console's own pages.</summary>
public sealed class ApiChallenge : IAuthorizationMiddlewareResultHandler
{
    private readonly AuthorizationMiddlewareResultHandler _pages = new();

    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (!context.Request.Path.StartsWithSegments("/api") && !context.Request.Path.StartsWithSegments("/consoles"))
            return _pages.HandleAsync(next, context, policy, authorizeResult);
        if (authorizeResult.Challenged)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"plinth\"";
            return Problems.Write(context, StatusCodes.Status401Unauthorized, "unauthenticated", "Sign in, or send an access token: Authorization: Bearer TOKEN (from POST /connect/token, or one that you made under Your account).");
        }
        if (authorizeResult.Forbidden) return Problems.Write(context, StatusCodes.Status403Forbidden, "forbidden", "This principal may not use the API.");
        var byCookie = context.User.Identities.All(i => i.AuthenticationType == ApiAuthorization.CookieScheme || !i.IsAuthenticated);
        var changes = !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method);
        if (byCookie && changes && !SameOrigin.Holds(context.Request))
            return Problems.Write(context, StatusCodes.Status403Forbidden, "cross_origin", "A page of another origin cannot act with this console's cookie.");
        return next(context);
    }
}
