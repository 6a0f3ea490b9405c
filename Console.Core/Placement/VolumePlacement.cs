using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Core.Storage;

namespace Plinth.Core.Placement;

/// <summary>Chooses the host that a volume is made on: the one with the most free disk, or the one that was named.</summary>
public static class VolumePlacement
{
    /// <param name="only">The one host that may be taken; null where any may.</param>
    public static Result<HostSnapshot> Choose(ClusterSnapshot fleet, int sizeGib, StorageDemand storage, HostId? only, DateTimeOffset now)
    {
        var asked = fleet.Hosts.Where(h => only is null || h.Id == only).ToArray();
        if (asked.Length == 0) return Refusal.NoCapacity("no_host", "There is no host that the volume could be made on; join one first.");
        var judged = asked.Select(h => (Host: h, No: WhyNot(h, sizeGib, now) ?? StorageMatch.WhyNot(storage, h.Pool))).ToArray();
        var best = judged.Where(j => j.No is null).Select(j => j.Host).OrderByDescending(h => h.Free.DiskGib).ThenBy(h => h.Name, StringComparer.Ordinal).FirstOrDefault();
        return best is not null ? best : Refusal.NoCapacity("no_room", $"No host can take a volume of {Sizes.Gib(sizeGib)}: {string.Join("; ", judged.Take(5).Select(j => $"{j.Host.Name}: {j.No}"))}{(judged.Length > 5 ? "; …" : "")}.");
    }

    /// <summary>Why the host cannot take so much more disk, with numbers; null where it can.</summary>
    public static string? WhyNot(HostSnapshot host, int moreGib, DateTimeOffset now) =>
        host.State != HostState.Ready ? $"the host is {host.State.ToString().ToLowerInvariant()}, not ready"
        : host.ReportedAt is not { } at || Freshness.IsStale(at, now) ? "its last report is too old to be trusted"
        : moreGib > host.Free.DiskGib && Sizes.GibApart(moreGib, Math.Max(0, host.Free.DiskGib)) is var (needs, free) ? $"needs {needs} of disk, has {free} free"
        : null;
}
