using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Data;
using Plinth.Web.Components.Live;

namespace Plinth.Web.Layout.Commands;

/// <summary>One line of the palette: leads somewhere, does something here, or has the browser do it.</summary>
public sealed record PaletteItem(string Group, string Text, string Detail, string? Href = null, string? Browser = null, string? Keys = null, PageCommand? Act = null);

/// <summary>What the palette lists for what was typed: acts of the page and commands at once, objects as soon as the search has answered.</summary>
/// <param name="project">The project that what stands in projects leads to.</param>
public sealed class PaletteView(ISearch search, TimeProvider time, Caller caller, PageCommands page, Func<string> project) : LiveView(caller)
{
    // Long enough to skip the letters of a word typed at speed, too short to be felt.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);
    private const int Hits = 12;

    private CancellationTokenSource? _typing;
    private Page<SearchHit>? _found;

    public bool IsOpen { get; private set; }
    public string Text { get; private set; } = "";
    public bool Searching { get; private set; }
    public IReadOnlyList<PaletteItem> Items { get; private set; } = [];

    /// <summary>"12 of 3,214 found", where the search has found more than is listed.</summary>
    public string? Count => _found is { } found && found.Total > found.Items.Count ? $"{Quantity.Count(found.Items.Count)} of {Quantity.Count(found.Total)} found; type more to narrow it down" : null;

    private IReadOnlyList<string> Words => Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A letter typed at once may be heard before the opening.</summary>
    public void Show(bool open)
    {
        IsOpen = open;
        if (!open)
        {
            _typing?.Cancel();
            (Text, _found, Searching) = ("", null, false);
        }
        List();
    }

    public async Task Type(string text)
    {
        _typing?.Cancel();
        Text = text.Trim();
        if (Text.Length == 0) _found = null;
        Searching = Text.Length > 0;
        List();
        if (!Searching) return;
        var typing = _typing = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        try
        {
            await Task.Delay(Pause, time, typing.Token);
            var found = await search.Find(Caller, Text, Hits, typing.Token);
            typing.Token.ThrowIfCancellationRequested();
            _found = Take(found);
            Searching = false;
            List();
        }
        catch (OperationCanceledException)
        {
            // More was typed, or the palette was closed.
        }
    }

    protected override Task Read() => Task.CompletedTask;

    private void List()
    {
        Items = IsOpen ? [.. OfPage(), .. Objects(), .. Commands()] : [];
        NotifyChanged();
    }

    private IEnumerable<PaletteItem> OfPage() => page.Commands
        .Where(c => Words.All(w => c.Text.Contains(w, StringComparison.OrdinalIgnoreCase)))
        .Select(c => new PaletteItem("This page", c.Text, c.WhyNot ?? "", Act: c));

    private IEnumerable<PaletteItem> Objects() => _found?.Items.Select(h => new PaletteItem(
        h.Kind switch { "vm" => "Virtual machines", "volume" => "Volumes", "network" => "Networks", "storage-class" => "Storage classes", "host" => "Hosts", "image" => "Images", "flavor" => "Flavors", _ => "Operations" },
        h.Name, string.Join(" · ", new[] { h.State, h.Detail }.Where(t => t.Length > 0)), Href(h))) ?? [];

    private IEnumerable<PaletteItem> Commands() => PortalCommand.In(project()).Where(c => c.InPalette && c.Matches(Words))
        .Select(c => new PaletteItem(c.Group, c.Text, "", c.Href, c.Browser, c.Keys));

    private static string Href(SearchHit hit) => hit.Kind switch
    {
        "vm" => PortalUrls.Vm(hit.Project!, VmId.From(hit.Id)),
        "volume" => PortalUrls.Volume(hit.Project!, VolumeId.From(hit.Id)),
        "network" => PortalUrls.Network(hit.Project!, NetworkId.From(hit.Id)),
        "storage-class" => PortalUrls.StorageClass(StorageClassId.From(hit.Id)),
        "host" => PortalUrls.Host(HostId.From(hit.Id)),
        "image" => PortalUrls.Images,
        "flavor" => PortalUrls.Flavors,
        _ => PortalUrls.Operation(OperationId.From(hit.Id)),
    };

    protected override void OnDisposed() => _typing?.Cancel();
}
