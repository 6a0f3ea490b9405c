namespace Plinth.Web.Components.Lists;

/// <summary>A column that a list can show beside its name.</summary>
/// <param name="Usual">Shown until somebody chooses.</param>
public sealed record ListColumn(string Key, string Text, bool Usual = true);

/// <summary>The columns that a URL asks for (<c>columns=state,host</c>), in the list's own order; unknown ones are ignored, so that old links keep working.</summary>
/// <param name="Text">As it stands in the URL; null for the usual ones.</param>
public sealed record ColumnSet(string? Text, string Keys)
{
    public static ColumnSet Read(string? text, IReadOnlyList<ListColumn> all)
    {
        var asked = text?.Split(',', StringSplitOptions.TrimEntries) ?? [.. all.Where(c => c.Usual).Select(c => c.Key)];
        return Of(all.Where(c => asked.Contains(c.Key)), all);
    }

    public bool Has(string key) => $",{Keys},".Contains($",{key},", StringComparison.Ordinal);

    /// <summary>The same with one column more, or less.</summary>
    public ColumnSet With(string key, bool shown, IReadOnlyList<ListColumn> all) => Of(all.Where(c => c.Key == key ? shown : Has(c.Key)), all);

    private static ColumnSet Of(IEnumerable<ListColumn> columns, IReadOnlyList<ListColumn> all)
    {
        var keys = string.Join(',', columns.Select(c => c.Key));
        return new ColumnSet(keys == string.Join(',', all.Where(c => c.Usual).Select(c => c.Key)) ? null : keys.Length == 0 ? "none" : keys, keys);
    }
}
