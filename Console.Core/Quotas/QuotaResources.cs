namespace Plinth.Core.Quotas;

/// <summary>What quotas count. The names are stable: limits are stored and asked for by them.</summary>
public static class QuotaResources
{
    public const string Vms = "vms", Vcpus = "vcpus", MemoryMib = "memoryMib", DiskGib = "diskGib", Networks = "networks", Addresses = "addresses";

    /// <summary>The highest limit that can be set.</summary>
    public const long Most = 1_000_000_000;

    private const string DiskOfClass = DiskGib + ":";

    /// <summary>Those that every project has a use of, in the order in which they are shown.</summary>
    public static IReadOnlyList<string> All { get; } = [Vms, Vcpus, MemoryMib, DiskGib, Networks, Addresses];

    /// <summary>Disk of one storage class; it counts for <see cref="DiskGib"/> too.</summary>
    public static string DiskOf(string storageClass) => DiskOfClass + storageClass;

    /// <summary>The storage class, where the resource is the disk of one.</summary>
    public static string? StorageClassOf(string resource) => resource.StartsWith(DiskOfClass, StringComparison.Ordinal) ? resource[DiskOfClass.Length..] : null;

    /// <summary>"Memory", "Disk of class fast".</summary>
    public static string Title(string resource) => resource switch
    {
        Vms => "Virtual machines",
        Vcpus => "vCPU",
        MemoryMib => "Memory",
        DiskGib => "Disk",
        Networks => "Networks",
        Addresses => "Addresses",
        _ => $"Disk of class {StorageClassOf(resource)}",
    };

    /// <summary>"4 vCPU", "8 GiB of memory": as sentences say it.</summary>
    public static string Amount(string resource, long amount) => resource switch
    {
        Vms => amount == 1 ? "1 VM" : $"{amount} VMs",
        Vcpus => $"{amount} vCPU",
        MemoryMib => $"{Quantity(resource, amount)} of memory",
        DiskGib => $"{amount} GiB of disk",
        Networks => amount == 1 ? "1 network" : $"{amount} networks",
        Addresses => amount == 1 ? "1 address" : $"{amount} addresses",
        _ => $"{amount} GiB of disk of class {StorageClassOf(resource)}",
    };

    /// <summary>"4", "8 GiB": where the title stands beside it.</summary>
    public static string Quantity(string resource, long amount) => Unit(resource) switch
    {
        "MiB" when amount > 0 && amount % 1024 == 0 => $"{amount / 1024} GiB",
        { } unit => $"{amount} {unit}",
        null => $"{amount}",
    };

    /// <summary>What a limit of it is given in: MiB, GiB, or null where things are counted.</summary>
    public static string? Unit(string resource) => resource == MemoryMib ? "MiB" : resource == DiskGib || StorageClassOf(resource) is not null ? "GiB" : null;
}
