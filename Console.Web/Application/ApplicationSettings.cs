using Plinth.Web.Options;

namespace Plinth.Web.Application;

/// <summary>What the application needs to know of the outside.</summary>
/// <param name="Data">The data directory, absolute.</param>
/// <param name="ServerName">This server among those of the console.</param>
/// <param name="BundledImage">Manifest of an image that is imported at start; null for none.</param>
/// <param name="RestoreWindow">How long a deleted VM can be restored.</param>
public sealed record ApplicationSettings(
    string Data,
    [Setting("Plinth:Server:Name", "", "What people call this server, where several serve one database. The machine's name, if it is not set.")] string ServerName,
    [Setting("Plinth:BundledImage", "", "Manifest of the guest image to bring in at start.")] string? BundledImage,
    TimeSpan RestoreWindow)
{
    /// <summary>Directory of image bytes, one file <c>sha256-…</c> each.</summary>
    public string Images => Path.Combine(Data, "images");

    public static ApplicationSettings From(IConfiguration configuration) => new(
        Path.GetFullPath(configuration["Plinth:Data"] is { Length: > 0 } data ? data : ".data"),
        configuration["Plinth:Server:Name"] is { Length: > 0 } name ? name.Trim() : Environment.MachineName,
        configuration["Plinth:BundledImage"] is { Length: > 0 } manifest ? Path.GetFullPath(manifest) : null,
        DeletionOptions.Read(new SettingsReader(configuration)).Window);
}
