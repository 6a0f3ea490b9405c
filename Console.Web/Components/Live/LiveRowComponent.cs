using Microsoft.AspNetCore.Components;

namespace Plinth.Web.Components.Live;

/// <summary>Draws one row when its list is drawn, and only if that row has something new.</summary>
public abstract class LiveRowComponent<TContent> : LeafComponent where TContent : IEquatable<TContent>
{
    [Parameter, EditorRequired] public required LiveRow<TContent> Row { get; set; }

    protected TContent Content => Row.Content;

    protected override object? Shown => (Row, Row.Revision);
}
