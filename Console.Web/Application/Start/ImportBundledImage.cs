using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Catalogue;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Start;

/// <summary>Brings in the images that were built beside the console, once per digest: a newer build becomes a second image, VMs of the old one keep theirs.</summary>
internal sealed class ImportBundledImage(ApplicationSettings settings, IConsoleStore store, ImageFiles files, TimeProvider time, ILogger<ImportBundledImage> log) : IStartupStep
{
    /// <summary>The manifest beside the file, as the builder writes it.</summary>
    internal sealed record Manifest(string? Name, string? Description, string? Format, string? File, string? Digest, long? SizeBytes, long? MinDiskGib, long? MinMemoryMib, bool? HasGuestAgent, string? DefaultUser);

    public int Order => 11;

    public async Task Run(CancellationToken stop)
    {
        files.RemoveLeftovers();
        foreach (var manifest in settings.BundledImages) await Import(manifest, stop);
    }

    private async Task Import(string path, CancellationToken stop)
    {
        if (!File.Exists(path))
        {
            log.LogWarning("Plinth:BundledImage names {Path}, which does not exist; no image is imported. Build it again with ./start.", path);
            return;
        }
        var manifest = JsonSerializer.Deserialize<Manifest>(await File.ReadAllTextAsync(path, stop), JsonSerializerOptions.Web) ?? throw new InvalidDataException($"{path} is empty");
        var request = new CreateImage(manifest.Name, manifest.Description, manifest.Format, manifest.Digest, manifest.SizeBytes, manifest.MinDiskGib, manifest.MinMemoryMib, manifest.HasGuestAgent, manifest.DefaultUser);
        var judged = CatalogueRules.Image(request, time.GetUtcNow());
        if (!judged.Succeeded) throw new InvalidDataException($"{path} does not describe an image: {string.Join(" ", judged.Refusals.Select(r => $"{r.Field}: {r.Message}"))}");
        var image = judged.Value;
        await using (var db = store.Read())
            if (await db.Images.AnyAsync(i => i.Digest == image.Digest && i.State == ImageState.Ready, stop) && files.Has(image.Digest)) return;
        if (!files.Has(image.Digest))
        {
            await using var content = File.OpenRead(Path.Combine(Path.GetDirectoryName(path)!, manifest.File ?? throw new InvalidDataException($"{path} names no file")));
            if (await files.Take(image.Digest, image.SizeBytes, content, stop) is { } wrong) throw new InvalidDataException($"the bundled image {content.Name} is damaged: {wrong.Message}");
        }
        await store.Write(async scope =>
        {
            if (await scope.Db.Images.FirstOrDefaultAsync(i => i.Digest == image.Digest, stop) is { } known)
            {
                known.State = ImageState.Ready;
                return Done.Value;
            }
            image.Id = ImageId.New(scope.Now);
            image.State = ImageState.Ready;
            if (await scope.Db.Images.AnyAsync(i => i.Name == image.Name, stop)) image.Name = $"{image.Name}-{image.Digest[7..15]}";
            scope.Db.Images.Add(image);
            scope.Audit(Principal.System, null, "image.import", $"image/{image.Id}", null, AuditOutcomes.Done, $"{image.Name}, {image.Digest}");
            return Done.Value;
        }, stop);
        log.LogInformation("The bundled image {Name} is ready ({Megabytes} MB).", image.Name, image.SizeBytes / 1_000_000);
    }
}
