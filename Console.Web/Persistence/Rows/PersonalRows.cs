using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Rows;

/// <summary>One choice that a person has made for the portal ("theme" → "dark"). Nobody else sees it.</summary>
public sealed class PreferenceRow
{
    /// <summary>Kind and id of the principal: "user:…".</summary>
    public required string Principal { get; set; }
    public required string Key { get; set; }
    public required string Value { get; set; }
}

/// <summary>A list as a person wants to see it again: a name for the query of its URL.</summary>
public sealed class SavedViewRow
{
    public required SavedViewId Id { get; set; }
    public required string Principal { get; set; }
    /// <summary>"vms", "hosts", "operations".</summary>
    public required string List { get; set; }
    public required string Name { get; set; }
    /// <summary>"state=failed&amp;sort=-created", without the question mark.</summary>
    public required string Query { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
}
