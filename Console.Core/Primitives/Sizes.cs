using System.Globalization;

namespace Plinth.Core.Primitives;

/// <summary>Sizes as people read them, the same in sentences and on pages: three digits at most, in the largest unit that fits.</summary>
public static class Sizes
{
    /// <summary>512 → "512 MiB", 1536 → "1.5 GiB", 2000000 → "1.9 TiB".</summary>
    public static string Mib(long mib) => mib switch
    {
        < 1024 => $"{Count(mib)} MiB",
        < 1024 * 1024 => $"{Short(mib / 1024d)} GiB",
        _ => $"{Short(mib / 1024d / 1024d)} TiB",
    };

    public static string Gib(long gib) => gib < 1024 ? $"{Count(gib)} GiB" : $"{Short(gib / 1024d)} TiB";

    public static string Bytes(long bytes) => bytes switch
    {
        < 1024 => $"{Count(bytes)} B",
        < 1024 * 1024 => $"{Short(bytes / 1024d)} KiB",
        _ => Mib(bytes / 1024 / 1024),
    };

    /// <summary>Two sizes to be compared: exact where they would read the same.</summary>
    public static (string Needs, string Has) MibApart(long needs, long has) => Apart(needs, has, Mib, "MiB");

    /// <inheritdoc cref="MibApart"/>
    public static (string Needs, string Has) GibApart(long needs, long has) => Apart(needs, has, Gib, "GiB");

    private static (string, string) Apart(long needs, long has, Func<long, string> text, string unit) =>
        needs != has && text(needs) == text(has) ? ($"{Count(needs)} {unit}", $"{Count(has)} {unit}") : (text(needs), text(has));

    private static string Count(long n) => n.ToString("N0", CultureInfo.InvariantCulture);

    private static string Short(double value) => value.ToString(value < 10 ? "0.#" : "0", CultureInfo.InvariantCulture);
}
