using Plinth.Core.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Core.Quotas;

/// <summary>One node above what is asked for: what it may have, and what is in it now.</summary>
/// <param name="Where">"project web", "organization acme": as sentences say it.</param>
/// <param name="Limits">By resource (<see cref="QuotaResources"/>); what is absent has no limit.</param>
/// <param name="Used">By resource; what is absent is 0. Only what has a limit is looked at.</param>
/// <param name="RaisedBy">"an admin of organization acme": who can raise the limits.</param>
public sealed record QuotaLevel(string Where, IReadOnlyDictionary<string, long> Limits, IReadOnlyDictionary<string, long> Used, string RaisedBy);

/// <summary>Limits up the tree: what is asked for has to be within those of every node above it.</summary>
public static class Quota
{
    /// <summary>Why it is too much: a sentence for each node and resource, with used, limit and asked. Empty where it is within all limits.</summary>
    /// <param name="asked">What is to be added, by resource. Nothing, or less than now, is within every limit, also of a node that has more than it may.</param>
    public static IReadOnlyList<Refusal> Check(IReadOnlyDictionary<string, long> asked, IEnumerable<QuotaLevel> levels) =>
    [
        .. from level in levels
           from limit in level.Limits
           let wanted = asked.GetValueOrDefault(limit.Key)
           let used = level.Used.GetValueOrDefault(limit.Key)
           where wanted > 0 && used + wanted > limit.Value
           select Refusal.NoCapacity("quota_exceeded", Sentence(level, limit.Key, limit.Value, used, wanted)),
    ];

    /// <summary>Limits as they can be stored, or what is wrong with them.</summary>
    /// <param name="field">Where they stand in the request.</param>
    public static IReadOnlyList<Refusal> CheckLimits(string field, IReadOnlyDictionary<string, long?> limits, IReadOnlySet<string> storageClasses)
    {
        var refusals = new RefusalList();
        foreach (var (resource, limit) in limits)
        {
            // What was sent as a name is not repeated at length.
            var at = $"{field}.{(resource.Length > 80 ? resource[..80] : resource)}";
            if (QuotaResources.StorageClassOf(resource) is { } named)
            {
                if (!storageClasses.Contains(named)) refusals.Invalid(at, "unknown_storage_class", $"There is no storage class {RefusalList.Quote(named)}.");
            }
            else if (!QuotaResources.All.Contains(resource))
            {
                refusals.Invalid(at, "unknown_resource", $"There is no resource {RefusalList.Quote(resource)}: there are {string.Join(", ", QuotaResources.All)}, and {QuotaResources.DiskOf("")} with the name of a storage class.");
            }
            if (limit is < 0 or > QuotaResources.Most) refusals.Invalid(at, "out_of_range", $"A limit is 0 to {QuotaResources.Most}; {limit} was given. Leave it out for none.");
        }
        return refusals.All;
    }

    /// <summary>What is wrong with asking for these limits in place of the present ones of a project; empty where they can be asked for.</summary>
    /// <param name="where">"project web".</param>
    /// <param name="raisedBy">Who sets the limits of the node above.</param>
    public static IReadOnlyList<Refusal> CheckRequest(string field, IReadOnlyDictionary<string, long> wanted, IReadOnlyDictionary<string, long> limits, string where, string raisedBy)
    {
        var refusals = new RefusalList();
        if (wanted.Count == 0) refusals.Invalid(field, "required", "Say which limits should be raised, and to what.");
        foreach (var (resource, to) in wanted)
        {
            var title = QuotaResources.Title(resource);
            if (!limits.TryGetValue(resource, out var limit)) refusals.Invalid($"{field}.{resource}", "no_limit", $"{title}: {where} has no limit of its own for it, so there is none to raise; those of its organization are set by {raisedBy}.");
            else if (to <= limit) refusals.Invalid($"{field}.{resource}", "not_more", $"{title}: {where} may have {QuotaResources.Quantity(resource, limit)} already; ask for more than that, or leave it out.");
        }
        return refusals.All;
    }

    /// <summary>The present limits, with those that were asked for where they are higher. What has no limit by now keeps none.</summary>
    public static IReadOnlyDictionary<string, long> Raised(IReadOnlyDictionary<string, long> limits, IReadOnlyDictionary<string, long> wanted) =>
        limits.ToDictionary(l => l.Key, l => Math.Max(l.Value, wanted.GetValueOrDefault(l.Key)));

    private static string Sentence(QuotaLevel level, string resource, long limit, long used, long asked) =>
        $"{char.ToUpperInvariant(level.Where[0])}{level.Where[1..]} may have {QuotaResources.Amount(resource, limit)} and has {QuotaResources.Quantity(resource, used)}; this asks for {QuotaResources.Quantity(resource, asked)}, " +
        $"{QuotaResources.Quantity(resource, used + asked - limit)} too much. Remove something there, or have the limit raised by {level.RaisedBy}.";
}
