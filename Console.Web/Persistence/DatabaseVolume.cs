using Microsoft.EntityFrameworkCore;
using Microsoft.Data.Sqlite;

namespace Plinth.Web.Persistence;

/// <summary>How much room the databases take.</summary>
/// <param name="WalBytes">SQLite's write-ahead log: what is not yet in its file; 0 with PostgreSQL.</param>
/// <param name="MetricsBytes">0 with PostgreSQL, where the metrics are in the same database.</param>
public sealed record DatabaseVolume(long DataBytes, long WalBytes, long MetricsBytes)
{
    public static async Task<DatabaseVolume> Measure(DatabaseSettings settings, IConsoleStore store, CancellationToken stop)
    {
        if (settings.Engine == DatabaseEngine.Sqlite) return new DatabaseVolume(Length(settings.ConnectionString), Length(settings.ConnectionString, "-wal"), Length(settings.MetricsConnectionString));
        await using var db = store.Read();
        return new DatabaseVolume((await db.Database.SqlQuery<long>($"SELECT pg_database_size(current_database()) AS \"Value\"").ToListAsync(stop))[0], 0, 0);
    }

    private static long Length(string connectionString, string suffix = "") =>
        new FileInfo(new SqliteConnectionStringBuilder(connectionString).DataSource + suffix) is { Exists: true } file ? file.Length : 0;
}
