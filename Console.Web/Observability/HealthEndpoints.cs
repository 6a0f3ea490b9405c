using Plinth.Web.Components.Live;
using Plinth.Web.Hosting;

namespace Plinth.Web.Observability;

/// <summary>For load balancers and people in doubt: is the process alive, can it work, and if not, why.</summary>
public static class HealthEndpoints
{
    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/healthz", (OpenPages pages) => Results.Json(new { status = "alive", instance = pages.Instance })).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/readyz", async (Readiness readiness, CancellationToken stop) =>
        {
            var answers = await readiness.Ask(stop);
            var ready = answers.Values.All(reason => reason is null);
            return Results.Json(
                new { status = ready ? "ready" : "not-ready", checks = answers.ToDictionary(a => a.Key, a => new { ready = a.Value is null, reason = a.Value }) },
                statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        }).AllowAnonymous().ExcludeFromDescription();
        app.MapPrometheusScrapingEndpoint("/metrics").AllowAnonymous();
    }
}
