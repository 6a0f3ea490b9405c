using System.Globalization;
using Plinth.Web.Components.Data;

namespace Plinth.Web.Components.Charts;

public enum ChartUnit { Percent, Mib, BytesPerSecond, Number }

/// <summary>One line of a chart: the series' name in the use case, and the word beside its value.</summary>
public sealed record ChartLine(string Series, string Word);

/// <summary>What one chart shows.</summary>
public sealed record ChartPlan(string Title, ChartUnit Unit, IReadOnlyList<ChartLine> Lines)
{
    public string Format(double value) => Unit switch
    {
        ChartUnit.Percent => Quantity.Percent(value),
        ChartUnit.Mib => Quantity.Mib((long)value),
        ChartUnit.BytesPerSecond => Quantity.Bytes((long)value) + "/s",
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
