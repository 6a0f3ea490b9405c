using Microsoft.EntityFrameworkCore;
using Plinth.Web.Application;
using Plinth.Web.Options;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Leading;

namespace Plinth.Web.Hosting;

/// <summary>The database as the settings name it.</summary>
internal static class DatabaseStartup
{
    public static DatabaseSettings Settings(DatabaseOptions options, DataDirectory data) =>
        options.Postgres is { } connectionString ? DatabaseSettings.Postgres(connectionString) : DatabaseSettings.Sqlite(data.Path);
}

/// <summary>First of all steps: nothing reads a database of another version.</summary>
internal sealed class MigrateDatabase(DatabaseMigrator migrator) : IStartupStep
{
    public int Order => 0;
    public Task Run(CancellationToken stop) => migrator.Migrate(stop);
}

/// <inheritdoc cref="IStartTurn"/>
internal sealed class DatabaseStartTurn(DatabaseSettings settings) : IStartTurn
{
    public Task<IAsyncDisposable> Take(CancellationToken stop) => SharedKeys.StartTurn(settings, stop);
}

internal sealed class DatabaseReadiness(IDbContextFactory<ConsoleDb> contexts) : IReadinessCheck
{
    public string Name => "database";

    public async Task<string?> NotReady(CancellationToken stop)
    {
        await using var db = contexts.CreateDbContext();
        if (!await db.Database.CanConnectAsync(stop)) return "The database cannot be reached.";
        return (await db.Database.GetPendingMigrationsAsync(stop)).Any() ? "The database waits for its migrations." : null;
    }
}
