using Plinth.Web.Components;

namespace Plinth.Web;

/// <summary>The composition root. Tests enter by the same door through one hook.</summary>
public static class ConsoleApplication
{
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddSingleton(TimeProvider.System);
        configure?.Invoke(builder);
        builder.Services.AddPortal();
        var app = builder.Build();
        app.UseAntiforgery();
        app.MapPortal();
        return app;
    }
}
