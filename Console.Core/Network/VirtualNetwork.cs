using Plinth.Core.Primitives;

namespace Plinth.Core.Network;

/// <summary>How a network reaches the world.</summary>
public enum NetworkKind
{
    /// <summary>A bridge of the host with DHCP and source NAT; the same addresses on every host, none reachable from another host.</summary>
    HostNat,
}

/// <summary>A network that VMs attach to; realised by the agent on every host that needs it.</summary>
/// <param name="Cidr">IPv4 range in CIDR form; the first address is the gateway.</param>
public sealed record VirtualNetwork(NetworkId Id, ProjectId Project, string Name, string Description, NetworkKind Kind, string Cidr);
