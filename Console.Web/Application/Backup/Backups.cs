using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Backup;

/// <summary>Copies the console's data while it is used.</summary>
internal sealed class Backups(ApplicationSettings settings, DatabaseSettings database, IConsoleStore store, TimeProvider time)
{
    /// <summary>When the last backup was made, for those who ask whether it is too old.</summary>
    public const string LastBackupSetting = "backup.last";

    /// <summary>Makes the file, notes it in the audit ledger and gives sentences about what it holds and what it does not.</summary>
    public async Task<IReadOnlyList<string>> Make(string path, bool withImages, CancellationToken stop)
    {
        path = Path.GetFullPath(path);
        if (File.Exists(path)) throw new BackupException($"{path} exists already; a backup overwrites nothing. Name another file.");
        if (Path.GetDirectoryName(path) is not { } target || !Directory.Exists(target)) throw new BackupException($"The directory of {path} does not exist; make it first.");
        if (BackupArchive.Keys.FirstOrDefault(k => !File.Exists(InData(k))) is { } missing) throw new BackupException($"There is no console's data in {settings.Data} ({missing} is missing). Name it with --Plinth:Data=…");
        var at = time.GetUtcNow();
        var copies = Directory.CreateDirectory(Path.Combine(target, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        try
        {
            var (engine, from) = (database.Engine == DatabaseEngine.Sqlite ? "sqlite" : "postgresql", BackupArchive.Keys.ToDictionary(k => k, InData));
            if (database.Engine == DatabaseEngine.Sqlite)
            {
                SqliteFiles.Copy(database.ConnectionString, from[BackupArchive.Database] = Path.Combine(copies, BackupArchive.Database));
                SqliteFiles.Copy(database.MetricsConnectionString, from[BackupArchive.Metrics] = Path.Combine(copies, BackupArchive.Metrics));
            }
            var images = await Images(withImages, stop);
            foreach (var image in images.Where(i => i.Included)) from[Entry(image.Digest)] = Bytes(image.Digest);
            var files = new List<BackupFile>();
            foreach (var (name, file) in from) files.Add(await BackupArchive.Describe(name, file, stop));
            await BackupArchive.Write(path, new BackupManifest(BackupManifest.CurrentFormat, ConsoleVersion.Text, at, engine, files, images), name => from[name], stop);
            var bytes = new FileInfo(path).Length;
            await Note(path, bytes, at, stop);
            return Sentences(path, bytes, images);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Microsoft.Data.Sqlite.SqliteException)
        {
            throw new BackupException($"The backup was not made: {e.Message}", e);
        }
        finally
        {
            Directory.Delete(copies, recursive: true);
        }
    }

    private string InData(string name) => Path.Combine(settings.Data, name);
    private static string Entry(string digest) => BackupArchive.ImagesDirectory + digest.Replace(':', '-');
    private string Bytes(string digest) => Path.Combine(settings.Images, digest.Replace(':', '-'));

    private async Task<IReadOnlyList<BackupImage>> Images(bool included, CancellationToken stop)
    {
        await using var db = store.Read();
        var images = await db.Images.Where(i => i.State == ImageState.Ready).OrderBy(i => i.Name).Select(i => new { i.Name, i.Digest }).ToListAsync(stop);
        return [.. images.Select(i => new BackupImage(i.Name, i.Digest, included && File.Exists(Bytes(i.Digest))))];
    }

    private Task Note(string path, long bytes, DateTimeOffset at, CancellationToken stop) => store.Write(async scope =>
    {
        var row = await scope.Db.Settings.SingleOrDefaultAsync(s => s.Key == LastBackupSetting, stop) ?? scope.Db.Add(new SettingRow { Key = LastBackupSetting, Value = "" }).Entity;
        (row.Value, row.UpdatedAt) = (at.ToString("O", CultureInfo.InvariantCulture), scope.Now);
        scope.Audit(Principal.System, null, "console.backup", "console", null, AuditOutcomes.Done, $"{path}, {bytes} bytes");
        return Done.Value;
    }, stop);

    private IReadOnlyList<string> Sentences(string path, long bytes, IReadOnlyList<BackupImage> images)
    {
        var sentences = new List<string> { $"The backup is {path} ({bytes / 1_000_000.0:0.0} MB). It holds the console's keys: keep it as safe as the console." };
        if (database.Engine == DatabaseEngine.Postgres) sentences.Add("The database is not in it: save it now with pg_dump, all schemas of the database.");
        if (images.Count(i => !i.Included) is > 0 and var left) sentences.Add($"The bytes of {left} of {images.Count} images are not in it, only their digests: they are files in {settings.Images}. Add --with-images to include them.");
        return sentences;
    }
}
