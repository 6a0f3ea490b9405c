using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Capacity;

/// <summary>
/// The newest committed fleet, kept in memory and brought up to date from the change log at each reading: a placement reads what has
/// changed since the last one, not two thousand hosts. The log's versions grow in commit order, also with several consoles on a database.
/// </summary>
public sealed class FleetCache(IConsoleStore store) : IDisposable
{
    // With so many changes reading everything is the shorter way.
    private const int MaxChanges = 1_000;

    private readonly SemaphoreSlim _turn = new(1);
    // By the id of the VM or volume that takes it.
    private readonly Dictionary<Guid, (HostId Host, Resources Size)> _taken = [];
    private readonly Dictionary<HostId, HostSnapshot> _hosts = [];
    private long _version = -1;

    /// <summary>What <see cref="FleetSnapshots.Load"/> gives, read at one moment.</summary>
    public async Task<ClusterSnapshot> Newest(CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            await using var db = store.Read();
            await using var moment = await db.BeginReadAsync(stop);
            if (!await CatchUp(db, stop)) await Begin(db, stop);
            // Heartbeats are not in the log.
            foreach (var heard in await db.Hosts.Where(h => h.State != HostState.Retired).Select(h => new { h.Id, h.ReportedAt }).ToListAsync(stop))
                if (_hosts.TryGetValue(heard.Id, out var host) && host.ReportedAt != heard.ReportedAt) _hosts[heard.Id] = host with { ReportedAt = heard.ReportedAt };
            return new ClusterSnapshot(_version, [.. _hosts.Values.OrderBy(h => h.Id.Value.ToString("n"), StringComparer.Ordinal)]);
        }
        catch
        {
            // Half caught up: the next reading begins anew.
            _version = -1;
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task Begin(ConsoleDb db, CancellationToken stop)
    {
        var fleet = await FleetSnapshots.Load(db, stop);
        _taken.Clear();
        _hosts.Clear();
        foreach (var row in await db.Allocations.ToListAsync(stop)) _taken[row.Vm.Value] = Of(row);
        foreach (var row in await db.VolumeAllocations.ToListAsync(stop)) _taken[row.Volume.Value] = Of(row);
        foreach (var host in fleet.Hosts) _hosts[host.Id] = host;
        _version = fleet.Version;
    }

    private async Task<bool> CatchUp(ConsoleDb db, CancellationToken stop)
    {
        var newest = await db.ChangeLog.MaxAsync(c => (long?)c.Version, stop) ?? 0;
        if (_version < 0 || newest < _version || await ChangeLogRetention.Horizon(db, stop) > _version) return false;
        var changes = await db.ChangeLog.Where(c => c.Version > _version && (c.Kind == LogKinds.Host || c.Kind == LogKinds.Allocation || c.Kind == LogKinds.VolumeAllocation))
            .OrderBy(c => c.Version).Take(MaxChanges).ToListAsync(stop);
        if (changes.Count == MaxChanges) return false;
        foreach (var change in changes)
        {
            if (change.Kind == LogKinds.Allocation) Apply(change.Id, Of(StoredJson.Read<AllocationRow>(change.Document)), change.Deleted);
            else if (change.Kind == LogKinds.VolumeAllocation) Apply(change.Id, Of(StoredJson.Read<VolumeAllocationRow>(change.Document)), change.Deleted);
            else Apply(StoredJson.Read<HostRow>(change.Document), change.Deleted);
        }
        _version = newest;
        return true;
    }

    private void Apply(Guid id, (HostId Host, Resources Size) now, bool deleted)
    {
        if (_taken.Remove(id, out var before)) Add(before.Host, Resources.Zero - before.Size);
        if (deleted) return;
        _taken[id] = now;
        Add(now.Host, now.Size);
    }

    private void Apply(HostRow row, bool deleted)
    {
        if (deleted || row.State == HostState.Retired)
        {
            _hosts.Remove(row.Id);
            return;
        }
        // A host that comes back from retirement may still have places taken.
        var allocated = _hosts.TryGetValue(row.Id, out var known)
            ? known.Allocated
            : _taken.Values.Where(a => a.Host == row.Id).Aggregate(Resources.Zero, (sum, a) => sum + a.Size);
        _hosts[row.Id] = FleetSnapshots.See(row.Id, row.Name, row.State, row.ReportedAt, row.Facts, row.Simulated, allocated);
    }

    private void Add(HostId id, Resources size)
    {
        if (_hosts.TryGetValue(id, out var host)) _hosts[id] = host with { Allocated = host.Allocated + size };
    }

    private static (HostId Host, Resources Size) Of(AllocationRow row) => (row.Host, new Resources(row.Vcpus, row.MemoryMib, row.DiskGib));

    private static (HostId Host, Resources Size) Of(VolumeAllocationRow row) => (row.Host, new Resources(0, 0, row.DiskGib));
}
