using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Plinth.Core.Primitives;
using Plinth.Web.Live;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Persistence;

/// <summary>The store on one engine: migrated, seeded, with a feed that remembers.</summary>
public abstract class StoreSuite : IAsyncLifetime
{
    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private protected RememberingFeed Feed { get; } = new();
    protected DatabaseSettings Settings { get; private set; } = null!;
    protected ConsoleDbFactory Contexts { get; private set; } = null!;
    protected ConsoleStore Store { get; private set; } = null!;

    /// <summary>An empty database of the engine.</summary>
    protected abstract Task<DatabaseSettings> NewDatabase();

    public virtual async Task InitializeAsync()
    {
        Settings = await NewDatabase();
        Contexts = new ConsoleDbFactory(Settings);
        Store = NewStore();
        await new DatabaseMigrator(Contexts, Store).Migrate(default);
        Feed.Clear();
    }

    public virtual async Task DisposeAsync() => await Store.DisposeAsync();

    protected ConsoleStore NewStore() => new(Contexts, Feed, Time, NullLogger<ConsoleStore>.Instance);
}

internal sealed class RememberingFeed : IChangeFeed
{
    private readonly List<Change> _changes = [];

    public IReadOnlyList<Change> Changes
    {
        get { lock (_changes) return [.. _changes]; }
    }

    public void Clear()
    {
        lock (_changes) _changes.Clear();
    }

    public void Publish(IReadOnlyList<Change> changes)
    {
        lock (_changes) _changes.AddRange(changes);
    }

    public IDisposable Subscribe(Func<Change, bool> wanted, Func<ChangeBatch, Task> onBatch) => throw new NotSupportedException("the store only publishes");
}

public sealed class SqliteDirectory : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("plinth-store-").FullName;
    private int _databases;

    public DatabaseSettings NewDatabase() => DatabaseSettings.Sqlite(Path.Combine(_path, Interlocked.Increment(ref _databases).ToString()));

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_path, recursive: true);
    }
}
