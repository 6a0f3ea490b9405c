using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Plinth.Web.Persistence;

/// <summary>Makes contexts of the configured engine.</summary>
public sealed class ConsoleDbFactory : IDbContextFactory<ConsoleDb>
{
    private readonly Func<ConsoleDb> _create;

    public ConsoleDbFactory(DatabaseSettings settings, ILoggerFactory? loggers = null)
    {
        if (settings.Engine == DatabaseEngine.Sqlite)
        {
            var options = SqliteOptions(settings.ConnectionString).UseLoggerFactory(loggers).Options;
            _create = () => new SqliteConsoleDb(options);
        }
        else
        {
            var options = PostgresOptions(settings.ConnectionString).UseLoggerFactory(loggers).Options;
            _create = () => new PostgresConsoleDb(options);
        }
    }

    public ConsoleDb CreateDbContext() => _create();

    internal static DbContextOptionsBuilder<SqliteConsoleDb> SqliteOptions(string connectionString) =>
        new DbContextOptionsBuilder<SqliteConsoleDb>().UseSqlite(connectionString).AddInterceptors(DurableSqlite.Instance);

    internal static DbContextOptionsBuilder<PostgresConsoleDb> PostgresOptions(string connectionString) =>
        new DbContextOptionsBuilder<PostgresConsoleDb>().UseNpgsql(connectionString);
}

/// <summary>An acknowledged commit survives a power cut, and a writer waits for another process instead of failing at once.</summary>
internal sealed class DurableSqlite : DbConnectionInterceptor
{
    public static DurableSqlite Instance { get; } = new();
    private const string Pragmas = "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;";

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>For <c>dotnet ef migrations add</c>: the model alone, no server is contacted.</summary>
internal sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteConsoleDb>
{
    public SqliteConsoleDb CreateDbContext(string[] args) => new(ConsoleDbFactory.SqliteOptions("Data Source=design.db").Options);
}

/// <inheritdoc cref="SqliteDesign"/>
internal sealed class PostgresDesign : IDesignTimeDbContextFactory<PostgresConsoleDb>
{
    public PostgresConsoleDb CreateDbContext(string[] args) => new(ConsoleDbFactory.PostgresOptions("Host=design").Options);
}
