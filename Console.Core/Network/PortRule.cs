using System.Globalization;
using System.Net;
using System.Text.Json.Serialization;

namespace Plinth.Core.Network;

/// <summary>One kind of inbound traffic that is let in; answers to it follow by themselves.</summary>
/// <param name="Protocol">"tcp", "udp" or "icmp".</param>
/// <param name="Ports">"443" or "8000-8010"; empty for every port, and for ICMP.</param>
/// <param name="Source">IPv4 range in CIDR form; "0.0.0.0/0" for everybody.</param>
public sealed record PortRule(string Protocol, string Ports, string Source)
{
    public const string Everybody = "0.0.0.0/0";

    public override string ToString() => $"{Protocol}{(Ports.Length > 0 ? " " + Ports : "")} from {(Source == Everybody ? "everybody" : Source)}";

    /// <summary>First and last port; null for every port.</summary>
    [JsonIgnore]
    public (int From, int To)? PortRange => ParsePorts(Ports);

    public static (int From, int To)? ParsePorts(string text)
    {
        var parts = text.Split('-');
        if (parts.Length > 2 || !Port(parts[0], out var from) || !Port(parts[^1], out var to) || from > to) return null;
        return (from, to);
    }

    private static bool Port(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 1 and <= 65535;

    /// <summary>An IPv4 range in its canonical form, without host bits.</summary>
    public static bool IsRange(string text) =>
        IPNetwork.TryParse(text, out var range) && range.BaseAddress.GetAddressBytes().Length == 4 && range.ToString() == text;
}
