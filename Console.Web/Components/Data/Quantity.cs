using System.Globalization;
using Plinth.Core.Primitives;

namespace Plinth.Web.Components.Data;

/// <summary>Numbers with their units, the same everywhere.</summary>
public static class Quantity
{
    public static string Count(long n) => n.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 host", "3 hosts".</summary>
    public static string Count(long n, string one, string? many = null) => $"{Count(n)} {(n == 1 ? one : many ?? one + "s")}";

    /// <summary>512 → "512 MiB", 1536 → "1.5 GiB".</summary>
    public static string Mib(long mib) => Sizes.Mib(mib);

    public static string Gib(long gib) => Sizes.Gib(gib);

    public static string Bytes(long bytes) => Sizes.Bytes(bytes);

    public static string Percent(double percent) => $"{percent.ToString(percent is > 0 and < 10 ? "0.0" : "0", CultureInfo.InvariantCulture)} %";

    /// <summary>0.04 → "40 ms", 3.25 → "3.3 s", 75 → "1 min 15 s".</summary>
    public static string Seconds(double seconds) => seconds switch
    {
        < 1 => $"{Math.Round(seconds * 1000).ToString("0", CultureInfo.InvariantCulture)} ms",
        < 60 => $"{seconds.ToString("0.0", CultureInfo.InvariantCulture)} s",
        < 3600 => $"{(int)seconds / 60} min {(int)seconds % 60} s",
        _ => $"{(int)seconds / 3600} h {(int)seconds % 3600 / 60} min",
    };

    public static string Size(Resources size) => $"{Count(size.Vcpus, "vCPU")} · {Mib(size.MemoryMib)} · {Gib(size.DiskGib)}";
}
