using Microsoft.Data.Sqlite;

namespace Plinth.Web.Persistence;

public enum DatabaseEngine { Sqlite, Postgres }

/// <summary>Where the console's two databases are. Both hold secrets' hashes and keys, so connection strings are never logged.</summary>
/// <param name="MetricsConnectionString">A second file with SQLite; the same database (schema <c>metrics</c>) with PostgreSQL.</param>
public sealed record DatabaseSettings(DatabaseEngine Engine, string ConnectionString, string MetricsConnectionString)
{
    /// <summary><c>plinth.db</c> and <c>metrics.db</c> in a directory, which is made if it is missing.</summary>
    public static DatabaseSettings Sqlite(string directory)
    {
        Directory.CreateDirectory(directory);
        return new DatabaseSettings(DatabaseEngine.Sqlite, File("plinth.db"), File("metrics.db"));

        string File(string name) => new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory, name), ForeignKeys = true }.ToString();
    }

    public static DatabaseSettings Postgres(string connectionString) => new(DatabaseEngine.Postgres, connectionString, connectionString);
}
