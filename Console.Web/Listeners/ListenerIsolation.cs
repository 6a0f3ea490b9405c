using Plinth.Web.Options;

namespace Plinth.Web.Listeners;

/// <summary>Keeps each endpoint behind its own door, and the portal to the names it is known by.</summary>
public static class ListenerIsolation
{
    /// <summary>To be placed right after routing: an endpoint of another listener is as if it did not exist.</summary>
    public static void UseListenerIsolation(this IApplicationBuilder app, PortalOptions portal)
    {
        var names = new HashSet<string>(portal.AllowedHosts, StringComparer.OrdinalIgnoreCase) { "localhost", "127.0.0.1", "[::1]", portal.Url.Host };
        app.Use(async (context, next) =>
        {
            // Without Kestrel (an in-memory test server) there is only the portal.
            var door = context.Features.Get<ListenerFeature>()?.Kind ?? ListenerKind.Portal;
            if (door == ListenerKind.Portal && !names.Contains(context.Request.Host.Host))
            {
                // A page of a stranger's name that resolves to this address would otherwise act inside people's browsers.
                context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
                await context.Response.WriteAsync($"This console is not known as \"{context.Request.Host.Host}\"; add the name to Plinth:Portal:AllowedHosts.");
                return;
            }
            var belongs = context.GetEndpoint()?.Metadata.GetMetadata<ServedOn>()?.Kind ?? ListenerKind.Portal;
            if (belongs != door)
            {
                context.SetEndpoint(null);
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }
            await next(context);
        });
    }

    public static TBuilder ServedOn<TBuilder>(this TBuilder endpoint, ListenerKind kind) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ServedOn(kind));
}
