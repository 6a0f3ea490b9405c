using System.Security.Cryptography;
using Plinth.Core.Primitives;

namespace Plinth.Core.Network;

/// <summary>What the parts of a network are called on a host: the same on every host, within Linux's 15 characters.</summary>
public static class NetworkNames
{
    public const string GuestPrefix = "pt", UplinkPrefix = "pu", SegmentPrefix = "pv", RouterPrefix = "pg";

    public static string Bridge(NetworkId network) => "plinth" + Hash(network);
    public static string Segment(NetworkId network) => SegmentPrefix + Hash(network);
    /// <summary>The bridge's port to the router.</summary>
    public static string RouterPort(NetworkId network) => RouterPrefix + Hash(network);
    /// <summary>The host's end of the router's uplink.</summary>
    public static string Uplink(NetworkId network) => UplinkPrefix + Hash(network);
    /// <summary>The router's network namespace.</summary>
    public static string Router(NetworkId network) => "plinth-" + Hash(network);

    /// <summary>A guest's interface on the host, known by its MAC address.</summary>
    public static string Guest(string mac) => GuestPrefix + mac.Replace(":", "");

    /// <summary>The gateway has one MAC address on every host: a guest that moves finds it again.</summary>
    public static string GatewayMac(NetworkId network) => "52:54:01:" + string.Join(':', Hash(network)[..6].Chunk(2).Select(c => new string(c)));

    /// <summary>Where a router's uplink ends on its host: out of 100.64.0.0/10 (RFC 6598), unique by the VXLAN id.</summary>
    public static string UplinkAddress(int vni) => $"100.{64 + (vni >> 16 & 63)}.{vni >> 8 & 255}.{vni & 255}";

    /// <summary>The host's own address on every uplink.</summary>
    public const string UplinkGateway = "100.127.255.254";

    public const string UplinkRange = "100.64.0.0/10";

    /// <summary>The ids that fit into <see cref="UplinkAddress"/>.</summary>
    public const int FirstVni = 4096, LastVni = 0x3ffeff;

    private static string Hash(NetworkId network) => Convert.ToHexStringLower(SHA256.HashData(network.Value.ToByteArray()))[..8];
}
