using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Plinth.Web.Live;

namespace Plinth.Web.Persistence.Leading;

/// <summary>Versions of the change log that this process has written itself, and told its own feed of, until the log is read past them.</summary>
public sealed class OwnCommits
{
    private readonly ConcurrentDictionary<long, bool> _versions = new();

    /// <summary>False where nobody reads the log: then nothing is remembered.</summary>
    public bool Wanted { get; set; }

    internal void Add(IEnumerable<Change> changes)
    {
        if (!Wanted) return;
        foreach (var change in changes)
            if (change.Version > 0) _versions[change.Version] = true;
    }

    internal bool Has(long version) => _versions.ContainsKey(version);

    internal void ForgetUpTo(long version)
    {
        foreach (var known in _versions.Keys)
            if (known <= version) _versions.TryRemove(known, out _);
    }
}

/// <summary>
/// What other servers commit, from the change log: each commit is announced on a PostgreSQL channel, and the log is looked at every few seconds
/// in any case. The log's versions grow in commit order, so whoever has read up to one has missed nothing below it.
/// </summary>
public sealed class PeerChanges(DatabaseSettings settings, ConsoleStore store, TimeProvider time)
{
    public const string Channel = "plinth";
    /// <summary>PostgreSQL's bound is 8,000 bytes.</summary>
    public const int MaxPayloadBytes = 7_900;
    // The path on which nothing depends but speed: a lost announcement costs this long.
    private static readonly TimeSpan PollEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    // More than anybody follows one by one: readers are told to read everything.
    private const int Portion = 1_000;

    private long _seen = -1;

    internal static Task Announce(ConsoleDb db, Guid instance) => db.Database.ExecuteSqlAsync($"SELECT pg_notify({Channel}, {instance.ToString("N")})");

    /// <summary>Tells the other servers something that is not in the database. Nobody may depend on its arrival.</summary>
    public async Task Say(string payload, CancellationToken stop)
    {
        await using var db = store.Read();
        await db.Database.ExecuteSqlAsync($"SELECT pg_notify({Channel}, {store.Instance.ToString("N") + payload})", stop);
    }

    /// <summary>Follows until <paramref name="stop"/>. Neither call overlaps with another.</summary>
    /// <param name="changed">Changes of other servers, in order.</param>
    /// <param name="heard">What another server said by <see cref="Say"/>.</param>
    /// <param name="failed">There is no connection for now, and why; it is tried again.</param>
    public async Task Follow(Func<IReadOnlyList<Change>, Task> changed, Func<string, Task> heard, Action<Exception> failed, CancellationToken stop)
    {
        store.Own.Wanted = true;
        var mine = store.Instance.ToString("N");
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false, KeepAlive = 10 }.ConnectionString);
                await connection.OpenAsync(stop);
                var said = new ConcurrentQueue<string>();
                connection.Notification += (_, e) =>
                {
                    if (!e.Payload.StartsWith(mine, StringComparison.Ordinal) && e.Payload.Length > mine.Length) said.Enqueue(e.Payload[mine.Length..]);
                };
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection)) await listen.ExecuteNonQueryAsync(stop);
                while (true)
                {
                    await Read(changed, stop);
                    while (said.TryDequeue(out var payload)) await heard(payload);
                    await connection.WaitAsync(PollEvery, stop);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failed(e);
                await Task.Delay(Again, time, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }

    private async Task Read(Func<IReadOnlyList<Change>, Task> changed, CancellationToken stop)
    {
        while (true)
        {
            await using var db = store.Read();
            if (_seen < 0) _seen = await db.ChangeLog.MaxAsync(c => (long?)c.Version, stop) ?? 0;
            var rows = await db.ChangeLog.Where(c => c.Version > _seen).OrderBy(c => c.Version).Take(Portion).Select(c => new { c.Version, c.Kind, c.Id, c.Project }).ToListAsync(stop);
            if (rows.Count == 0) return;
            var others = rows.Where(r => !store.Own.Has(r.Version)).Select(r => new Change(r.Kind, r.Id, r.Project?.Value, r.Version)).ToArray();
            if (others.Length > 0) await changed(others);
            _seen = rows[^1].Version;
            store.Own.ForgetUpTo(_seen);
            if (rows.Count < Portion) return;
        }
    }
}
