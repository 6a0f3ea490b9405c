using System.Globalization;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.State;

namespace Plinth.Core.Placement;

/// <summary>One rule a host must pass. Says why not, with numbers, or null.</summary>
public interface IHostFilter
{
    string Name { get; }
    HostRefusal? Check(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now);
}

/// <summary>One view on which of the fitting hosts is better, normalised to 0…1.</summary>
public interface IHostScorer
{
    string Name { get; }
    double Weight { get; }
    double Score(PlacementRequest request, HostSnapshot host, PlacementPolicy policy);
}

/// <summary>
/// The placement engine: filters, scorers, choice; pure. The highest sum of weight × value wins; ties go to the order of a
/// hash of seed and host id, so that equal hosts share the load and a replay gives the same answer.
/// </summary>
public static class PlacementEngine
{
    public static IReadOnlyList<IHostFilter> Filters { get; } =
    [
        new PinnedHostFilter(), new SourceFilter(), new StateFilter(), new FreshnessFilter(), new ArchitectureFilter(), new FirmwareFilter(), new CpuFilter(), new MemoryFilter(), new DiskFilter(), new StorageFilter(),
    ];

    public static IReadOnlyList<IHostScorer> Scorers { get; } = [new AccelerationScorer(), new FreeMemoryScorer(), new FreeCpuScorer()];

    public static PlacementDecision Decide(PlacementRequest request, ClusterSnapshot snapshot, PlacementPolicy policy, DateTimeOffset now, int seed)
    {
        var candidates = new List<(Candidate Candidate, ulong Tie)>();
        var refused = new List<RefusedHost>();
        foreach (var host in snapshot.Hosts)
        {
            List<HostRefusal>? reasons = null;
            foreach (var filter in Filters)
                if (filter.Check(request, host, policy, now) is { } no) (reasons ??= []).Add(no);
            if (reasons is not null)
            {
                refused.Add(new RefusedHost(host.Id, host.Name, reasons));
                continue;
            }
            var terms = Scorers.Select(s => new ScoreTerm(s.Name, s.Score(request, host, policy), s.Weight)).ToArray();
            candidates.Add((new Candidate(host.Id, host.Name, terms.Sum(t => t.Value * t.Weight), terms), Tie(seed, host.Id)));
        }
        candidates.Sort((a, b) => b.Candidate.Score.CompareTo(a.Candidate.Score) is var c and not 0 ? c : a.Tie.CompareTo(b.Tie));
        var histogram = refused
            .SelectMany(h => h.Refusals)
            .GroupBy(r => (r.Filter, r.Class))
            .Select(g => new ReasonCount(g.Key.Filter, g.Key.Class, g.Count()))
            .OrderByDescending(r => r.Hosts).ThenBy(r => r.Filter, StringComparer.Ordinal)
            .ToArray();
        var best = candidates.Count > 0 ? candidates[0].Candidate : null;
        return new PlacementDecision(
            request, snapshot.Version, policy.Version, seed, best?.Host, best?.HostName,
            [.. candidates.Select(c => c.Candidate)], refused, histogram, candidates.Count, snapshot.Hosts.Length, Sentence(request, best, candidates.Count, refused));
    }

    /// <summary>Re-check of one host against a newer snapshot before a commit; every failing rule.</summary>
    public static IReadOnlyList<HostRefusal> Recheck(PlacementRequest request, HostSnapshot host, PlacementPolicy policy, DateTimeOffset now) =>
        [.. Filters.Select(f => f.Check(request, host, policy, now)).OfType<HostRefusal>()];

    private static string Sentence(PlacementRequest request, Candidate? best, int fitting, List<RefusedHost> refused)
    {
        if (best is not null)
        {
            var why = best.Terms.Where(t => t.Value > 0).OrderByDescending(t => t.Value * t.Weight).FirstOrDefault();
            return fitting == 1
                ? $"Placed on {best.HostName}, the only host that fits of {Hosts(fitting + refused.Count)}."
                : $"Placed on {best.HostName}: best of {Hosts(fitting)} that fit, by {why?.Scorer ?? "equal scores"} ({(why?.Value ?? 0).ToString("0.00", CultureInfo.InvariantCulture)} of 1).";
        }
        if (refused.Count == 0) return "There is no host yet: join one on the Agents page.";
        var size = request.Size;
        var reasons = refused.SelectMany(h => h.Refusals.Select(r => (h.HostName, r))).ToArray();
        var closest = refused.OrderBy(h => h.Refusals.Count).ThenBy(h => h.HostName, StringComparer.Ordinal).First();
        return $"No host of {refused.Count} takes {size.Vcpus} vCPU{(size.Vcpus == 1 ? "" : "s")}, {Sizes.Mib(size.MemoryMib)} of memory and {Sizes.Gib(size.DiskGib)} of disk. "
            + $"Closest is {closest.HostName}: {string.Join("; ", closest.Refusals.Select(r => r.Message))}."
            + (refused.Count > 1 ? $" ({reasons.Count(r => r.r.Class == RefusalClass.Full)} of {reasons.Length} reasons are lack of room.)" : "");
    }

    private static string Hosts(int n) => n == 1 ? "1 host" : $"{n} hosts";

    // FNV-1a over seed and id: stable across processes and versions, unlike GetHashCode.
    private static ulong Tie(int seed, HostId id)
    {
        var hash = 14695981039346656037UL;
        Span<byte> bytes = stackalloc byte[20];
        BitConverter.TryWriteBytes(bytes, seed);
        id.Value.TryWriteBytes(bytes[4..]);
        foreach (var b in bytes) hash = (hash ^ b) * 1099511628211UL;
        return hash;
    }
}
