using Plinth.Web.Options;

namespace Plinth.Web.Application;

/// <summary>What the application needs to know of the outside.</summary>
/// <param name="Data">The data directory, absolute.</param>
/// <param name="ServerName">This server among those of the console.</param>
/// <param name="BundledImages">Manifests of images that are imported at start.</param>
/// <param name="RestoreWindow">How long a deleted VM can be restored.</param>
public sealed record ApplicationSettings(
    string Data,
    [Setting("Plinth:Server:Name", "", "What people call this server, where several serve one database. The machine's name, if it is not set.")] string ServerName,
    [Setting("Plinth:BundledImage", "", "Manifest of a guest image to bring in at start; several are separated by `;`.")] IReadOnlyList<string> BundledImages,
    TimeSpan RestoreWindow)
{
    /// <summary>Directory of image bytes, one file <c>sha256-…</c> each.</summary>
    public string Images => Path.Combine(Data, "images");

    public static ApplicationSettings From(IConfiguration configuration) => new(
        Path.GetFullPath(configuration["Plinth:Data"] is { Length: > 0 } data ? data : ".data"),
        configuration["Plinth:Server:Name"] is { Length: > 0 } name ? name.Trim() : Environment.MachineName,
        [.. (configuration["Plinth:BundledImage"] ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Path.GetFullPath)],
        DeletionOptions.Read(new SettingsReader(configuration)).Window);
}
