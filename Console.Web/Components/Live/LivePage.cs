using Microsoft.AspNetCore.Components;
using Plinth.Web.Application;

namespace Plinth.Web.Components.Live;

/// <summary>A page over a <see cref="LiveView"/>: opens it for the caller and the URL, redraws when it changes, disposes it.</summary>
public abstract class LivePage<TView> : ComponentBase, IDisposable where TView : LiveView
{
    private object? _key;

    [Inject] public required CallerSource Callers { get; set; }
    [Inject] public required NavigationManager Navigation { get; set; }

    protected TView? View { get; private set; }
    protected Caller Caller { get; private set; } = new(Plinth.Core.Identity.Principal.Anonymous, null);

    /// <summary>What of the URL decides which view is open; another key opens another view.</summary>
    protected virtual object Key => "";

    protected abstract TView Open(Caller caller);

    protected override async Task OnParametersSetAsync()
    {
        if (Equals(_key, Key)) return;
        _key = Key;
        Close();
        Caller = await Callers.Current();
        var view = Open(Caller);
        view.Dispatch = InvokeAsync;
        view.Changed += Redraw;
        View = view;
        try
        {
            await view.Load();
        }
        catch (OperationCanceledException)
        {
            // Left before it was read.
        }
    }

    private void Redraw() => _ = InvokeAsync(StateHasChanged);

    private void Close()
    {
        if (View is null) return;
        View.Changed -= Redraw;
        View.Dispose();
        View = null;
    }

    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }
}
