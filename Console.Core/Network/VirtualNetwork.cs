using Plinth.Core.Primitives;

namespace Plinth.Core.Network;

/// <summary>How a network joins its guests and reaches the world.</summary>
public enum NetworkKind
{
    /// <summary>A bridge of the host with DHCP and source NAT; the same addresses on every host, none reachable from another host.</summary>
    HostNat,
    /// <summary>One segment over all hosts that have a VM on it, carried by VXLAN; a router of its own on each of them, with DHCP, names and source NAT.</summary>
    Vxlan,
}

/// <summary>A network that VMs attach to; realised by the agent on every host that needs it.</summary>
/// <param name="Cidr">IPv4 range in CIDR form; the first address is the gateway.</param>
/// <param name="Vni">The VXLAN id, unique on this console; 0 for a network without a segment.</param>
/// <param name="Rules">What may come in from outside the network, for every guest on it.</param>
public sealed record VirtualNetwork(
    NetworkId Id, ProjectId Project, string Name, string Description, NetworkKind Kind, string Cidr, int Vni = 0, IReadOnlyList<PortRule>? Rules = null)
{
    /// <summary>What fits into an Ethernet frame of 1,500 bytes beside VXLAN's own 50.</summary>
    public const int OverlayMtu = 1450;
}
