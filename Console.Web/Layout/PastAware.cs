using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.WebUtilities;

namespace Plinth.Web.Layout;

/// <summary>Knows whether the open page can be shown as it was, and whether it is.</summary>
public abstract class PastAware : ComponentBase, IDisposable
{
    [Inject] public required NavigationManager Navigation { get; set; }

    protected bool CanShowThePast => Address.AbsolutePath.Trim('/').Split('/') is ["hosts"] or ["hosts", _] or ["projects", _, "vms"] or ["projects", _, "vms", not "new"];

    protected string? At => QueryHelpers.ParseQuery(Address.Query).TryGetValue("at", out var at) ? at.ToString() : null;

    protected string Now => Navigation.GetUriWithQueryParameter("at", (string?)null);

    private Uri Address => new(Navigation.Uri);

    protected override void OnInitialized() => Navigation.LocationChanged += Moved;

    private void Moved(object? sender, LocationChangedEventArgs e) => InvokeAsync(StateHasChanged);

    public void Dispose()
    {
        Navigation.LocationChanged -= Moved;
        GC.SuppressFinalize(this);
    }
}
