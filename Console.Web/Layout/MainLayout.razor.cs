using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.JSInterop;
using Plinth.Web.Components.Live;

namespace Plinth.Web.Layout;

public partial class MainLayout
{
    private ErrorBoundary? _boundary;
    private IDisposable? _open;

    [Inject] public required IJSRuntime Js { get; set; }
    [Inject] public required OpenPages Pages { get; set; }
    [Inject] public required PortalScope Scope { get; set; }
    [Inject] public required SessionKeeper Session { get; set; }

    /// <summary>Another page is another chance: what failed on the last one is not shown on the next.</summary>
    protected override void OnParametersSet() => _boundary?.Recover();

    protected override void OnInitialized() => Scope.Changed += Redraw;

    private void Redraw() => _ = InvokeAsync(StateHasChanged);

    /// <summary>Marks the document once it answers to clicks: whoever drives a browser waits for it.</summary>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender) return;
        _open = Pages.Add(() => InvokeAsync(() => Js.InvokeVoidAsync("plinthPause", Pages.Instance).AsTask()));
        await Session.Begin();
        await Js.InvokeVoidAsync("document.documentElement.setAttribute", "data-ready", "true");
    }

    public void Dispose()
    {
        Scope.Changed -= Redraw;
        _open?.Dispose();
        GC.SuppressFinalize(this);
    }
}
