using Microsoft.AspNetCore.Components;

namespace Plinth.Web.Components.Live;

/// <summary>
/// Draws again only when what it shows is another. Blazor knows that of strings and numbers, not of records and dates, and would
/// send an empty update for each of these each time the parent is drawn.
/// </summary>
public abstract class LeafComponent : ComponentBase
{
    private object? _shown;
    private bool _isNew;

    /// <summary>Everything that the drawing depends on, compared by value.</summary>
    protected abstract object? Shown { get; }

    protected override void OnParametersSet()
    {
        var shown = Shown;
        _isNew = !Equals(_shown, shown);
        _shown = shown;
    }

    protected override bool ShouldRender() => _isNew;
}
