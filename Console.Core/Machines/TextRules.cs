using System.Text;

namespace Plinth.Core.Machines;

/// <summary>What free text may hold: it ends up in XML, JSON, logs and terminals.</summary>
public static class TextRules
{
    /// <summary>No control characters, no lone surrogates, nothing that XML 1.0 cannot carry.</summary>
    public static bool IsPrintable(string value) => Every(value, allowLines: false);

    /// <summary>The same, but tab and line ends are allowed.</summary>
    public static bool IsText(string value) => Every(value, allowLines: true);

    private static bool Every(string value, bool allowLines)
    {
        for (var rest = value.AsSpan(); rest.Length > 0;)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var used) != System.Buffers.OperationStatus.Done) return false;
            if (Rune.IsControl(rune) && !(allowLines && rune.Value is ('\t' or '\n' or '\r'))) return false;
            if (rune.Value is 0xFFFE or 0xFFFF or 0x2028 or 0x2029) return false;
            // Bidirectional overrides make a text read differently from what it is.
            if (rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069)) return false;
            rest = rest[used..];
        }
        return true;
    }
}
