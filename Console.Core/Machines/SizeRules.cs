using Plinth.Core.Primitives;

namespace Plinth.Core.Machines;

/// <summary>Bounds of what one VM may ask for. Not capacity: placement says what fits.</summary>
public static class SizeRules
{
    public const int MaxVcpus = 256, MinMemoryMib = 64, MaxMemoryMib = 4 * 1024 * 1024, MaxDiskGib = 64 * 1024;

    /// <summary>The size, or null where a part is missing or out of bounds; each such part is named.</summary>
    public static Resources? Check(RefusalList refusals, long? vcpus, long? memoryMib, long? diskGib)
    {
        var ok = Within(refusals, "vcpus", "vCPUs", vcpus, 1, MaxVcpus)
            & Within(refusals, "memoryMib", "MiB of memory", memoryMib, MinMemoryMib, MaxMemoryMib)
            & Within(refusals, "diskGib", "GiB of disk", diskGib, 1, MaxDiskGib);
        return ok ? new Resources((int)vcpus!.Value, (int)memoryMib!.Value, (int)diskGib!.Value) : null;
    }

    public static bool Within(RefusalList refusals, string field, string unit, long? value, long least, long most)
    {
        if (value is null)
        {
            refusals.Invalid(field, "required", $"{field} is needed: {least} to {most} {unit}.");
            return false;
        }
        if (value >= least && value <= most) return true;
        refusals.Invalid(field, "out_of_range", $"{value} {unit} is out of range: {least} to {most} are allowed.");
        return false;
    }

    /// <summary>What the image needs at least.</summary>
    public static void CheckAgainst(RefusalList refusals, Image image, Resources size, string diskField, string memoryField)
    {
        if (size.DiskGib < image.MinDiskGib)
            refusals.Invalid(diskField, "disk_too_small", $"The image {image.Name} needs a disk of at least {image.MinDiskGib} GiB; {size.DiskGib} GiB were asked for. Choose {image.MinDiskGib} GiB or more.");
        if (size.MemoryMib < image.MinMemoryMib)
            refusals.Invalid(memoryField, "memory_too_small", $"The image {image.Name} needs at least {image.MinMemoryMib} MiB of memory; {size.MemoryMib} MiB were asked for. Choose {image.MinMemoryMib} MiB or more.");
    }
}
