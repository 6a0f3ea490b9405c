namespace Plinth.Agents.Simulation;

/// <summary>What a simulated guest's screen shows: that it is simulated, its name, and that nothing runs.</summary>
internal sealed class SimulatedPicture(string name)
{
    public const int Width = 640, Height = 400;
    private const uint Ground = 0x16181d, Ink = 0xe4e2dc, Quiet = 0x8d9097;
    private const int GlyphWidth = 5, GlyphHeight = 7;

    private readonly (string Text, int Top, int Scale, uint Colour)[] _lines =
    [
        ("SIMULATED", 120, 6, Ink),
        (Shortened(name).ToUpperInvariant(), 196, 3, Ink),
        ("NO GUEST IS EXECUTED ON THIS HOST", 250, 2, Quiet),
    ];

    /// <summary>0xRRGGBB, line by line.</summary>
    public uint[] Pixels()
    {
        var pixels = new uint[Width * Height];
        Array.Fill(pixels, Ground);
        foreach (var (text, top, scale, colour) in _lines)
        {
            var left = (Width - text.Length * (GlyphWidth + 1) * scale) / 2;
            for (var i = 0; i < text.Length; i++) Draw(pixels, text[i], left + i * (GlyphWidth + 1) * scale, top, scale, colour);
        }
        return pixels;
    }

    // 30 letters of the name fit at its scale.
    private static string Shortened(string name) => name.Length <= 30 ? name : name[..27] + "...";

    private static void Draw(uint[] pixels, char letter, int left, int top, int scale, uint colour)
    {
        if (!Glyphs.TryGetValue(letter, out var rows)) return;
        for (var y = 0; y < GlyphHeight * scale; y++)
            for (var x = 0; x < GlyphWidth * scale; x++)
                if ((rows[y / scale] >> (GlyphWidth - 1 - x / scale) & 1) != 0) pixels[(top + y) * Width + left + x] = colour;
    }

    /// <summary>Seven rows of five bits, the left pixel first.</summary>
    private static readonly Dictionary<char, byte[]> Glyphs = new()
    {
        ['A'] = [14, 17, 17, 31, 17, 17, 17], ['B'] = [30, 17, 17, 30, 17, 17, 30], ['C'] = [14, 17, 16, 16, 16, 17, 14], ['D'] = [30, 17, 17, 17, 17, 17, 30],
        ['E'] = [31, 16, 16, 30, 16, 16, 31], ['F'] = [31, 16, 16, 30, 16, 16, 16], ['G'] = [14, 17, 16, 23, 17, 17, 15], ['H'] = [17, 17, 17, 31, 17, 17, 17],
        ['I'] = [14, 4, 4, 4, 4, 4, 14], ['J'] = [7, 2, 2, 2, 2, 18, 12], ['K'] = [17, 18, 20, 24, 20, 18, 17], ['L'] = [16, 16, 16, 16, 16, 16, 31],
        ['M'] = [17, 27, 21, 21, 17, 17, 17], ['N'] = [17, 25, 21, 19, 17, 17, 17], ['O'] = [14, 17, 17, 17, 17, 17, 14], ['P'] = [30, 17, 17, 30, 16, 16, 16],
        ['Q'] = [14, 17, 17, 17, 21, 18, 13], ['R'] = [30, 17, 17, 30, 20, 18, 17], ['S'] = [15, 16, 16, 14, 1, 1, 30], ['T'] = [31, 4, 4, 4, 4, 4, 4],
        ['U'] = [17, 17, 17, 17, 17, 17, 14], ['V'] = [17, 17, 17, 17, 17, 10, 4], ['W'] = [17, 17, 17, 21, 21, 27, 17], ['X'] = [17, 17, 10, 4, 10, 17, 17],
        ['Y'] = [17, 17, 10, 4, 4, 4, 4], ['Z'] = [31, 1, 2, 4, 8, 16, 31],
        ['0'] = [14, 17, 19, 21, 25, 17, 14], ['1'] = [4, 12, 4, 4, 4, 4, 14], ['2'] = [14, 17, 1, 6, 8, 16, 31], ['3'] = [30, 1, 1, 14, 1, 1, 30], ['4'] = [2, 6, 10, 18, 31, 2, 2],
        ['5'] = [31, 16, 30, 1, 1, 17, 14], ['6'] = [14, 16, 16, 30, 17, 17, 14], ['7'] = [31, 1, 2, 4, 8, 8, 8], ['8'] = [14, 17, 17, 14, 17, 17, 14], ['9'] = [14, 17, 17, 15, 1, 1, 14],
        ['-'] = [0, 0, 0, 31, 0, 0, 0], ['.'] = [0, 0, 0, 0, 0, 12, 12],
    };
}
