using System.Globalization;
using Plinth.Core.Inventory;
using Plinth.Core.Storage;

namespace Plinth.Web.Pages.Storage;

/// <summary>The limits of a class as people type them: MiB/s where the API takes bytes.</summary>
public sealed class LimitsForm
{
    public string ReadIops { get; set; } = "";
    public string WriteIops { get; set; } = "";
    public string ReadMib { get; set; } = "";
    public string WriteMib { get; set; } = "";
    public string BurstPercent { get; set; } = "";
    public string BurstSeconds { get; set; } = "";

    /// <summary>Field of the API → what of the form stands for it.</summary>
    public static IReadOnlyList<string> Fields { get; } = ["readIops", "writeIops", "readBytesPerSecond", "writeBytesPerSecond", "burstPercent", "burstSeconds"];

    public static LimitsForm Of(IoLimits limits) => new()
    {
        ReadIops = Text(limits.ReadIops), WriteIops = Text(limits.WriteIops), ReadMib = Mib(limits.ReadBytesPerSecond), WriteMib = Mib(limits.WriteBytesPerSecond),
        BurstPercent = Text(limits.BurstPercent), BurstSeconds = Text(limits.BurstSeconds),
    };

    public IoLimits Limits => new(Number(ReadIops), Number(WriteIops), Bytes(ReadMib), Bytes(WriteMib), (int?)Number(BurstPercent), (int?)Number(BurstSeconds));

    private static string Text(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Mib(long? bytes) => bytes is { } b ? (b / 1048576d).ToString("0.####", CultureInfo.InvariantCulture) : "";

    // What is no number is out of every range, so that the use case names the field.
    private static long? Number(string text) => text.Trim() is not { Length: > 0 } typed ? null : int.TryParse(typed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : -1;

    private static long? Bytes(string text) => text.Trim() is not { Length: > 0 } typed ? null
        : double.TryParse(typed, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var mib) && Math.Abs(mib) < 1e9 ? (long)(mib * 1048576) : -1;
}

/// <summary>What a class needs, as boxes to tick.</summary>
public sealed class NeedsForm
{
    /// <summary>"rotating", "solidState" or empty for any.</summary>
    public string Medium { get; set; } = "";
    public bool ThinProvisioning { get; set; }
    public bool Shared { get; set; }
    public bool Snapshots { get; set; }
    public bool OnlineResize { get; set; }

    public StorageNeeds Needs => new(Medium switch { "rotating" => StorageMedium.Rotating, "solidState" => StorageMedium.SolidState, _ => null }, ThinProvisioning, Shared, Snapshots, OnlineResize);
}
