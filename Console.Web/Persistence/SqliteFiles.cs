using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Plinth.Web.Persistence;

/// <summary>The databases as files, for backup and restore.</summary>
internal static class SqliteFiles
{
    /// <summary>A consistent copy in one file, while others read and write.</summary>
    public static void Copy(string connectionString, string to)
    {
        using var source = new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { Pooling = false }.ToString());
        using var copy = Open(to, SqliteOpenMode.ReadWriteCreate);
        source.Open();
        source.BackupDatabase(copy);
        // What is still in a file beside it belongs into it.
        Ask(copy, "PRAGMA journal_mode = DELETE");
    }

    /// <summary>What SQLite finds wrong with the file; null for nothing.</summary>
    public static string? Damage(string file)
    {
        try
        {
            using var connection = Open(file, SqliteOpenMode.ReadOnly);
            return Ask(connection, "PRAGMA integrity_check") is "ok" ? null : "its pages do not fit together";
        }
        catch (SqliteException e)
        {
            return e.Message;
        }
    }

    /// <summary>The migrations that the console's database in the file has and this version does not know.</summary>
    public static async Task<IReadOnlyList<string>> UnknownMigrations(string file, CancellationToken stop)
    {
        await using var db = new SqliteConsoleDb(ConsoleDbFactory.SqliteOptions(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString()).Options);
        return [.. (await db.Database.GetAppliedMigrationsAsync(stop)).Except(db.Database.GetMigrations())];
    }

    private static SqliteConnection Open(string file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    private static string? Ask(SqliteConnection connection, string pragma)
    {
        using var command = connection.CreateCommand();
        command.CommandText = pragma;
        return command.ExecuteScalar() as string;
    }
}
