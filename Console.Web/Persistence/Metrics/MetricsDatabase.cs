using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Metrics;

/// <summary>The metrics' tables on one engine, by plain ADO.NET. All but the bulk insert is the same SQL on both.</summary>
internal abstract class MetricsDatabase
{
    protected static readonly string[] Columns = [.. Enumerable.Range(0, MetricSample.Width).Select(i => $"v{i}")];

    public static MetricsDatabase Of(DatabaseSettings settings) => settings.Engine == DatabaseEngine.Sqlite
        ? new SqliteMetrics(settings.MetricsConnectionString)
        : new PostgresMetrics(settings.MetricsConnectionString);

    public abstract Task<DbConnection> Open(CancellationToken stop);

    /// <summary>Makes the tables where they are missing. They hold nothing that a later version could not do without, so there are no migrations.</summary>
    public abstract Task Create(CancellationToken stop);

    /// <summary>Inserts what is not there yet. Gives the number inserted.</summary>
    public abstract Task<int> Insert(DbConnection connection, DbTransaction transaction, IReadOnlyList<(long Subject, MetricSample Sample)> samples, CancellationToken stop);

    /// <summary>The last thing before the commit: what is written under a term stands only while that is in force, and until the commit none begins.</summary>
    public virtual Task Fence(DbConnection connection, DbTransaction transaction, Epoch term, CancellationToken stop) => Task.CompletedTask;

    protected static string Tables(string identity, string suffix) => $"""
        CREATE TABLE IF NOT EXISTS subjects (id {identity}, kind INTEGER NOT NULL, uuid TEXT NOT NULL, last_at BIGINT NOT NULL, UNIQUE (kind, uuid));
        CREATE TABLE IF NOT EXISTS samples (subject BIGINT NOT NULL, at BIGINT NOT NULL, {string.Join(", ", Columns.Select(c => c + " DOUBLE PRECISION NOT NULL"))}, PRIMARY KEY (subject, at)){suffix};
        CREATE TABLE IF NOT EXISTS minutes (subject BIGINT NOT NULL, minute BIGINT NOT NULL, n INTEGER NOT NULL, {string.Join(", ", Columns.Select(c => c + " DOUBLE PRECISION NOT NULL"))}, PRIMARY KEY (subject, minute)){suffix};
        CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), minute BIGINT NOT NULL);
        """;

    public static async Task<int> Execute(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken stop, params (string Name, object Value)[] parameters)
    {
        await using var command = Command(connection, transaction, sql, parameters);
        return await command.ExecuteNonQueryAsync(stop);
    }

    public static DbCommand Command(DbConnection connection, DbTransaction? transaction, string sql, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (sql, transaction);
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }
        return command;
    }

    private sealed class SqliteMetrics(string connectionString) : MetricsDatabase
    {
        public override async Task<DbConnection> Open(CancellationToken stop)
        {
            var connection = new SqliteConnection(connectionString);
            await connection.OpenAsync(stop);
            // A power cut may cost the last seconds of metrics, never the file; so no fsync per batch.
            await Execute(connection, null, "PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;", stop);
            return connection;
        }

        public override async Task Create(CancellationToken stop)
        {
            await using var connection = await Open(stop);
            await Execute(connection, null, "PRAGMA journal_mode = WAL;", stop);
            await Execute(connection, null, Tables("INTEGER PRIMARY KEY", " WITHOUT ROWID"), stop);
        }

        public override async Task<int> Insert(DbConnection connection, DbTransaction transaction, IReadOnlyList<(long Subject, MetricSample Sample)> samples, CancellationToken stop)
        {
            await using var command = (SqliteCommand)Command(connection, transaction, $"INSERT INTO samples VALUES (@s, @at, {string.Join(", ", Columns.Select(c => "@" + c))}) ON CONFLICT DO NOTHING");
            var (subject, at) = (command.Parameters.Add("@s", SqliteType.Integer), command.Parameters.Add("@at", SqliteType.Integer));
            var values = Columns.Select(c => command.Parameters.Add("@" + c, SqliteType.Real)).ToArray();
            command.Prepare();
            var inserted = 0;
            foreach (var (id, sample) in samples)
            {
                (subject.Value, at.Value) = (id, sample.At.ToUnixTimeMilliseconds());
                for (var i = 0; i < values.Length; i++) values[i].Value = sample.Values[i];
                inserted += command.ExecuteNonQuery();
            }
            return inserted;
        }
    }

    private sealed class PostgresMetrics(string connectionString) : MetricsDatabase
    {
        private const string Schema = "metrics";
        private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString) { SearchPath = Schema }.ToString();

        public override async Task<DbConnection> Open(CancellationToken stop)
        {
            var connection = new NpgsqlConnection(_connectionString);
            await connection.OpenAsync(stop);
            return connection;
        }

        public override async Task Create(CancellationToken stop)
        {
            await using var connection = await Open(stop);
            await using var transaction = await connection.BeginTransactionAsync(stop);
            // Two consoles may start at once, and IF NOT EXISTS does not wait for the other.
            await Execute(connection, transaction, "SELECT pg_advisory_xact_lock(hashtext('plinth metrics'))", stop);
            await Execute(connection, transaction, $"CREATE SCHEMA IF NOT EXISTS {Schema}; {Tables("BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "")}", stop);
            await transaction.CommitAsync(stop);
        }

        public override async Task Fence(DbConnection connection, DbTransaction transaction, Epoch term, CancellationToken stop)
        {
            await using var lease = Command(connection, transaction, """SELECT "Epoch" FROM public."WorkerLeases" WHERE "Name" = @name FOR SHARE""", ("name", WorkerLeaseRow.Leader));
            if (await lease.ExecuteScalarAsync(stop) is not long epoch || epoch != term.Value) throw new TermOverException($"This was to be written under the leadership's epoch {term}, which is over. Nothing was written.");
        }

        public override async Task<int> Insert(DbConnection connection, DbTransaction transaction, IReadOnlyList<(long Subject, MetricSample Sample)> samples, CancellationToken stop)
        {
            await using var command = (NpgsqlCommand)Command(connection, transaction,
                $"INSERT INTO samples SELECT * FROM unnest(@s, @at, {string.Join(", ", Columns.Select(c => "@" + c))}) ON CONFLICT DO NOTHING");
            command.Parameters.Add(new NpgsqlParameter("s", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = samples.Select(s => s.Subject).ToArray() });
            command.Parameters.Add(new NpgsqlParameter("at", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = samples.Select(s => s.Sample.At.ToUnixTimeMilliseconds()).ToArray() });
            for (var i = 0; i < Columns.Length; i++)
            {
                var column = i;
                command.Parameters.Add(new NpgsqlParameter(Columns[i], NpgsqlDbType.Array | NpgsqlDbType.Double) { Value = samples.Select(s => s.Sample.Values[column]).ToArray() });
            }
            return await command.ExecuteNonQueryAsync(stop);
        }
    }
}
