using System.Globalization;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

/// <summary>
/// Names of the files in a pool: <c>vm-VMID-SERIAL.qcow2</c>, <c>vm-VMID-seed.iso</c>, <c>volume-VOLUMEID.qcow2</c>, <c>image-HEX.FORMAT</c>;
/// of a VM that was rebuilt <c>vm-VMID-SERIAL.GENERATION.qcow2</c> and <c>vm-VMID-seed.GENERATION.iso</c>.
/// What is being made ends in <c>.part</c> until it is complete: a file with its final name is always whole.
/// </summary>
internal static class PoolFiles
{
    public const string Part = ".part";
    private const string VmPrefix = "vm-";
    private const string VolumePrefix = "volume-";
    private const int IdLength = 36;

    public static string DiskName(VmId vm, string serial, long generation = 0) => $"{VmPrefix}{vm}-{serial}{Suffix(generation)}.qcow2";
    public static string VolumeName(VolumeId volume) => $"{VolumePrefix}{volume}.qcow2";
    public static string SeedName(VmId vm, long generation = 0) => $"{VmPrefix}{vm}-seed{Suffix(generation)}.iso";
    public static string ImageName(ImageReference image) => $"image-{image.Digest["sha256:".Length..]}.{image.Format}";

    /// <summary>The VM that a file belongs to, whole or half made; null for images and strangers.</summary>
    public static VmId? Owner(string fileName) =>
        fileName.StartsWith(VmPrefix, StringComparison.Ordinal) && fileName.Length > VmPrefix.Length + IdLength && fileName[VmPrefix.Length + IdLength] == '-'
        && Guid.TryParseExact(fileName.AsSpan(VmPrefix.Length, IdLength), "D", out var id)
            ? new VmId(id)
            : null;

    /// <summary>The generation of a VM's disk or seed, whole or half made.</summary>
    public static long Generation(string fileName) =>
        fileName.Split('.') is [_, var generation, _, ..] && long.TryParse(generation, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    // A serial has no dot in it.
    private static string Suffix(long generation) => generation == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $".{generation}");

    /// <summary>The volume that a file is, whole or half made; null for everything else.</summary>
    public static VolumeId? Volume(string fileName) =>
        fileName.StartsWith(VolumePrefix, StringComparison.Ordinal) && fileName.Length > VolumePrefix.Length + IdLength
        && Guid.TryParseExact(fileName.AsSpan(VolumePrefix.Length, IdLength), "D", out var id)
            ? new VolumeId(id)
            : null;
}
