using Plinth.Core.Inventory;
using Plinth.Core.Primitives;

namespace Plinth.Core.Storage;

/// <summary>A promise about disks that tenants choose by name: what the pool under them can do, and how much of it each disk may use.</summary>
public sealed record StorageClass(StorageClassId Id, string Name, string Description, StorageNeeds Needs, IoLimits Limits);

/// <summary>What a class needs of a pool; nothing where nothing is said, so that any pool fits.</summary>
/// <param name="Medium">Null for any.</param>
public sealed record StorageNeeds(StorageMedium? Medium = null, bool ThinProvisioning = false, bool Shared = false, bool Snapshots = false, bool OnlineResize = false)
{
    public static StorageNeeds Nothing { get; } = new();

    /// <summary>"solid state and snapshots"; "nothing in particular".</summary>
    public override string ToString()
    {
        string[] words =
        [
            .. Medium is { } medium ? [HostPool.Word(medium)] : Array.Empty<string>(),
            .. ThinProvisioning ? ["thin provisioning"] : Array.Empty<string>(),
            .. Shared ? ["disks shared between hosts"] : Array.Empty<string>(),
            .. Snapshots ? ["snapshots"] : Array.Empty<string>(),
            .. OnlineResize ? ["online resize"] : Array.Empty<string>(),
        ];
        return words.Length switch { 0 => "nothing in particular", 1 => words[0], _ => $"{string.Join(", ", words[..^1])} and {words[^1]}" };
    }
}

/// <summary>What one disk asks of the pool it is put in: the name of its class, for sentences, and the needs.</summary>
public sealed record StorageDemand(string Class, StorageNeeds Needs);

/// <summary>Matches classes to pools by what they can do; pure.</summary>
public static class StorageMatch
{
    /// <summary>Why the pool does not fit, as a part of a sentence; null where it does.</summary>
    /// <param name="pool">Null where the host has not said.</param>
    public static string? WhyNot(StorageDemand demand, HostPool? pool)
    {
        var (needs, name) = (demand.Needs, demand.Class);
        if (needs == StorageNeeds.Nothing) return null;
        if (pool is null) return $"the host has not said what its pool can do; class {name} needs {needs}";
        var lacks = new List<string>();
        if (needs.Medium is { } medium && pool.Medium != medium) lacks.Add($"on {HostPool.Word(pool.Medium)}");
        if (needs.ThinProvisioning && !pool.ThinProvisioning) lacks.Add("not thinly provisioned");
        if (needs.Shared && !pool.Shared) lacks.Add("not shared between hosts");
        if (needs.Snapshots && !pool.Snapshots) lacks.Add("without snapshots");
        if (needs.OnlineResize && !pool.OnlineResize) lacks.Add("without online resize");
        return lacks.Count == 0 ? null : $"pool {pool.Name} is {HostPool.Word(pool.Kind)}: {string.Join(", ", lacks)}; class {name} needs {needs}";
    }
}
