using Microsoft.AspNetCore.Components;

namespace Plinth.Web.Components.Live;

/// <summary>Draws one row, and draws it again only when that row has something new.</summary>
public abstract class LiveRowComponent<TContent> : ComponentBase, IDisposable where TContent : IEquatable<TContent>
{
    private LiveRow<TContent>? _shown;
    private int _revision = -1;

    [Parameter, EditorRequired] public required LiveRow<TContent> Row { get; set; }

    protected TContent Content => Row.Content;

    protected override void OnParametersSet()
    {
        if (ReferenceEquals(_shown, Row)) return;
        if (_shown is not null) _shown.Changed -= Redraw;
        _shown = Row;
        _shown.Changed += Redraw;
        _revision = -1;
    }

    protected override bool ShouldRender()
    {
        if (_revision == Row.Revision) return false;
        _revision = Row.Revision;
        return true;
    }

    protected override void OnAfterRender(bool firstRender) => _revision = Row.Revision;

    private void Redraw() => _ = InvokeAsync(StateHasChanged);

    public void Dispose()
    {
        if (_shown is not null) _shown.Changed -= Redraw;
        GC.SuppressFinalize(this);
    }
}
