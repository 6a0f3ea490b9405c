using System.Security.Cryptography;
using Npgsql;

namespace Plinth.Web.Persistence.Leading;

/// <summary>The data directory holds keys of another console than the database.</summary>
public sealed class ForeignKeysException(string file) : Exception(file)
{
    public string File { get; } = file;
}

/// <summary>
/// Keys that every server on a PostgreSQL database needs alike: the certificate authority and those of the OpenID provider. They lie in the
/// database, beside the keys that protect sign-ins, and as files in each server's data directory.
/// </summary>
public static class SharedKeys
{
    // "Plinth s": one server starts at a time.
    private const long StartLock = 0x506c_696e_7468_2073;

    /// <summary>Brings files and database together: what the database has counts, what it lacks it gets.</summary>
    /// <param name="make">Makes the files that are missing; called where the database has none.</param>
    /// <exception cref="ForeignKeysException">A file differs from what the database has; nothing was changed.</exception>
    public static void Share(string connectionString, string directory, IReadOnlyList<string> names, Action make, Action<string, byte[]> write)
    {
        using var connection = new NpgsqlConnection(connectionString);
        connection.Open();
        Execute($"SELECT pg_advisory_lock({StartLock})");
        try
        {
            Execute("CREATE TABLE IF NOT EXISTS plinth_keys (name text PRIMARY KEY, content bytea NOT NULL)");
            var stored = new Dictionary<string, byte[]>();
            using (var read = new NpgsqlCommand("SELECT name, content FROM plinth_keys", connection))
            using (var row = read.ExecuteReader())
                while (row.Read()) stored[row.GetString(0)] = (byte[])row[1];
            foreach (var (name, content) in stored)
                if (File.Exists(Path(name)) && !CryptographicOperations.FixedTimeEquals(File.ReadAllBytes(Path(name)), content)) throw new ForeignKeysException(Path(name));
            foreach (var (name, content) in stored)
                if (!File.Exists(Path(name))) write(Path(name), content);
            if (names.All(stored.ContainsKey)) return;
            make();
            using var transaction = connection.BeginTransaction();
            foreach (var name in names.Where(n => !stored.ContainsKey(n)))
            {
                using var insert = new NpgsqlCommand("INSERT INTO plinth_keys VALUES ($1, $2)", connection, transaction) { Parameters = { new() { Value = name }, new() { Value = File.ReadAllBytes(Path(name)) } } };
                insert.ExecuteNonQuery();
            }
            transaction.Commit();
        }
        finally
        {
            Execute($"SELECT pg_advisory_unlock({StartLock})");
        }

        string Path(string name) => System.IO.Path.Combine(directory, name);

        void Execute(string sql)
        {
            using var command = new NpgsqlCommand(sql, connection);
            command.ExecuteNonQuery();
        }
    }

    /// <summary>Waits until no other server is in the middle of its start; the turn ends with what is returned.</summary>
    public static async Task<IAsyncDisposable> StartTurn(DatabaseSettings settings, CancellationToken stop)
    {
        if (settings.Engine != DatabaseEngine.Postgres) return NoTurn.Instance;
        // Not pooled: the lock is the connection's, and ends with it.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
        try
        {
            await connection.OpenAsync(stop);
            await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock({StartLock})", connection);
            await command.ExecuteNonQueryAsync(stop);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private sealed class NoTurn : IAsyncDisposable
    {
        public static NoTurn Instance { get; } = new();
        public ValueTask DisposeAsync() => default;
    }
}
