using System.Collections.Concurrent;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Application.Hosts;

/// <summary>
/// What moves with every report and says nothing new: receipt times, samples, the last picture of each machine. Kept in memory,
/// because 200 hosts that report every 10 s must not write 2,000 rows each time. Lost in a restart; the agents' first reports
/// bring it back.
/// </summary>
public sealed class LiveHosts(TimeProvider time)
{
    private readonly ConcurrentDictionary<HostId, LiveHost> _hosts = new();

    /// <summary>Until a host had time to report to this process, its silence says nothing.</summary>
    public DateTimeOffset Since { get; private set; } = time.GetUtcNow();

    /// <summary>This server leads from now on: agents report to it, and what it heard from another server is not its own.</summary>
    public void Begin()
    {
        Since = time.GetUtcNow();
        _hosts.Clear();
    }

    public LiveHost this[HostId host] => _hosts.GetOrAdd(host, _ => new LiveHost());

    public LiveHost? Find(HostId host) => _hosts.GetValueOrDefault(host);

    /// <summary>The next report about this machine is looked at in full: an operation waits for it.</summary>
    public void Forget(HostId host, VmId vm) => Find(host)?.Machines.TryRemove(vm, out _);

    public IEnumerable<(HostId Host, LiveHost Live)> All => _hosts.Select(h => (h.Key, h.Value));

    /// <summary>The newest receipt, by memory or by row.</summary>
    public DateTimeOffset? ReportedAt(HostId host, DateTimeOffset? stored) => Find(host)?.ReportedAt is { } live && (stored is null || live > stored) ? live : stored;

    public bool IsStale(HostId host, DateTimeOffset? stored) => ReportedAt(host, stored) is not { } at || Freshness.IsStale(at, time.GetUtcNow());
}

/// <summary>One host's memory. Written by its session alone (calls for one host never overlap); single reads are whole.</summary>
public sealed class LiveHost
{
    /// <summary>The session in force; <see cref="Epoch.None"/> when this process has not welcomed one.</summary>
    public Epoch Epoch { get; set; }
    public bool Connected { get; set; }
    public DateTimeOffset? ReportedAt { get; set; }
    public DateTimeOffset? StoredReportedAt { get; set; }
    public Resources? Free { get; set; }
    public HostSample? Sample { get; set; }
    public long TelemetrySequence { get; set; }

    /// <summary>What the last reports said, as far as it was taken over; a report that says the same writes nothing.</summary>
    public ObservedHostState? Host { get; set; }
    public ConcurrentDictionary<VmId, ObservedMachine> Machines { get; } = new();

    public void Begin(Epoch epoch)
    {
        (Epoch, Connected, TelemetrySequence, Host) = (epoch, true, 0, null);
        Machines.Clear();
    }
}
