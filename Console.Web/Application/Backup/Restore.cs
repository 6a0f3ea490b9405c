using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Backup;

/// <summary>Puts a backup in the place of the console's data; what was there is kept beside it.</summary>
internal sealed class Restore(ApplicationSettings settings, DatabaseSettings database, TimeProvider time)
{
    /// <summary>Left for the next start, which tells the audit ledger.</summary>
    public const string MarkFile = "restored.json";

    internal sealed record Mark(DateTimeOffset At, DateTimeOffset BackupAt, string BackupVersion);

    private static readonly string[] DatabaseFiles = [.. new[] { BackupArchive.Database, BackupArchive.Metrics }.SelectMany(f => new[] { f, f + "-wal", f + "-shm" })];

    /// <summary>Gives sentences about what was done and what is to be done now.</summary>
    public async Task<IReadOnlyList<string>> From(string path, CancellationToken stop)
    {
        path = Path.GetFullPath(path);
        var now = time.GetUtcNow();
        var unpacked = Directory.CreateDirectory(Path.Combine(settings.Data, $".restore-{Guid.NewGuid():N}"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        try
        {
            var manifest = await BackupArchive.Unpack(path, unpacked, stop);
            await Check(path, manifest, unpacked, stop);
            var aside = PutInPlace(manifest, unpacked, now);
            await File.WriteAllBytesAsync(Path.Combine(settings.Data, MarkFile), JsonSerializer.SerializeToUtf8Bytes(new Mark(now, manifest.At, manifest.Version)), stop);
            return Sentences(manifest, aside);
        }
        finally
        {
            Directory.Delete(unpacked, recursive: true);
        }
    }

    private async Task Check(string path, BackupManifest manifest, string unpacked, CancellationToken stop)
    {
        var engine = database.Engine == DatabaseEngine.Sqlite ? "sqlite" : "postgresql";
        if (manifest.Engine != engine) throw new BackupException($"{path} was made with the database engine {manifest.Engine}; the settings say {engine}. Set Plinth:Database:Engine to {manifest.Engine}.");
        string[] needed = engine == "sqlite" ? [.. BackupArchive.Keys, BackupArchive.Database, BackupArchive.Metrics] : BackupArchive.Keys;
        if (needed.FirstOrDefault(n => !File.Exists(Path.Combine(unpacked, n))) is { } lacking) throw new BackupException($"{path} lacks {lacking}. Take another backup.");
        if (engine == "postgresql") return;
        foreach (var file in new[] { BackupArchive.Database, BackupArchive.Metrics })
            if (SqliteFiles.Damage(Path.Combine(unpacked, file)) is { } damage) throw new BackupException($"{file} in {path} is damaged: {damage}. Take another backup.");
        if (await SqliteFiles.UnknownMigrations(Path.Combine(unpacked, BackupArchive.Database), stop) is { Count: > 0 } unknown)
            throw new BackupException($"{path} was made by version {manifest.Version}, whose database this version ({ConsoleVersion.Text}) does not know ({string.Join(", ", unknown)}). Install version {manifest.Version} or a later one first.");
    }

    /// <summary>All or nothing: a move that fails takes the others back. Gives where the former data went; null where there was none.</summary>
    private string? PutInPlace(BackupManifest manifest, string unpacked, DateTimeOffset now)
    {
        var aside = Path.Combine(settings.Data, "before-restore-" + now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        var moved = new Stack<(string From, string To)>();
        try
        {
            IEnumerable<string> replaced = manifest.Files.Select(f => f.Name);
            if (database.Engine == DatabaseEngine.Sqlite) replaced = replaced.Union(DatabaseFiles);
            // Bytes of an image are the same wherever they are.
            foreach (var name in replaced.Where(n => !n.StartsWith(BackupArchive.ImagesDirectory, StringComparison.Ordinal)).Where(n => File.Exists(InData(n)))) Move(InData(name), Path.Combine(aside, name));
            foreach (var file in manifest.Files.Where(f => !File.Exists(InData(f.Name)))) Move(Path.Combine(unpacked, file.Name), InData(file.Name));
            return Directory.Exists(aside) ? aside : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            while (moved.TryPop(out var move)) File.Move(move.To, move.From);
            throw new BackupException($"Nothing was restored, the data is as it was: {e.Message}", e);
        }

        void Move(string from, string to)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Move(from, to);
            moved.Push((from, to));
        }
    }

    private string InData(string name) => Path.Combine(settings.Data, name);

    private IReadOnlyList<string> Sentences(BackupManifest manifest, string? aside)
    {
        var sentences = new List<string> { $"Restored what the console knew at {manifest.At.UtcDateTime:u} (version {manifest.Version})." };
        if (aside is not null) sentences.Add($"The former data is in {aside}.");
        if (database.Engine == DatabaseEngine.Postgres) sentences.Add("The database was saved by pg_dump: restore it too, before the console is started.");
        var absent = manifest.Images.Where(i => !File.Exists(InData(BackupArchive.ImagesDirectory + i.Digest.Replace(':', '-')))).ToArray();
        if (absent.Length > 0) sentences.Add($"The bytes of {absent.Length} images are not here: copy their files to {settings.Images} ({string.Join(", ", absent.Select(i => i.Digest.Replace(':', '-')))}).");
        sentences.Add("People sign in anew. Tokens, passwords and passkeys are those of the backup: what was revoked or removed since then counts again, until it is removed again.");
        sentences.Add("Start the console now. Hosts whose agents know more than this backup are quarantined until you adopt each on its page.");
        return sentences;
    }
}

/// <summary>After a restore: the ledger says that what stands before may not be all that happened.</summary>
internal sealed class TellOfRestore(ApplicationSettings settings, IConsoleStore store) : IStartupStep
{
    public int Order => 20;

    public async Task Run(CancellationToken stop)
    {
        var path = Path.Combine(settings.Data, Restore.MarkFile);
        if (!File.Exists(path)) return;
        var mark = JsonSerializer.Deserialize<Restore.Mark>(await File.ReadAllBytesAsync(path, stop)) ?? throw new InvalidDataException($"{path} is empty; delete it");
        await store.Write(async scope =>
        {
            // Who was signed out since the backup must not be in again.
            await scope.Db.Sessions.Where(s => s.Kind == SessionKind.Browser && s.EndedAt == null).ExecuteUpdateAsync(s => s.SetProperty(r => r.EndedAt, scope.Now), stop);
            scope.Audit(Principal.System, null, "console.restore", "console", null, AuditOutcomes.Done, $"Restored at {mark.At.UtcDateTime:u} from a backup of {mark.BackupAt.UtcDateTime:u}, made by version {mark.BackupVersion}. What happened between is not in this ledger. Every session in a browser has ended.");
            return Done.Value;
        }, stop);
        File.Delete(path);
    }
}
