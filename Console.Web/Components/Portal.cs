using MudBlazor;
using MudBlazor.Services;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;

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
        services.AddScoped<CallerSource>();
        services.AddScoped<BreadcrumbTrail>();
        return services;
    }

    /// <summary>Static assets and pages. Comes after authentication, authorisation and antiforgery.</summary>
    public static void MapPortal(this WebApplication app)
    {
        // Nothing in them is secret, and the pages around signing in need them.
        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
    }
}
