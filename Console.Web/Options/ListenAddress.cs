using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Plinth.Web.Options;

/// <summary>"ADDR:PORT": an IP address or a host name to bind and to stand in the certificate, and a port (0: any free one).</summary>
public sealed record ListenAddress(string Host, int Port)
{
    /// <summary>The address to bind. A name other than localhost binds every address: which one it resolves to is the network's business.</summary>
    public IPAddress Bind =>
        IPAddress.TryParse(Host, out var ip) ? ip : Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback : IPAddress.IPv6Any;

    public bool IsAny => IPAddress.TryParse(Host, out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));

    /// <summary>Host as it stands in a URL: IPv6 in brackets, the machine's name where every address is bound.</summary>
    public string UrlHost => IsAny ? Dns.GetHostName() : IPAddress.TryParse(Host, out var ip) && ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{ip}]" : Host;

    public override string ToString() => $"{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}";

    public static bool TryParse(string? text, [NotNullWhen(true)] out ListenAddress? address)
    {
        address = null;
        if (string.IsNullOrWhiteSpace(text)) return false;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text.AsSpan(colon + 1), out var port) || port is < 0 or > 65535) return false;
        var host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':')) return false;
        if (!IPAddress.TryParse(host, out _) && Uri.CheckHostName(host) != UriHostNameType.Dns) return false;
        address = new ListenAddress(host, port);
        return true;
    }
}
