using System.Collections.Concurrent;
using System.Data.Common;
using Plinth.Web.Persistence.Leading;

namespace Plinth.Web.Persistence.Metrics;

/// <inheritdoc cref="IMetricsStore"/>
public sealed class MetricsStore : IMetricsStore, IAsyncDisposable
{
    public static readonly TimeSpan RawKept = TimeSpan.FromHours(1), MinutesKept = TimeSpan.FromDays(35);
    // An agent's clock is corrected to the console's; what is left is network delay and drift.
    private static readonly TimeSpan AllowedAhead = TimeSpan.FromSeconds(30);
    // One transaction for what many hosts sent meanwhile.
    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(2);
    // Ten rounds of 200 hosts with 10 VMs each: more than that behind, detail is dropped.
    private const int MaxPending = 22_000;

    private readonly MetricsDatabase _database;
    private readonly TimeProvider _time;
    private readonly ILogger<MetricsStore> _log;
    private readonly ConcurrentDictionary<MetricSubject, long> _subjects = new();
    private readonly SemaphoreSlim _writing = new(1);
    // Wall time, not the console's clock: a simulated clock must not hold up the queue.
    private readonly PeriodicTimer _timer = new(WriteEvery);
    private readonly StoreMeter _meter = new();
    private readonly Lazy<Task> _created;
    private readonly Task _writer;
    private readonly Lock _pendingLock = new();
    private List<MetricSample> _pending = [];
    private long _stored, _repeated, _refused, _dropped;
    // Minutes from this one on may hold samples that no roll-up has seen. Guarded by _writing.
    private long _unrolledFrom = long.MaxValue;

    public MetricsStore(DatabaseSettings settings, TimeProvider time, ILogger<MetricsStore> log)
    {
        (_database, _time, _log) = (MetricsDatabase.Of(settings), time, log);
        _created = new Lazy<Task>(() => _database.Create(default));
        _meter.Watch(this);
        _writer = Task.Run(WriteLoop);
    }

    public MetricCounts Counts => new(Interlocked.Read(ref _stored), Interlocked.Read(ref _repeated), Interlocked.Read(ref _refused), Interlocked.Read(ref _dropped));

    public void Append(IReadOnlyList<MetricSample> samples)
    {
        var now = _time.GetUtcNow();
        lock (_pendingLock)
        {
            foreach (var sample in samples)
            {
                if (sample.At > now + AllowedAhead || sample.At < now - RawKept || sample.Values.Length != MetricSample.Width || !Array.TrueForAll(sample.Values, double.IsFinite)) _refused++;
                else if (_pending.Count >= MaxPending) _dropped++;
                else _pending.Add(sample);
            }
        }
    }

    public async Task<DateTimeOffset?> CondensedUntil(CancellationToken stop)
    {
        await _created.Value;
        await using var connection = await _database.Open(stop);
        await using var progress = MetricsDatabase.Command(connection, null, "SELECT minute FROM progress");
        return await progress.ExecuteScalarAsync(stop) is long minute ? DateTimeOffset.FromUnixTimeMilliseconds(minute * MetricsRetention.MinuteMs) : null;
    }

    public async Task Flush(CancellationToken stop)
    {
        await _created.Value;
        await _writing.WaitAsync(stop);
        try
        {
            List<MetricSample> samples;
            lock (_pendingLock) (samples, _pending) = (_pending, []);
            if (samples.Count > 0) await Write(samples, stop);
        }
        finally
        {
            _writing.Release();
        }
    }

    public async Task<MetricWindow> Read(MetricSubject subject, TimeSpan range, CancellationToken stop)
    {
        await _created.Value;
        await using var connection = await _database.Open(stop);
        return await MetricsReading.Read(connection, subject, range, _time.GetUtcNow(), stop);
    }

    public async Task RollUp(CancellationToken stop)
    {
        await Flush(stop);
        await _writing.WaitAsync(stop);
        try
        {
            await using var connection = await _database.Open(stop);
            await using var transaction = await connection.BeginTransactionAsync(stop);
            await MetricsRetention.RollUp(connection, transaction, _unrolledFrom, _time.GetUtcNow(), stop);
            await MetricsRetention.Forget(connection, transaction, _time.GetUtcNow(), stop);
            if (Term.Current is { } term) await _database.Fence(connection, transaction, term, stop);
            await transaction.CommitAsync(stop);
            // The present minute is not over: it is made again next time.
            _unrolledFrom = _time.GetUtcNow().ToUnixTimeMilliseconds() / MetricsRetention.MinuteMs;
            _subjects.Clear();
        }
        finally
        {
            _writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _writer;
        await TryFlush();
        _writing.Dispose();
        _meter.Dispose();
    }

    private async Task WriteLoop()
    {
        while (await _timer.WaitForNextTickAsync()) await TryFlush();
    }

    private async Task TryFlush()
    {
        try
        {
            await Flush(CancellationToken.None);
        }
        catch (Exception e)
        {
            _log.LogError(e, "Metric samples could not be stored and are lost");
        }
    }

    private async Task Write(List<MetricSample> samples, CancellationToken stop)
    {
        try
        {
            await using var connection = await _database.Open(stop);
            await using var transaction = await connection.BeginTransactionAsync(stop);
            var rows = new List<(long, MetricSample)>(samples.Count);
            foreach (var sample in samples) rows.Add((await Subject(connection, transaction, sample, stop), sample));
            var inserted = await _database.Insert(connection, transaction, rows, stop);
            await transaction.CommitAsync(stop);
            Interlocked.Add(ref _stored, inserted);
            Interlocked.Add(ref _repeated, samples.Count - inserted);
            _unrolledFrom = Math.Min(_unrolledFrom, samples.Min(s => s.At.ToUnixTimeMilliseconds()) / MetricsRetention.MinuteMs);
        }
        catch
        {
            _subjects.Clear();
            Interlocked.Add(ref _dropped, samples.Count);
            throw;
        }
    }

    private async ValueTask<long> Subject(DbConnection connection, DbTransaction transaction, MetricSample sample, CancellationToken stop)
    {
        if (_subjects.TryGetValue(sample.Subject, out var known)) return known;
        await using var command = MetricsDatabase.Command(connection, transaction,
            "INSERT INTO subjects (kind, uuid, last_at) VALUES (@kind, @uuid, @at) ON CONFLICT (kind, uuid) DO UPDATE SET last_at = excluded.last_at RETURNING id",
            ("kind", (int)sample.Subject.Kind), ("uuid", sample.Subject.Id.ToString("N")), ("at", sample.At.ToUnixTimeMilliseconds()));
        return _subjects[sample.Subject] = Convert.ToInt64(await command.ExecuteScalarAsync(stop));
    }
}
