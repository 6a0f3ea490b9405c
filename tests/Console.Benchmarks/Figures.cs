using System.Globalization;

namespace Plinth.Benchmarks;

/// <summary>Prints figures beside their limits. Nothing here judges: machines differ and are shared.</summary>
public static class Figures
{
    public static void Head(string title) => Console.WriteLine($"\n{title}\n{"figure",-58} {"measured",14} {"limit",12}");

    public static void Row(string figure, double measured, string unit, double? limit = null) =>
        Console.WriteLine($"{figure,-58} {Number(measured) + " " + unit,14} {(limit is { } l ? Number(l) + " " + unit : ""),12}");

    public static double Percentile(IReadOnlyList<double> values, double p)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Clamp((int)Math.Ceiling(p * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    private static string Number(double value) => value.ToString(value >= 100 ? "0" : "0.##", CultureInfo.InvariantCulture);
}
