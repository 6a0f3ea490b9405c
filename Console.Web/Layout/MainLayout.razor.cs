using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.JSInterop;

namespace Plinth.Web.Layout;

public partial class MainLayout
{
    private ErrorBoundary? _boundary;

    [Inject] public required IJSRuntime Js { get; set; }

    /// <summary>Another page is another chance: what failed on the last one is not shown on the next.</summary>
    protected override void OnParametersSet() => _boundary?.Recover();

    /// <summary>Marks the document once it answers to clicks: whoever drives a browser waits for it.</summary>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender) await Js.InvokeVoidAsync("document.documentElement.setAttribute", "data-ready", "true");
    }
}
