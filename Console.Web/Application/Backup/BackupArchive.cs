using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace Plinth.Web.Application.Backup;

/// <summary>A backup or restore that did not happen; the message says why and what to do. Nothing is half done.</summary>
public sealed class BackupException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>What a backup says about itself.</summary>
/// <param name="Version">Of the console that made it.</param>
/// <param name="Engine">"sqlite": the databases are among the files; "postgresql": they are saved by <c>pg_dump</c>.</param>
/// <param name="Images">All that the console had; the bytes of those not included are elsewhere.</param>
public sealed record BackupManifest(int Format, string Version, DateTimeOffset At, string Engine, IReadOnlyList<BackupFile> Files, IReadOnlyList<BackupImage> Images)
{
    public const int CurrentFormat = 1;
}

public sealed record BackupFile(string Name, long SizeBytes, string Sha256);

public sealed record BackupImage(string Name, string Digest, bool Included);

/// <summary>The file of a backup: a compressed tar archive, the manifest first.</summary>
internal static class BackupArchive
{
    private const string ManifestName = "manifest.json";
    private const int MaxManifestBytes = 16 * 1024 * 1024;

    /// <summary>Names in the data directory; images lie in a directory of their own.</summary>
    public const string Database = "plinth.db", Metrics = "metrics.db", ImagesDirectory = "images/";
    public static readonly string[] Keys = ["ca.crt", "ca.key", "openid-signing.key", "openid-encryption.key"];

    public static async Task<BackupFile> Describe(string name, string path, CancellationToken stop)
    {
        await using var file = File.OpenRead(path);
        return new BackupFile(name, file.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, stop)));
    }

    /// <summary>Writes it whole or not at all; it holds keys, so only its owner reads it.</summary>
    public static async Task Write(string path, BackupManifest manifest, Func<string, string> pathOf, CancellationToken stop)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}";
        try
        {
            var mode = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            await using (var file = new FileStream(temporary, mode))
            {
                await using (var zip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
                await using (var tar = new TarWriter(zip, TarEntryFormat.Pax))
                {
                    await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, ManifestName) { DataStream = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, JsonSerializerOptions.Web)) }, stop);
                    foreach (var entry in manifest.Files)
                    {
                        await using var content = File.OpenRead(pathOf(entry.Name));
                        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, entry.Name) { DataStream = content, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite }, stop);
                    }
                }
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: false);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Unpacks into an empty directory, and checks that every file is there as it was written, and none besides.</summary>
    public static async Task<BackupManifest> Unpack(string path, string directory, CancellationToken stop)
    {
        try
        {
            await using var file = File.OpenRead(path);
            await using var zip = new GZipStream(file, CompressionMode.Decompress);
            await using var tar = new TarReader(zip);
            var manifest = await Manifest(await tar.GetNextEntryAsync(cancellationToken: stop), stop);
            if (manifest.Format != BackupManifest.CurrentFormat) throw new BackupException($"{path} has the form {manifest.Format}; this version reads {BackupManifest.CurrentFormat}. Restore it with version {manifest.Version} of the console.");
            var awaited = manifest.Files.ToDictionary(f => f.Name);
            while (await tar.GetNextEntryAsync(cancellationToken: stop) is { } entry)
            {
                if (!awaited.Remove(entry.Name, out var described) || !IsKnown(entry.Name) || entry is not { EntryType: TarEntryType.RegularFile, DataStream: not null })
                    throw new BackupException($"{path} holds '{entry.Name}', which is no part of a backup.");
                var target = Path.Combine(directory, entry.Name);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                await entry.ExtractToFileAsync(target, overwrite: false, stop);
                File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                if (await Describe(entry.Name, target, stop) != described) throw new BackupException($"'{entry.Name}' in {path} is not what was written. Take another backup.");
            }
            return awaited.Count == 0 ? manifest : throw new BackupException($"{path} lacks {string.Join(", ", awaited.Keys)}: it is cut off. Take another backup.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or JsonException or FormatException)
        {
            throw new BackupException($"{path} cannot be read as a backup: {e.Message}", e);
        }
    }

    private static async Task<BackupManifest> Manifest(TarEntry? first, CancellationToken stop)
    {
        if (first is not { Name: ManifestName, DataStream: { Length: <= MaxManifestBytes } content }) throw new InvalidDataException("it does not begin with a manifest");
        return await JsonSerializer.DeserializeAsync<BackupManifest>(content, JsonSerializerOptions.Web, stop) is { Version: not null, Engine: not null, Files: not null, Images: not null } manifest
            ? manifest
            : throw new InvalidDataException("its manifest says nothing");
    }

    private static bool IsKnown(string name) =>
        name is Database or Metrics || Keys.Contains(name)
        || (name.StartsWith(ImagesDirectory, StringComparison.Ordinal) && Catalogue.ImageFiles.IsDigest(name[ImagesDirectory.Length..].Replace('-', ':')));
}
