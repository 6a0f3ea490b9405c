using System.Net;
using System.Xml.Linq;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Network;

/// <summary>A libvirt network: a bridge with source NAT, DHCP and DNS for its range.</summary>
internal static class NetworkXml
{
    /// <summary>Apart from names that others use: Debian's libvirt comes with a network "default" of its own.</summary>
    public static string NameOf(NetworkConfig network) => "plinth-" + network.Name;

    public static string Generate(NetworkConfig network)
    {
        var range = IPNetwork.Parse(network.Cidr);
        return new XElement("network",
            new XElement("name", NameOf(network)),
            new XElement("uuid", network.Id.Value),
            new XElement("forward", new XAttribute("mode", "nat")),
            new XElement("bridge", new XAttribute("name", network.Bridge), new XAttribute("stp", "on"), new XAttribute("delay", 0)),
            new XElement("ip",
                new XAttribute("address", Gateway(range)),
                new XAttribute("prefix", range.PrefixLength),
                new XElement("dhcp", new XElement("range", new XAttribute("start", At(range, 2)), new XAttribute("end", At(range, Size(range) - 2)))))).ToString();
    }

    /// <summary>Whether a network as libvirt has it is the one that is wanted, in what guests notice.</summary>
    public static bool Realises(string present, NetworkConfig network)
    {
        var range = IPNetwork.Parse(network.Cidr);
        var xml = XElement.Parse(present);
        var ip = xml.Element("ip");
        return xml.Element("bridge")?.Attribute("name")?.Value == network.Bridge
            && xml.Element("forward")?.Attribute("mode")?.Value == "nat"
            && ip?.Attribute("address")?.Value == Gateway(range).ToString()
            && (ip.Attribute("prefix")?.Value == range.PrefixLength.ToString() || ip.Attribute("netmask")?.Value == Mask(range).ToString());
    }

    private static uint Size(IPNetwork range) => 1u << (32 - range.PrefixLength);
    private static IPAddress Gateway(IPNetwork range) => At(range, 1);
    private static IPAddress Mask(IPNetwork range) => FromNumber(~(Size(range) - 1));
    private static IPAddress At(IPNetwork range, uint offset) => FromNumber(Number(range.BaseAddress) + offset);
    private static uint Number(IPAddress address) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private static IPAddress FromNumber(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}
