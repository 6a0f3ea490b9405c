namespace Plinth.Web.Api;

/// <summary>Whatever goes wrong below the API leaves as problem details: unreadable input, unknown paths, wrong methods and media types, faults.</summary>
public static class ProblemMiddleware
{
    public static void UseProblems(this WebApplication app)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Plinth.Api");
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (BadInputException e) when (!context.Response.HasStarted)
            {
                await Problems.Write(context, Problems.From(context, e.Refusals));
                return;
            }
            catch (BadHttpRequestException e) when (!context.Response.HasStarted)
            {
                await Problems.Write(context, e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too_large" : "bad_request", e.Message);
                return;
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (!context.Response.HasStarted)
            {
                log.LogError(e, "{Method} {Path} failed.", context.Request.Method, context.Request.Path.StartsWithSegments("/consoles") ? "/consoles/{ticket}" : context.Request.Path.Value);
                if (IsPage(context)) throw;
                await Problems.Write(context, StatusCodes.Status500InternalServerError, "fault", "The console failed to answer. The details are in its log, under the trace id.");
                return;
            }
            if (context.Response.HasStarted || IsPage(context) || context.Response.ContentType is not null) return;
            switch (context.Response.StatusCode)
            {
                case StatusCodes.Status404NotFound:
                    await Problems.Write(context, 404, "not_found", $"There is nothing at {context.Request.Path}.");
                    break;
                case StatusCodes.Status405MethodNotAllowed:
                    await Problems.Write(context, 405, "method_not_allowed", $"{context.Request.Method} is not possible here; allowed: {context.Response.Headers.Allow}.");
                    break;
                case StatusCodes.Status415UnsupportedMediaType:
                    await Problems.Write(context, 415, "unsupported_media_type", "Send the body as application/json.");
                    break;
            }
        });
    }

    private static bool IsPage(HttpContext context) =>
        !context.Request.Path.StartsWithSegments("/api") && !context.Request.Path.StartsWithSegments("/enrol") && !context.Request.Path.StartsWithSegments("/agent");
}
