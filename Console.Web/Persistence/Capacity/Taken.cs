using Microsoft.EntityFrameworkCore;
using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Capacity;

/// <summary>What the ledger says is taken on hosts: by VMs and by volumes.</summary>
public static class Taken
{
    /// <param name="hosts">Null for all.</param>
    public static async Task<IReadOnlyDictionary<HostId, Resources>> Of(ConsoleDb db, IReadOnlyList<HostId>? hosts, CancellationToken stop)
    {
        var machines = await db.Allocations.Where(a => hosts == null || hosts.Contains(a.Host)).GroupBy(a => a.Host)
            .Select(g => new { g.Key, Vcpus = g.Sum(a => a.Vcpus), MemoryMib = g.Sum(a => a.MemoryMib), DiskGib = g.Sum(a => a.DiskGib) }).ToListAsync(stop);
        var volumes = await db.VolumeAllocations.Where(a => hosts == null || hosts.Contains(a.Host)).GroupBy(a => a.Host)
            .Select(g => new { g.Key, DiskGib = g.Sum(a => a.DiskGib) }).ToListAsync(stop);
        return machines.Select(m => (m.Key, Size: new Resources(m.Vcpus, m.MemoryMib, m.DiskGib)))
            .Concat(volumes.Select(v => (v.Key, Size: new Resources(0, 0, v.DiskGib))))
            .GroupBy(t => t.Key)
            .ToDictionary(g => g.Key, g => g.Aggregate(Resources.Zero, (sum, t) => sum + t.Size));
    }
}
