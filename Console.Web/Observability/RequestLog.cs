using System.Diagnostics;
using Plinth.Web.Security;

namespace Plinth.Web.Observability;

/// <summary>One line per request to the API, the OpenID provider and the consoles: by route, never by query or secret.</summary>
public static class RequestLog
{
    private static readonly string[] Logged = ["/api", "/connect", "/sign-in", "/sign-out", "/consoles", "/enrol", "/agent/renew", "/agent/images"];

    public static void UseRequestLog(this IApplicationBuilder app)
    {
        var log = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("Plinth.Requests");
        app.Use(async (context, next) =>
        {
            var path = context.Request.Path;
            if (!Logged.Any(prefix => path.StartsWithSegments(prefix)))
            {
                await next(context);
                return;
            }
            var began = Stopwatch.GetTimestamp();
            try
            {
                await next(context);
            }
            finally
            {
                // A console's path holds its ticket: the pattern stands for it.
                var shown = path.StartsWithSegments("/consoles") ? "/consoles/{ticket}" : path.Value;
                log.LogInformation("{Method} {Path} {Status} {Milliseconds:0.0} ms by {Principal} from {Address}",
                    context.Request.Method, shown, context.Response.StatusCode, Stopwatch.GetElapsedTime(began).TotalMilliseconds, context.User.ToPrincipal().Id, context.Connection.RemoteIpAddress);
            }
        });
    }
}
