using Plinth.Agents.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Network;

/// <summary>
/// Networks that reach over hosts: a bridge and a VXLAN device with a way to each peer, and a router of its own (a network namespace) with
/// gateway, DHCP, names and NAT, so that two networks may use the same addresses on one host. Every look puts right what differs.
/// </summary>
internal sealed class Segments(HostShell shell, string root, TimeProvider time)
{
    private static readonly string Realise = HostShell.Read("segment.sh");
    private static readonly string PruneScript = HostShell.Read("segments-prune.sh");

    private readonly Dictionary<NetworkId, Known> _known = [];

    public async Task<ObservedFacility> Ensure(NetworkConfig network, CancellationToken stop)
    {
        DomainRules.Check(network);
        var (overlay, range) = (network.Overlay!, AddressRange.Parse(network.Cidr));
        var known = _known.GetValueOrDefault(network.Id);
        var local = await TunnelAddress(stop);
        if (local.Length == 0)
        {
            if (overlay.Peers.Count > 0) throw new HypervisorException("no_tunnel_address", $"The network '{network.Name}' has guests on {overlay.Peers.Count} other host(s), and this host has no IPv4 address to reach them from. Give it one.");
            local = "127.0.0.1";
        }
        var directory = Path.Combine(root, NetworkNames.Bridge(network.Id)["plinth".Length..]);
        var reload = WriteNames(directory, network, range);
        var said = await shell.Script($"The network '{network.Name}' could not be made", Realise, new Dictionary<string, string>
        {
            ["BRIDGE"] = network.Bridge, ["SEGMENT"] = NetworkNames.Segment(network.Id), ["VNI"] = overlay.Vni.ToString(), ["MTU"] = overlay.Mtu.ToString(),
            ["LOCAL"] = local, ["PEERS"] = string.Join(' ', overlay.Peers), ["ROUTER"] = NetworkNames.Router(network.Id), ["ROUTER_PORT"] = NetworkNames.RouterPort(network.Id),
            ["UPLINK"] = NetworkNames.Uplink(network.Id), ["GATEWAY"] = range.Gateway, ["PREFIX"] = range.Prefix.ToString(), ["GATEWAY_MAC"] = NetworkNames.GatewayMac(network.Id),
            ["UPLINK_ADDRESS"] = NetworkNames.UplinkAddress(overlay.Vni), ["UPLINK_GATEWAY"] = NetworkNames.UplinkGateway, ["DIR"] = directory, ["RELOAD"] = reload ? "1" : "",
        }, stop);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] Said(string word) => [.. lines.Where(l => l.StartsWith(word + " ", StringComparison.Ordinal)).Select(l => l[(word.Length + 1)..])];
        var (changed, unfit) = (Said("changed"), Said("unfit"));
        // What was made for a new configuration is no drift.
        if (changed.Length > 0 && known is not null && known.Configuration == network) known = known with { Drift = "Put right: " + string.Join(", ", changed) + ".", DriftAt = time.GetUtcNow() };
        _known[network.Id] = known = (known ?? new Known(network, "", null)) with { Configuration = network };
        var peers = overlay.Peers.Count == 0 ? "no other host" : string.Join(", ", overlay.Peers);
        return new ObservedFacility("network", network.Name, unfit.Length == 0,
            unfit.Length > 0 ? $"Differs from what is wanted: {string.Join("; ", unfit)}." : $"VXLAN {overlay.Vni} from {local} to {peers}; gateway {range.Gateway}/{range.Prefix} with DHCP, names and NAT.",
            known.Drift, known.DriftAt);
    }

    /// <summary>Takes down what is neither wanted nor used. A network with a guest's interface on it is left alone.</summary>
    public async Task Prune(IEnumerable<NetworkConfig> wanted, CancellationToken stop)
    {
        var hashes = wanted.Where(n => n.Overlay is not null).Select(n => n.Bridge["plinth".Length..]);
        await shell.Script("Unused networks could not be removed", PruneScript, new Dictionary<string, string> { ["WANTED"] = string.Join(' ', hashes), ["ROOT"] = root }, stop);
        foreach (var gone in _known.Keys.Except(wanted.Select(n => n.Id)).ToList()) _known.Remove(gone);
    }

    /// <summary>The address that this host has towards others: the one it leaves by, or else its first one.</summary>
    public async Task<string> TunnelAddress(CancellationToken stop) =>
        (await shell.Script("The tunnel address could not be read", """
            export PATH=$PATH:/usr/sbin:/sbin
            ip -o -4 route get 192.0.2.1 2> /dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p' | grep . ||
            ip -o -4 addr show scope global | awk '$2 !~ /^(virbr|plinth|docker|pu)/ { sub(/\/.*/, "", $4); print $4; exit }'
            """, new Dictionary<string, string>(), stop)).Trim();

    /// <summary>DHCP and names of the guests; true where they have changed.</summary>
    private static bool WriteNames(string directory, NetworkConfig network, AddressRange range)
    {
        Directory.CreateDirectory(directory);
        var domain = network.Name + ".internal";
        WriteChanged(Path.Combine(directory, "dnsmasq.conf"), $"""
            # Made by Plinth for the network {network.Name}; changes are overwritten.
            interface=guests
            bind-dynamic
            user=root
            pid-file={directory}/dnsmasq.pid
            no-hosts
            addn-hosts={directory}/names
            expand-hosts
            domain={domain}
            local=/{domain}/
            resolv-file={(File.Exists("/run/systemd/resolve/resolv.conf") ? "/run/systemd/resolve/resolv.conf" : "/etc/resolv.conf")}
            dhcp-range={range.ToString().Split('/')[0]},static,{range.Netmask},1h
            dhcp-hostsfile={directory}/guests
            dhcp-ignore=tag:!known
            dhcp-option=option:mtu,{network.Overlay!.Mtu}
            dhcp-authoritative
            leasefile-ro
            no-ping

            """);
        var guests = WriteChanged(Path.Combine(directory, "guests"), string.Concat(network.Overlay.Names.Select(n => $"{n.Mac},{n.Address},{n.Name}\n")));
        var names = WriteChanged(Path.Combine(directory, "names"), string.Concat(network.Overlay.Names.Select(n => $"{n.Address} {n.Name}\n")));
        return guests || names;
    }

    private static bool WriteChanged(string path, string text)
    {
        if (File.Exists(path) && File.ReadAllText(path) == text) return false;
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
        return true;
    }

    private sealed record Known(NetworkConfig Configuration, string Drift, DateTimeOffset? DriftAt);
}
