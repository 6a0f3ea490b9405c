using Microsoft.AspNetCore.Components.Server.Circuits;
using MudBlazor;
using MudBlazor.Services;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;
using Plinth.Web.Layout.Commands;

namespace Plinth.Web.Components;

/// <summary>The portal's part of the composition root.</summary>
public static class Portal
{
    public static IServiceCollection AddPortal(this IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents(circuit =>
        {
            // A tab that sleeps through a lunch break reconnects; its circuit costs well under a megabyte.
            circuit.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(10);
            circuit.DisconnectedCircuitMaxRetained = 100;
        });
        services.AddCascadingAuthenticationState();
        services.AddMudServices(mud =>
        {
            mud.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomCenter;
            mud.SnackbarConfiguration.PreventDuplicates = true;
            mud.SnackbarConfiguration.VisibleStateDuration = 6000;
        });
        services.AddSingleton<OpenPages>().AddSingleton<CircuitHandler>(s => s.GetRequiredService<OpenPages>()).AddHostedService(s => s.GetRequiredService<OpenPages>());
        services.AddScoped<CallerSource>().AddScoped<PortalScope>().AddScoped<SessionKeeper>();
        services.AddScoped<BreadcrumbTrail>();
        services.AddScoped<PageCommands>();
        return services;
    }

    /// <summary>People get a page where a program gets problem details: for an address that leads nowhere, and for a fault. Comes first.</summary>
    public static void UsePortalErrors(this WebApplication app) =>
        app.UseWhen(context => WantsPage(context.Request), pages =>
        {
            pages.UseExceptionHandler("/error", createScopeForErrors: true);
            pages.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
        });

    private static bool WantsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal) && !request.Path.StartsWithSegments("/api");

    /// <summary>Static assets and pages. Comes after authentication, authorisation and antiforgery.</summary>
    public static void MapPortal(this WebApplication app)
    {
        // Nothing in them is secret, and the pages around signing in need them.
        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    }
}
