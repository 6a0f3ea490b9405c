using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Plinth.Core.Primitives;
using Plinth.Web.Live;
using Plinth.Web.Persistence.Leading;

namespace Plinth.Web.Persistence;

/// <summary>
/// The single writer. Writes wait in one bounded queue; whatever waits when a transaction begins shares it, each behind a
/// savepoint of its own. On PostgreSQL an advisory lock orders the batches of several consoles, so that change-log
/// versions and audit sequences grow in commit order there too. What is written under a <see cref="Term"/> is compared with the
/// lease behind that lock: a leader that was replaced writes nothing any more.
/// </summary>
public sealed class ConsoleStore : IConsoleStore, IAsyncDisposable
{
    // A batch holds the write lock for its whole length: at about 1 ms a write, 64 keep the longest wait well under 100 ms.
    private const int MaxBatch = 64;
    // Beyond this, callers wait in turn instead of filling memory.
    private const int MaxQueued = 1024;
    // SQLite's own busy time-out is 5 s each; PostgreSQL's serialization failures clear at once.
    private const int MaxAttempts = 5;
    // "Plinth w": one lock for all consoles on a database.
    private const long AdvisoryLock = 0x506c_696e_7468_2077;
    private const string Savepoint = "one_write";

    private static readonly AsyncLocal<bool> Inside = new();

    private readonly IDbContextFactory<ConsoleDb> _contexts;
    private readonly IChangeFeed _feed;
    private readonly TimeProvider _time;
    private readonly ILogger<ConsoleStore> _log;
    private readonly Channel<PendingWrite> _queue = Channel.CreateBounded<PendingWrite>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    private readonly StoreMeter _meter = new();
    private readonly Task _writer;

    /// <summary>This process among those that write to the database, on <see cref="PeerChanges.Channel"/>.</summary>
    public Guid Instance { get; } = Guid.NewGuid();

    /// <summary>What this process has committed to the change log.</summary>
    public OwnCommits Own { get; } = new();

    public ConsoleStore(IDbContextFactory<ConsoleDb> contexts, IChangeFeed feed, TimeProvider time, ILogger<ConsoleStore> log)
    {
        (_contexts, _feed, _time, _log) = (contexts, feed, time, log);
        using (ExecutionContext.SuppressFlow()) _writer = Task.Run(WriteLoop);
    }

    public ConsoleDb Read()
    {
        var db = _contexts.CreateDbContext();
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        return db;
    }

    public async Task<T> Write<T>(Func<WriteScope, Task<T>> change, CancellationToken stop = default)
    {
        if (Inside.Value) throw new InvalidOperationException("a write inside of a write would wait for itself: use the scope at hand");
        var pending = new PendingWrite<T>(change, stop);
        await _queue.Writer.WriteAsync(pending, stop);
        return await pending.Result;
    }

