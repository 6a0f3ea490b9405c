using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.Components.Web;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Components;

/// <summary>Decides how a page is rendered: over a circuit, or once as plain HTML. Carries what the person has chosen, for the first paint.</summary>
public partial class App
{
    private static readonly IComponentRenderMode Interactive = new InteractiveServerRenderMode(prerender: false);
    private static readonly string MudBlazorVersion = typeof(MudBlazor.MudButton).Assembly.GetName().Version?.ToString(3) ?? "0";

    private Dictionary<string, object> _choices = [];

    [CascadingParameter]
    private HttpContext? HttpContext { get; set; }

    [Inject] public required IPersonal Personal { get; set; }

    private IComponentRenderMode? Mode => HttpContext?.AcceptsInteractiveRouting() == true ? Interactive : null;

    protected override async Task OnInitializedAsync()
    {
        if (Mode is null || HttpContext!.Caller() is not { Principal.Kind: PrincipalKind.User } caller) return;
        var preferences = await Personal.Preferences(caller, HttpContext!.RequestAborted);
        if (preferences.Succeeded) _choices = preferences.Value.ToDictionary(p => $"data-my-{p.Key}", p => (object)p.Value);
    }
}
