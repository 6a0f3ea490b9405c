namespace Plinth.Web.Layout;

public sealed record Crumb(string Text, string? Href);

/// <summary>Where the page stands. A page sets it; the top bar shows it.</summary>
public sealed class BreadcrumbTrail
{
    public IReadOnlyList<Crumb> Crumbs { get; private set; } = [];

    public event Action? Changed;

    public void Set(params IReadOnlyList<Crumb> crumbs)
    {
        if (Crumbs.SequenceEqual(crumbs)) return;
        Crumbs = crumbs;
        Changed?.Invoke();
    }
}
