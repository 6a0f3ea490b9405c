namespace Plinth.Core.Primitives;

/// <summary>What a VM takes from a host, or a host has: vCPUs, memory in MiB, disk in GiB.</summary>
public readonly record struct Resources(int Vcpus, int MemoryMib, int DiskGib)
{
    public static Resources Zero => default;
    public static Resources operator +(Resources a, Resources b) => new(a.Vcpus + b.Vcpus, a.MemoryMib + b.MemoryMib, a.DiskGib + b.DiskGib);
    public static Resources operator -(Resources a, Resources b) => new(a.Vcpus - b.Vcpus, a.MemoryMib - b.MemoryMib, a.DiskGib - b.DiskGib);

    /// <summary>The larger of each of the three.</summary>
    public Resources OrMore(Resources other) => new(Math.Max(Vcpus, other.Vcpus), Math.Max(MemoryMib, other.MemoryMib), Math.Max(DiskGib, other.DiskGib));

    /// <summary>True where each of the three fits.</summary>
    public bool FitsIn(Resources free) => Vcpus <= free.Vcpus && MemoryMib <= free.MemoryMib && DiskGib <= free.DiskGib;
}
