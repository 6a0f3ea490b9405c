using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Backup;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Metrics;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Upkeep;

/// <summary>Looks at the console itself now and then, and remembers since when something is as it is.</summary>
internal sealed class SelfChecks : IDisposable
{
    /// <summary>On the live feed: the console has looked at itself.</summary>
    public const string ChangeKind = "upkeep";

    // Reading the whole ledger takes a second for every few hundred thousand entries.
    private static readonly TimeSpan LedgerEvery = TimeSpan.FromHours(1);

    private readonly ApplicationSettings _settings;
    private readonly DatabaseSettings _database;
    private readonly IConsoleStore _store;
    private readonly IMetricsStore _metrics;
    private readonly LedgerCheck _ledger;
    private readonly ServerViews _servers;
    private readonly Lazy<IEnumerable<IReadinessCheck>> _readiness;
    private readonly TimeProvider _time;
    private readonly ILogger<SelfChecks> _log;
    private readonly Meter _meter = new("Plinth");
    private volatile IReadOnlyList<SelfCheckView> _current = [];
    private LedgerState? _ledgerState;

    public SelfChecks(ApplicationSettings settings, DatabaseSettings database, IConsoleStore store, IMetricsStore metrics, LedgerCheck ledger, ServerViews servers, IServiceProvider services, TimeProvider time, ILogger<SelfChecks> log)
    {
        (_settings, _database, _store, _metrics, _ledger, _servers, _time, _log) = (settings, database, store, metrics, ledger, servers, time, log);
        // Readiness asks the workers, one of which is this.
        _readiness = new Lazy<IEnumerable<IReadinessCheck>>(services.GetServices<IReadinessCheck>);
        _meter.CreateObservableGauge("plinth.selfcheck", () => _current.Select(c => new Measurement<int>((int)c.State, new KeyValuePair<string, object?>("check", c.Name))), description: "What the console watches about itself: 0 well, 1 warning, 2 error.");
    }

    /// <summary>The newest verdicts; empty until the first look.</summary>
    public IReadOnlyList<SelfCheckView> Current => _current;

    /// <summary>When they were made.</summary>
    public DateTimeOffset? CheckedAt { get; private set; }

    public async Task Run(CancellationToken stop)
    {
        var before = _current.ToDictionary(c => c.Name);
        var facts = await Observe(stop);
        var now = SelfCheckRules.Judge(facts).Select(c => before.TryGetValue(c.Name, out var was) && was.State == c.State ? c with { Since = was.Since } : c).ToArray();
        (_current, CheckedAt) = (now, facts.At);
        var changed = now.Where(c => before.TryGetValue(c.Name, out var was) ? was.State != c.State : c.State != SelfCheckState.Ok).ToArray();
        foreach (var check in changed)
            _log.Log(check.State == SelfCheckState.Ok ? LogLevel.Information : LogLevel.Warning, "{Check}: {Sentence} {Remedy}", check.Title, check.Sentence, check.Remedy);
        await _store.Write(scope => { scope.Publish(ChangeKind, Guid.Empty); return Task.FromResult(Done.Value); }, stop);
    }

    private async Task<SelfFacts> Observe(CancellationToken stop)
    {
        var now = _time.GetUtcNow();
        if (_ledgerState is null || _ledgerState.Fault is not null || now - _ledgerState.At >= LedgerEvery) _ledgerState = await _ledger.Run(now, stop);
        var volume = await DatabaseVolume.Measure(_database, _store, stop);
        var drive = new DriveInfo(Path.GetFullPath(_settings.Data));
        var notReady = new List<string>();
        foreach (var check in _readiness.Value)
            if (await check.NotReady(stop) is { } reason) notReady.Add($"{check.Name}: {reason}");

        await using var db = _store.Read();
        var hosts = await db.Hosts.Where(h => h.State != HostState.Retired).Select(h => new { h.Name, h.CertificateExpiresAt }).ToListAsync(stop);
        var ends = now + SelfCheckRules.CertificateWarning;
        var leaves = await db.AuditLeaves.MaxAsync(l => (long?)l.Sequence, stop) ?? 0;
        var backup = await db.Settings.Where(s => s.Key == Backups.LastBackupSetting).Select(s => s.Value).SingleOrDefaultAsync(stop);
        return new SelfFacts(
            now, await db.Projects.Where(p => p.Id == WellKnown.DefaultProject).Select(p => p.CreatedAt).SingleAsync(stop),
            volume.DataBytes, volume.WalBytes, volume.MetricsBytes, drive.AvailableFreeSpace, drive.TotalSize,
            [.. hosts.Where(h => h.CertificateExpiresAt < ends).Select(h => h.Name).Order(StringComparer.Ordinal)], hosts.Count,
            await _metrics.CondensedUntil(stop), _metrics.Counts.Dropped,
            _ledgerState.Entries, _ledgerState.At, _ledgerState.Fault, await db.AuditEntries.LongCountAsync(e => e.Sequence > leaves, stop),
            backup is null ? null : DateTimeOffset.ParseExact(backup, "O", CultureInfo.InvariantCulture), notReady, await _servers.All(stop));
    }

    public void Dispose() => _meter.Dispose();
}
