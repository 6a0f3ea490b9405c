using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.Components.Web;

namespace Plinth.Web.Components;

/// <summary>Decides how a page is rendered: over a circuit, or once as plain HTML.</summary>
public partial class App
{
    private static readonly IComponentRenderMode Interactive = new InteractiveServerRenderMode(prerender: false);
    private static readonly string MudBlazorVersion = typeof(MudBlazor.MudButton).Assembly.GetName().Version?.ToString(3) ?? "0";

    [CascadingParameter]
    private HttpContext? HttpContext { get; set; }

    private IComponentRenderMode? Mode => HttpContext?.AcceptsInteractiveRouting() == true ? Interactive : null;
}
