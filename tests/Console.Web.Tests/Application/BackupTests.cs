using System.Formats.Tar;
using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Application.Backup;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Application;

public sealed class BackupTests : IDisposable
{
    private static CancellationToken Stop => CancellationToken.None;
    private static Caller Ana => Caller.System;

    private readonly string _data = Directory.CreateTempSubdirectory("plinth-backup-data-").FullName;
    private readonly string _elsewhere = Directory.CreateTempSubdirectory("plinth-backup-").FullName;

    private string Backup => Path.Combine(_elsewhere, "plinth.backup");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_data, true);
        Directory.Delete(_elsewhere, true);
    }

    [Fact]
    public async Task What_was_there_at_the_backup_is_there_again_and_nothing_later()
    {
        string fingerprint;
        await using (var console = await Serve())
        {
            fingerprint = await Fingerprint(console);
            await Flavor(console, "before");
            // Writers go on while it is copied.
            using var done = new CancellationTokenSource();
            var writing = Task.Run(async () => { for (var i = 0; !done.IsCancellationRequested; i++) await Flavor(console, $"meanwhile-{i}"); });
            await Tools(t => t.GetRequiredService<Backups>().Make(Backup, false, Stop));
            await done.CancelAsync();
            await writing;
            await Flavor(console, "after");
        }
        // Connections that are kept open would go on in the former file; the console that served is another process.
        SqliteConnection.ClearAllPools();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Backup));
        var said = await Tools(t => t.GetRequiredService<Restore>().From(Backup, Stop));
        Assert.Contains(said, s => s.Contains("before-restore-", StringComparison.Ordinal));
        await using (var console = await Serve())
        {
            var flavors = (await console.Services.GetRequiredService<ICatalogue>().Flavors(Ana, new Window(500), Stop)).Value!.Items.Select(f => f.Name).ToArray();
            Assert.Contains("before", flavors);
            Assert.DoesNotContain("after", flavors);
            Assert.Equal(fingerprint, await Fingerprint(console));
            // The ledger of the backup goes on, and its key can still be read.
            Assert.True((await console.Services.GetRequiredService<IAuditLog>().Checkpoint(Ana, Stop)).Succeeded);
            var told = (await console.Services.GetRequiredService<IAuditLog>().List(Ana, new AuditQuery("console.restore", null, null), new Window(), Stop)).Value!;
            Assert.Equal(1, told.Total);
        }
        Assert.Empty(Directory.GetDirectories(_data, ".restore-*"));
        Assert.Equal([Backup], Directory.GetFileSystemEntries(_elsewhere));
    }

    [Fact]
    public async Task A_damaged_cut_or_foreign_file_changes_nothing()
    {
        await using (var console = await Serve()) await Tools(t => t.GetRequiredService<Backups>().Make(Backup, false, Stop));
        var whole = await File.ReadAllBytesAsync(Backup);
        await File.WriteAllBytesAsync(Path.Combine(_elsewhere, "cut"), whole[..(whole.Length / 2)]);
        await File.WriteAllBytesAsync(Path.Combine(_elsewhere, "text"), "hello"u8.ToArray());
        Rewrite("flipped", (name, bytes) => (name, name == "plinth.db" ? [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] : bytes));
        Rewrite("outside", (name, bytes) => (name == "ca.key" ? "../ca.key" : name, bytes));
        // The console that served is another process: a connection kept open here would fold its log into the database when it is closed.
        SqliteConnection.ClearAllPools();
        var before = Contents();
        foreach (var file in new[] { "cut", "text", "flipped", "outside", "absent" })
            await Assert.ThrowsAsync<BackupException>(() => Tools(t => t.GetRequiredService<Restore>().From(Path.Combine(_elsewhere, file), Stop)));
        Assert.Equal(before, Contents());
    }

    [Fact]
    public async Task A_backup_of_a_later_version_is_refused_with_the_version_to_install()
    {
        await using (var console = await Serve())
        {
            await using (var db = new SqliteConnection($"Data Source={Path.Combine(_data, "plinth.db")}"))
            {
                await db.OpenAsync();
                await using var command = db.CreateCommand();
                command.CommandText = "INSERT INTO __EFMigrationsHistory VALUES ('29990101000000_Later', '99')";
                await command.ExecuteNonQueryAsync();
            }
            await Tools(t => t.GetRequiredService<Backups>().Make(Backup, false, Stop));
        }
        var e = await Assert.ThrowsAsync<BackupException>(() => Tools(t => t.GetRequiredService<Restore>().From(Backup, Stop)));
        Assert.Contains("29990101000000_Later", e.Message);
        Assert.Contains($"Install version {ConsoleVersion.Text} or a later one", e.Message);
    }

    [Fact]
    public async Task Nothing_is_backed_up_over_a_file_or_from_an_empty_directory()
    {
        var nothing = await Assert.ThrowsAsync<BackupException>(() => Tools(t => t.GetRequiredService<Backups>().Make(Backup, false, Stop)));
        Assert.Contains("no console's data", nothing.Message);
        await File.WriteAllTextAsync(Backup, "mine");
        var taken = await Assert.ThrowsAsync<BackupException>(() => Tools(t => t.GetRequiredService<Backups>().Make(Backup, false, Stop)));
        Assert.Contains("exists already", taken.Message);
        Assert.Equal("mine", await File.ReadAllTextAsync(Backup));
    }

    private async Task<WebApplication> Serve()
    {
        var console = ServedConsole.Build(_data, new CapturedLog());
        await console.StartAsync();
        return console;
    }

    private async Task<IReadOnlyList<string>> Tools(Func<IServiceProvider, Task<IReadOnlyList<string>>> use)
    {
        await using var tools = ConsoleApplication.BuildTools([$"--Plinth:Data={_data}"]);
        return await use(tools.Services);
    }

    private static async Task Flavor(WebApplication console, string name)
    {
        var made = await console.Services.GetRequiredService<ICatalogue>().CreateFlavor(Ana, new CreateFlavor(name, null, 1, 256, 1), null, Stop);
        Assert.True(made.Succeeded, string.Join(' ', made.Refusals));
    }

    private static Task<string> Fingerprint(WebApplication console) => Task.FromResult(console.Services.GetRequiredService<Plinth.Web.Security.Certificates.CertificateAuthority>().Fingerprint);

    private Dictionary<string, string> Contents() => Directory.GetFiles(_data, "*", SearchOption.AllDirectories)
        .ToDictionary(f => f, f => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(f))));

    private void Rewrite(string to, Func<string, byte[], (string, byte[])> change)
    {
        using var input = new TarReader(new GZipStream(File.OpenRead(Backup), CompressionMode.Decompress));
        using var zip = new GZipStream(File.Create(Path.Combine(_elsewhere, to)), CompressionLevel.Fastest);
        using var output = new TarWriter(zip);
        while (input.GetNextEntry() is { } entry)
        {
            using var bytes = new MemoryStream();
            entry.DataStream!.CopyTo(bytes);
            var (name, content) = change(entry.Name, bytes.ToArray());
            output.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }
    }
}