    /// <summary>Lets the queue run dry; later writes are refused.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _writer;
        _meter.Dispose();
    }

    private async Task WriteLoop()
    {
        var batch = new List<PendingWrite>(MaxBatch);
        while (await _queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var next)) batch.Add(next);
            await Commit(batch);
        }
    }

    private async Task Commit(List<PendingWrite> batch)
    {
        var began = Stopwatch.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await TryCommit(batch);
                break;
            }
            catch (Exception e) when (IsTransient(e) && attempt < MaxAttempts)
            {
                _log.LogWarning("The database was busy at attempt {Attempt} of {Attempts} for {Writes} writes: {Reason}", attempt, MaxAttempts, batch.Count, e.Message);
            }
            catch (Exception e)
            {
                _meter.Committed(0, batch.Count, Stopwatch.GetElapsedTime(began));
                foreach (var write in batch) write.Fail(e);
                return;
            }
        }
        var done = batch.Where(w => w.Failure is null).ToArray();
        _meter.Committed(done.Length, batch.Count - done.Length, Stopwatch.GetElapsedTime(began));
        var changes = done.SelectMany(w => w.Scope!.Changes).ToArray();
        Own.Add(changes);
        if (changes.Length > 0) Guarded(() => _feed.Publish(changes), "publishing to the live feed");
        foreach (var act in done.SelectMany(w => w.Scope!.Acts)) Guarded(act, "an act after a commit");
        foreach (var write in batch) write.Settle();
    }

    private async Task TryCommit(List<PendingWrite> batch)
    {
        // Ends with this method: what a commit sets off (pages that draw, acts) may write.
        Inside.Value = true;
        await using var owner = _contexts.CreateDbContext();
        await using var transaction = await owner.Database.BeginTransactionAsync();
        if (owner.Database.IsNpgsql()) await owner.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({AdvisoryLock})");
        var open = new List<ConsoleDb>(batch.Count);
        try
        {
            foreach (var write in batch)
            {
                write.Failure = write.Stop.IsCancellationRequested ? new OperationCanceledException(write.Stop) : null;
                if (write.Failure is not null) continue;
                await transaction.CreateSavepointAsync(Savepoint);
                try
                {
                    var db = _contexts.CreateDbContext();
                    open.Add(db);
                    db.Database.AutoSavepointsEnabled = false;
                    db.Database.SetDbConnection(owner.Database.GetDbConnection());
                    await db.Database.UseTransactionAsync(Microsoft.EntityFrameworkCore.Storage.DbContextTransactionExtensions.GetDbTransaction(transaction));
                    if (write.Term is { } term) await Leases.Fence(db, term);
                    await write.Run(new WriteScope(db, Now()));
                    await transaction.ReleaseSavepointAsync(Savepoint);
                }
                catch (Exception e) when (!IsTransient(e))
                {
                    write.Failure = e;
                    await transaction.RollbackToSavepointAsync(Savepoint);
                }
            }
            // Delivered with the commit, or not at all.
            if (owner.Database.IsNpgsql() && batch.Any(w => w.Failure is null && w.Scope!.Logged)) await PeerChanges.Announce(owner, Instance);
            await transaction.CommitAsync();
        }
        finally
        {
            foreach (var db in open) await db.DisposeAsync();
        }
    }

    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());

    private void Guarded(Action act, string what)
    {
        try
        {
            act();
        }
        catch (Exception e)
        {
            // The commit stands: the caller must not be told otherwise.
            _log.LogError(e, "Failed: {What}", what);
        }
    }

    private static bool IsTransient(Exception? e) => e switch
    {
        null => false,
        SqliteException s => s.SqliteErrorCode is 5 or 6, // SQLITE_BUSY, SQLITE_LOCKED
        PostgresException p => p.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected,
        NpgsqlException n => n.IsTransient,
        _ => IsTransient(e.InnerException),
    };

    private abstract class PendingWrite(CancellationToken stop)
    {
        public CancellationToken Stop => stop;
        /// <summary>The leadership that it stands or falls with.</summary>
        public Epoch? Term { get; } = Leading.Term.Current;
        public WriteScope? Scope { get; protected set; }
        /// <summary>Why this write, and it alone, was undone.</summary>
        public Exception? Failure { get; set; }
        public abstract Task Run(WriteScope scope);
        public abstract void Settle();
        public abstract void Fail(Exception e);
    }

    private sealed class PendingWrite<T>(Func<WriteScope, Task<T>> change, CancellationToken stop) : PendingWrite(stop)
    {
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _value = default!;

        public Task<T> Result => _result.Task;

        public override async Task Run(WriteScope scope)
        {
            Scope = scope;
            _value = await change(scope);
            await scope.Db.SaveChangesAsync(CancellationToken.None);
        }

        public override void Settle()
        {
            if (Failure is null) _result.TrySetResult(_value);
            else Fail(Failure);
        }

        public override void Fail(Exception e)
        {
            if (e is OperationCanceledException c && c.CancellationToken == Stop) _result.TrySetCanceled(Stop);
            else _result.TrySetException(e);
        }
    }
}
