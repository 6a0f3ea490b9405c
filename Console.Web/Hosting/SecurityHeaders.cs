using Plinth.Web.Listeners;

namespace Plinth.Web.Hosting;

/// <summary>What browsers are told about every answer of the portal.</summary>
public static class SecurityHeaders
{
    // Inline styles: MudBlazor and ApexCharts set them on elements. Scripts come from this console only, never inline.
    private const string Policy =
        "default-src 'self'; script-src 'self'{0}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
        "connect-src 'self' {1}; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'{2}";

    /// <summary>In <see cref="HttpContext.Items"/>: what an inline script of a page must carry to be run. Fresh per answer.</summary>
    public const string NonceItem = "csp-nonce";

    public static void UseSecurityHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if ((context.Features.Get<ListenerFeature>()?.Kind ?? ListenerKind.Portal) != ListenerKind.Portal) return next(context);
        var (request, headers) = (context.Request, context.Response.Headers);
        var path = request.Path;
        // The API's reading page starts itself by an inline script.
        var nonce = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        context.Items[NonceItem] = nonce;
        var script = path.StartsWithSegments("/docs") ? " 'unsafe-inline'" : $" 'nonce-{nonce}'";
        // 'self' covers WebSockets in some browsers only.
        var socket = $"{(request.IsHttps ? "wss" : "ws")}://{request.Host}";
        // After signing in people are sent on to the program that asked for it, and browsers apply form-action to that hop too.
        var forms = path.StartsWithSegments("/sign-in") ? "" : "; form-action 'self'";
        headers.ContentSecurityPolicy = string.Format(Policy, script, socket, forms);
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        // On localhost it would hold for whatever else serves there.
        if (request.IsHttps && request.Host.Host != "localhost") headers.StrictTransportSecurity = "max-age=31536000";
        if (path.StartsWithSegments("/api") || path.StartsWithSegments("/connect") || path.StartsWithSegments("/sign-in") || path.StartsWithSegments("/device")) headers.CacheControl = "no-store";
        return next(context);
    });
}
