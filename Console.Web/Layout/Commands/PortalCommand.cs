using Plinth.Web.Components;

namespace Plinth.Web.Layout.Commands;

/// <summary>Something to do from anywhere: in the palette by its words, by its keys without it.</summary>
/// <param name="Keys">Pressed one after the other: "g h". Null where it has none.</param>
/// <param name="Href">Where it leads; otherwise <paramref name="Browser"/> says what the browser does (js/keys.js).</param>
public sealed record PortalCommand(string Group, string Text, string? Keys, string? Href = null, string? Browser = null)
{
    private const string Go = "Go to", Do = "Do", Show = "Display", List = "In lists";

    /// <summary>The one list: the palette, the sheet of keys and js/keys.js all read it.</summary>
    /// <param name="project">Where what stands in projects leads to.</param>
    public static IReadOnlyList<PortalCommand> In(string project) =>
    [
        new(Go, "Overview", "g o", PortalUrls.Overview),
        new(Go, "Virtual machines", "g v", PortalUrls.Vms(project)),
        new(Go, "Volumes", "g l", PortalUrls.Volumes(project)),
        new(Go, "Images", "g i", PortalUrls.Images),
        new(Go, "Flavors", "g f", PortalUrls.Flavors),
        new(Go, "Networks", "g n", PortalUrls.Networks(project)),
        new(Go, "Usage and quota", "g q", PortalUrls.Usage(project)),
        new(Go, "Hosts", "g h", PortalUrls.Hosts()),
        new(Go, "Storage classes", "g s", PortalUrls.StorageClasses),
        new(Go, "Agents", "g a", PortalUrls.Agents),
        new(Go, "Upkeep", "g k", PortalUrls.Upkeep),
        new(Go, "Projects", "g j", PortalUrls.Projects),
        new(Go, "People and roles", "g r", PortalUrls.People),
        new(Go, "Who can do what", "g w", PortalUrls.Access()),
        new(Go, "Your account", "g y", PortalUrls.Account),
        new(Go, "Operations", "g p", PortalUrls.Operations()),
        new(Go, "Audit", "g u", PortalUrls.Audit()),
        new(Do, "Create a virtual machine", "c", PortalUrls.NewVm(project)),
        new(Do, "Create a volume", null, PortalUrls.NewVolume(project)),
        new(Do, "Join a host", null, PortalUrls.Agents),
        new(Do, "Open the tasks", "t", Browser: "open task-tray"),
        new(Do, "Show the keyboard shortcuts", "?", Browser: "open keys-sheet"),
        new(Show, "Light theme", null, Browser: "choose theme light"),
        new(Show, "Dark theme", null, Browser: "choose theme dark"),
        new(Show, "Theme of the system", null, Browser: "choose theme system"),
        new(Show, "High contrast", null, Browser: "choose contrast high"),
        new(Show, "Contrast of the system", null, Browser: "choose contrast system"),
        new(Show, "Compact rows", null, Browser: "choose density compact"),
        new(Show, "Comfortable rows", null, Browser: "choose density comfortable"),
        new(Show, "Times in UTC", null, Browser: "choose zone utc"),
        new(Show, "Times of this browser", null, Browser: "choose zone local"),
        new(List, "Search in this list", "/", Browser: "search"),
        new(List, "Next row", "j", Browser: "row next"),
        new(List, "Row before", "k", Browser: "row before"),
        new(List, "Select the row", "x", Browser: "mark"),
    ];

    /// <summary>Whether all typed words occur in it.</summary>
    public bool Matches(IReadOnlyList<string> words) => words.All(w => $"{Group} {Text}".Contains(w, StringComparison.OrdinalIgnoreCase));

    /// <summary>Makes sense from the palette: what moves in a list needs the list.</summary>
    public bool InPalette => Group != List;
}
