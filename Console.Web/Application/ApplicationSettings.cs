namespace Plinth.Web.Application;

/// <summary>What the application needs to know of the outside.</summary>
/// <param name="Images">Directory of image bytes, one file <c>sha256-…</c> each.</param>
/// <param name="BundledImage">Manifest of an image that is imported at start; null for none.</param>
public sealed record ApplicationSettings(string Images, string? BundledImage)
{
    public static ApplicationSettings From(IConfiguration configuration) => new(
        Path.Combine(Path.GetFullPath(configuration["Plinth:Data"] is { Length: > 0 } data ? data : ".data"), "images"),
        configuration["Plinth:BundledImage"] is { Length: > 0 } manifest ? Path.GetFullPath(manifest) : null);
}
