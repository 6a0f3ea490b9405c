using System.Collections.Immutable;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Capacity;

/// <summary>The fleet as placement sees it: now, one host of it, or as it was at a version of the change log.</summary>
public static class FleetSnapshots
{
    /// <summary>The newest fleet that the context sees. Hosts in the order of their ids; retired ones are left out.</summary>
    public static async Task<ClusterSnapshot> Load(ConsoleDb db, CancellationToken stop)
    {
        var version = await db.ChangeLog.MaxAsync(c => (long?)c.Version, stop) ?? 0;
        var taken = await Taken.Of(db, null, stop);
        var hosts = await db.Hosts.AsNoTracking().Where(h => h.State != HostState.Retired).OrderBy(h => h.Id)
            .Select(h => new { h.Id, h.Name, h.State, h.ReportedAt, h.Facts, h.Simulated })
            .ToListAsync(stop);
        return new ClusterSnapshot(version, [.. hosts.Select(h => See(h.Id, h.Name, h.State, h.ReportedAt, h.Facts, h.Simulated, taken.GetValueOrDefault(h.Id)))]);
    }

    /// <summary>One host at its newest; null where it is unknown or retired.</summary>
    public static async Task<HostSnapshot?> LoadHost(ConsoleDb db, HostId id, CancellationToken stop)
    {
        var host = await db.Hosts.AsNoTracking().SingleOrDefaultAsync(h => h.Id == id && h.State != HostState.Retired, stop);
        if (host is null) return null;
        var taken = await Taken.Of(db, [id], stop);
        return See(host.Id, host.Name, host.State, host.ReportedAt, host.Facts, host.Simulated, taken.GetValueOrDefault(id));
    }

    /// <summary>
    /// The fleet as it was when the change log had come to <paramref name="version"/>, rebuilt from the log alone.
    /// Heartbeats are not logged: <see cref="HostSnapshot.ReportedAt"/> is that of the host's last logged change.
    /// </summary>
    public static async Task<Result<ClusterSnapshot>> At(ConsoleDb db, long version, CancellationToken stop)
    {
        var newest = await db.ChangeLog.MaxAsync(c => (long?)c.Version, stop) ?? 0;
        if (version < 0 || version > newest)
            return Refusal.NotFound("version_unknown", $"The change log has no version {version}: the newest is {newest}.", "at");
        if (await ChangeLogRetention.Horizon(db, stop) is var horizon && version < horizon)
            return Refusal.NotFound("version_pruned", $"Version {version} is older than the change log is kept: the oldest moment that can be rebuilt is version {horizon}.", "at");

        var last = db.ChangeLog.Where(c => c.Version <= version && (c.Kind == LogKinds.Host || c.Kind == LogKinds.Allocation || c.Kind == LogKinds.VolumeAllocation))
            .GroupBy(c => new { c.Kind, c.Id }).Select(g => g.Max(c => c.Version));
        var rows = await db.ChangeLog.AsNoTracking().Where(c => last.Contains(c.Version) && !c.Deleted).ToListAsync(stop);
        var taken = rows.Where(r => r.Kind == LogKinds.Allocation).Select(r => StoredJson.Read<AllocationRow>(r.Document)).Select(a => (a.Host, Size: new Resources(a.Vcpus, a.MemoryMib, a.DiskGib)))
            .Concat(rows.Where(r => r.Kind == LogKinds.VolumeAllocation).Select(r => StoredJson.Read<VolumeAllocationRow>(r.Document)).Select(a => (a.Host, Size: new Resources(0, 0, a.DiskGib))))
            .GroupBy(a => a.Host)
            .ToDictionary(g => g.Key, g => g.Aggregate(Resources.Zero, (sum, a) => sum + a.Size));
        var hosts = rows.Where(r => r.Kind == LogKinds.Host).Select(r => StoredJson.Read<HostRow>(r.Document))
            .Where(h => h.State != HostState.Retired).OrderBy(h => h.Id.Value.ToString("n"), StringComparer.Ordinal);
        return new ClusterSnapshot(version,
            [.. hosts.Select(h => See(h.Id, h.Name, h.State, h.ReportedAt, h.Facts, h.Simulated, taken.GetValueOrDefault(h.Id)))]);
    }

    // A host without facts has no room and is not ready; its acceleration is not known and does not matter to any filter.
    internal static HostSnapshot See(HostId id, string name, HostState state, DateTimeOffset? reportedAt, HostFacts? facts, bool simulated, Resources taken) => new(
        id, name, state, reportedAt,
        facts?.Acceleration ?? (simulated ? Acceleration.Simulated : Acceleration.Qemu),
        facts?.Architecture ?? "", facts?.Capacity ?? Resources.Zero, taken, facts?.Pool, facts?.Firmware);
}
