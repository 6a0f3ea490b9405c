using System.Buffers.Binary;
using System.Globalization;

namespace Plinth.Core.Audit;

/// <summary>
/// A tile of the log in the layout of C2SP tlog-tiles: up to 256 hashes that stand side by side in the tree, at a level that is a multiple of eight.
/// Full tiles never change; the last of a level is partial and has its width in its path.
/// </summary>
/// <param name="Level">0 is that of the leaves; each next one is eight levels of the tree higher.</param>
/// <param name="Count">Hashes in it, 1 to 256.</param>
public readonly record struct TileAddress(int Level, long Index, int Count)
{
    public const int Width = 256;
    private const int Height = 8, MaxLevel = 7;

    /// <summary>The subtrees whose hashes it holds.</summary>
    public IReadOnlyList<NodeAddress> Nodes
    {
        get
        {
            var (level, first) = (Level * Height, Index * Width);
            return [.. Enumerable.Range(0, Count).Select(i => new NodeAddress(level, first + i))];
        }
    }

    /// <summary>A log of this many leaves has all of its hashes.</summary>
    public bool IsWithin(long leaves) => (Index * Width) + Count <= leaves >> (Level * Height);

    /// <summary>Reads what stands after "tile/L/" or "tile/entries/": "x001/x234/067", with ".p/W" where it is partial. Null for another form.</summary>
    public static TileAddress? Parse(int level, string path)
    {
        var (name, count) = (path, Width);
        if (path.IndexOf(".p/", StringComparison.Ordinal) is var at and >= 0)
        {
            name = path[..at];
            if (!int.TryParse(path[(at + 3)..], NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or >= Width || path[(at + 3)..] != count.ToString(CultureInfo.InvariantCulture)) return null;
        }
        var parts = name.Split('/');
        // Five groups of three digits are more tiles than there will ever be.
        if (level is < 0 or > MaxLevel || parts.Length > 5) return null;
        var index = 0L;
        for (var i = 0; i < parts.Length; i++)
        {
            var last = i == parts.Length - 1;
            var digits = last ? parts[i] : parts[i].StartsWith('x') ? parts[i][1..] : "";
            if (digits.Length != 3 || !digits.All(char.IsAsciiDigit)) return null;
            index = (index * 1000) + int.Parse(digits, CultureInfo.InvariantCulture);
        }
        // One name for each tile.
        return parts.Length > 1 && index < Math.Pow(1000, parts.Length - 1) ? null : new TileAddress(level, index, count);
    }

    /// <summary>Entries side by side, each after its length in two bytes, big-endian.</summary>
    /// <exception cref="ArgumentException">One is longer than such a length says.</exception>
    public static byte[] Bundle(IEnumerable<byte[]> entries)
    {
        var bundle = new MemoryStream();
        Span<byte> length = stackalloc byte[2];
        foreach (var entry in entries)
        {
            if (entry.Length > ushort.MaxValue) throw new ArgumentException($"an entry of {entry.Length} bytes is longer than a bundle takes", nameof(entries));
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)entry.Length);
            bundle.Write(length);
            bundle.Write(entry);
        }
        return bundle.ToArray();
    }
}
