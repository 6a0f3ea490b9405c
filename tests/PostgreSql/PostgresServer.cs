using System.Diagnostics;
using Xunit;

namespace Plinth.Tests.PostgreSql;

/// <summary>
/// A PostgreSQL server of Debian's package for the length of the tests: a cluster in a temporary directory, reached by its
/// Unix socket only, durable for nothing. Never skips: without the package it fails and says what to install.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "plinth-pg-" + Guid.NewGuid().ToString("N")[..12]);
    private Process? _server;
    private int _databases;

    public async Task InitializeAsync()
    {
        var bin = Binaries();
        Directory.CreateDirectory(_directory);
        if (Environment.UserName == "root") await Run("chown", "postgres", _directory);
        await RunAsPostgres(Path.Combine(bin, "initdb"), "-D", Data, "-U", "plinth", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync");
        _server = StartAsPostgres(Path.Combine(bin, "postgres"), "-D", Data, "-k", _directory, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=1000");
        _ = _server.StandardError.ReadToEndAsync();
        _ = _server.StandardOutput.ReadToEndAsync();
        var clock = Stopwatch.StartNew();
        while (!await Answers(bin))
        {
            if (clock.Elapsed > StartDeadline || _server.HasExited) throw new InvalidOperationException($"The PostgreSQL server in {_directory} did not start.");
            await Task.Delay(50);
        }
    }

    /// <summary>A new, empty database.</summary>
    public async Task<string> NewDatabase()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await Run(Path.Combine(Binaries(), "createdb"), "-h", _directory, "-U", "plinth", name);
        return $"Host={_directory};Username=plinth;Database={name};Maximum Pool Size=20";
    }

    public async Task DisposeAsync()
    {
        if (_server is { HasExited: false })
        {
            // The server's own pid, not that of the wrapper that changed the user: the first line of postmaster.pid.
            var pid = (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0];
            await Run("kill", "-INT", pid);
            await _server.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }
        _server?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private string Data => Path.Combine(_directory, "data");

    private async Task<bool> Answers(string bin)
    {
        using var asked = Process.Start(new ProcessStartInfo(Path.Combine(bin, "pg_isready"), ["-q", "-h", _directory]))!;
        await asked.WaitForExitAsync();
        return asked.ExitCode == 0;
    }

    private static string Binaries()
    {
        const string root = "/usr/lib/postgresql";
        var found = Directory.Exists(root)
            ? Directory.GetDirectories(root).Select(d => Path.Combine(d, "bin")).Where(d => File.Exists(Path.Combine(d, "initdb"))).Order(StringComparer.Ordinal).LastOrDefault()
            : null;
        return found ?? throw new InvalidOperationException("The store's tests need a PostgreSQL server: run `sudo apt-get install postgresql` (./test does it). Nothing was found under " + root + ".");
    }

    // PostgreSQL refuses to run as root.
    private static Process StartAsPostgres(string program, params string[] arguments)
    {
        var start = Environment.UserName == "root"
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", program, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.WorkingDirectory = "/";
        start.RedirectStandardError = start.RedirectStandardOutput = true;
        return Process.Start(start)!;
    }

    private static async Task RunAsPostgres(string program, params string[] arguments) => await Finish(StartAsPostgres(program, arguments), program);

    private static async Task Run(string program, params string[] arguments) =>
        await Finish(Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!, program);

    private static async Task Finish(Process process, string program)
    {
        using (process)
        {
            var (error, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
            await process.WaitForExitAsync();
            if (process.ExitCode != 0) throw new InvalidOperationException($"{program} failed ({process.ExitCode}): {await error}{await output}");
        }
    }
}

/// <summary>One server for all classes that run on PostgreSQL.</summary>
[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresServer>
{
    public const string Name = "PostgreSQL";
}
