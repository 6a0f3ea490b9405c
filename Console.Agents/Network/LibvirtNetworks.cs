using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Network;

/// <summary>The networks of a host, kept by libvirt (which runs dnsmasq and the NAT rules for them). Known by their UUID, the network's id.</summary>
internal sealed class LibvirtNetworks(LibvirtConnection libvirt)
{
    public async Task<ObservedFacility> Ensure(NetworkConfig network, CancellationToken stop)
    {
        DomainRules.Check(network);
        await libvirt.Call(connection => Realise(connection, network), e => Refused(network, e), stop);
        return new ObservedFacility("network", network.Name, true, $"Bridge {network.Bridge} with NAT and DHCP for {network.Cidr}.");
    }

    private static void Realise(ConnectHandle connection, NetworkConfig network)
    {
        using var known = Lookup(connection, network);
        using var defined = known ?? Define(connection, network);
        if (Native.virNetworkIsActive(defined) == 1)
        {
            var present = Native.Take(Native.virNetworkGetXMLDesc(defined, 0)) ?? throw LibvirtException.Last("reading the network");
            // Guests hang on it: changing it under them would cut them off.
            if (!NetworkXml.Realises(present, network))
                throw new HypervisorException("network_differs", $"The network '{network.Name}' is active with another bridge or range than {network.Bridge}, {network.Cidr}. Stop the VMs on it and run: virsh net-destroy {NetworkXml.NameOf(network)}.");
        }
        else
        {
            if (known is not null) Define(connection, network).Dispose();
            if (Native.virNetworkCreate(defined) < 0) throw LibvirtException.Last("starting the network");
        }
        if (Native.virNetworkSetAutostart(defined, 1) < 0) throw LibvirtException.Last("letting the network start with the host");
    }

    private static unsafe NetworkHandle? Lookup(ConnectHandle connection, NetworkConfig network)
    {
        Span<byte> uuid = stackalloc byte[16];
        network.Id.Value.TryWriteBytes(uuid, bigEndian: true, out _);
        fixed (byte* bytes = uuid)
        {
            var handle = Native.virNetworkLookupByUUID(connection, bytes);
            if (!handle.IsInvalid) return handle;
            var error = LibvirtException.Last("looking for the network");
            return error.Error == LibvirtError.NoNetwork ? null : throw error;
        }
    }

    private static NetworkHandle Define(ConnectHandle connection, NetworkConfig network)
    {
        var handle = Native.virNetworkDefineXML(connection, NetworkXml.Generate(network));
        return handle.IsInvalid ? throw LibvirtException.Last("defining the network") : handle;
    }

    private static HypervisorException Refused(NetworkConfig network, LibvirtException e) =>
        new("network_failed", $"The network '{network.Name}' ({network.Cidr} on {network.Bridge}) could not be made: {e.Said}. Check that nothing else on this host uses the range or the bridge, and that dnsmasq is installed.", cause: e);
}
