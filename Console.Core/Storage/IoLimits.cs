using System.Globalization;
using Plinth.Core.Primitives;

namespace Plinth.Core.Storage;

/// <summary>How much one disk may do in a second. What is null is not limited.</summary>
/// <param name="BurstPercent">How far each limit may be exceeded for a while, of the limit itself: 200 is twice as much. Null for no burst; always together with the next.</param>
/// <param name="BurstSeconds">How long a burst may last.</param>
public sealed record IoLimits(
    long? ReadIops = null, long? WriteIops = null, long? ReadBytesPerSecond = null, long? WriteBytesPerSecond = null, int? BurstPercent = null, int? BurstSeconds = null)
{
    public static IoLimits None { get; } = new();

    /// <summary>The rate that a burst may reach; 0 where there is no burst or no limit.</summary>
    public long Burst(long? limit) => limit is { } rate && BurstPercent is { } percent ? rate * percent / 100 : 0;

    /// <summary>"500 reads/s, 20 MiB/s written, up to 200 % for 10 s"; "not limited".</summary>
    public override string ToString()
    {
        string[] parts =
        [
            .. ReadIops is { } reads ? [$"{Count(reads)} reads/s"] : Array.Empty<string>(),
            .. WriteIops is { } writes ? [$"{Count(writes)} writes/s"] : Array.Empty<string>(),
            .. ReadBytesPerSecond is { } read ? [$"{Sizes.Bytes(read)}/s read"] : Array.Empty<string>(),
            .. WriteBytesPerSecond is { } written ? [$"{Sizes.Bytes(written)}/s written"] : Array.Empty<string>(),
        ];
        return parts.Length == 0 ? "not limited" : string.Join(", ", parts) + (BurstPercent is { } percent ? $", up to {percent} % for {BurstSeconds} s" : "");
    }

    private static string Count(long n) => n.ToString("N0", CultureInfo.InvariantCulture);
}

/// <summary>Bounds of what a class may say.</summary>
public static class IoLimitRules
{
    // A guest whose disk does less than this looks hung, not slow.
    public const long LeastIops = 10, MostIops = 10_000_000, LeastBytes = 64 * 1024, MostBytes = 1L << 40;
    public const int LeastBurstPercent = 101, MostBurstPercent = 1000, MostBurstSeconds = 600;

    /// <summary>Everything that is wrong, each at its field under <paramref name="path"/>.</summary>
    public static IReadOnlyList<Refusal> Check(string path, IoLimits limits)
    {
        var refusals = new List<Refusal>();
        Rate("readIops", "reads/s", limits.ReadIops, LeastIops, MostIops);
        Rate("writeIops", "writes/s", limits.WriteIops, LeastIops, MostIops);
        Rate("readBytesPerSecond", "bytes/s", limits.ReadBytesPerSecond, LeastBytes, MostBytes);
        Rate("writeBytesPerSecond", "bytes/s", limits.WriteBytesPerSecond, LeastBytes, MostBytes);
        Rate("burstPercent", "% of the limits", limits.BurstPercent, LeastBurstPercent, MostBurstPercent);
        Rate("burstSeconds", "seconds", limits.BurstSeconds, 1, MostBurstSeconds);
        if (limits.BurstPercent is null != limits.BurstSeconds is null)
            Say(limits.BurstPercent is null ? "burstPercent" : "burstSeconds", "required", "A burst is both: how far the limits may be exceeded (burstPercent) and for how long (burstSeconds). Give both or neither.");
        else if (limits.BurstPercent is not null && limits is { ReadIops: null, WriteIops: null, ReadBytesPerSecond: null, WriteBytesPerSecond: null })
            Say("burstPercent", "no_limit", "A burst exceeds a limit, and there is none: give a limit as well, or leave the burst out.");
        return refusals;

        void Rate(string field, string unit, long? value, long least, long most)
        {
            if (value is { } number && (number < least || number > most)) Say(field, "out_of_range", $"{number} {unit} is out of range: {least} to {most} are allowed.");
        }

        void Say(string field, string code, string message) => refusals.Add(Refusal.Invalid($"{path}.{field}", code, message));
    }
}
