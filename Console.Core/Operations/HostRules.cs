using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using static Plinth.Core.Network.RuleWords;

namespace Plinth.Core.Operations;

/// <summary>
/// Compiles what one host should have into its packet rules: each guest interface pinned to its own addresses, segments kept apart
/// from the host and from each other, and what may come in to a network from outside. Pure and ordered: the same desired state gives the same rules.
/// </summary>
public static class HostRules
{
    private const int BeforeConnections = -300, Filter = 0, SourceNat = 100;
    private const int VxlanPort = 4789;

    /// <summary>Inside a router: the port to the guests, and the uplink.</summary>
    public const string Inside = "guests", Outside = "uplink";

    public static IReadOnlyList<RuleTable> Compile(DesiredHostState desired)
    {
        var segments = desired.Networks.Where(n => n.Overlay is not null).ToArray();
        return [Guests(desired, segments), Host(segments), .. segments.Select(n => Router(n, desired.Machines))];
    }

    /// <summary>The counter of one interface and kind of drop.</summary>
    public static string Counter(string mac, string kind) => $"{NetworkNames.Guest(mac)}-{kind}";

    /// <summary>What the counters of a guest table say, by interface; zeros are left out.</summary>
    public static IReadOnlyList<InterfaceDrops> Drops(DesiredHostState desired, IReadOnlyDictionary<string, RuleCount> counts) =>
        [.. from machine in desired.Machines from nic in machine.Nics from kind in Kinds
            let count = counts.GetValueOrDefault(Counter(nic.Mac, kind))
            where count.Packets > 0
            select new InterfaceDrops(nic.Mac, kind, count.Packets, count.Bytes)];

    /// <summary>What a kind of drop was, for people: "12 frames " + this.</summary>
    public static string Meaning(string kind) => kind switch
    {
        "mac" => "from a MAC address that is not its own",
        "arp" => "of ARP for an address that is not its own",
        "ip" => "from an IPv4 address that is not its own",
        "dhcp" => "of DHCP answers, which only the network gives",
        "other" => "neither ARP nor IPv4 (IPv6, most of the time)",
        _ => kind,
    };

    private static readonly string[] Kinds = ["mac", "arp", "ip", "dhcp", "other"];

    private static RuleTable Guests(DesiredHostState desired, NetworkConfig[] segments)
    {
        var nics = desired.Machines.SelectMany(m => m.Nics).ToArray();
        var (networks, counters, chains) = (desired.Networks.ToDictionary(n => n.Id), new List<string> { "unknown" }, new List<RuleChain>());
        foreach (var nic in nics)
        {
            counters.AddRange(Kinds.Select(k => Counter(nic.Mac, k)));
            chains.Add(Pinned(nic, networks[nic.Network]));
        }
        chains.AddRange(segments.Select(Arriving));
        chains.AddRange(segments.Select(Leaving));
        var entrances = nics.Select(n => NetworkNames.Guest(n.Mac)).Concat(segments.Select(n => NetworkNames.Segment(n.Id))).Select(d => (d, d)).ToArray();
        var exits = segments.Select(n => NetworkNames.Segment(n.Id)).Select(d => (d, d + "-out")).ToArray();
        chains.Add(new RuleChain("prerouting", "filter", "prerouting", BeforeConnections, "accept",
        [
            .. entrances.Length > 0 ? [Rule(Jump(entrances))] : Array.Empty<string>(),
            // A guest's interface that is not in the desired state has no say at all.
            Rule(From(NetworkNames.GuestPrefix + "*"), Count("unknown"), Drop),
        ]));
        if (exits.Length > 0)
        {
            chains.Add(new RuleChain("forward", "filter", "forward", Filter, "accept", [Rule(Jump(exits, "oifname"))]));
            chains.Add(new RuleChain("output", "filter", "output", Filter, "accept", [Rule(Jump(exits, "oifname"))]));
        }
        return new RuleTable(null, "bridge", chains, counters);
    }

    /// <summary>What a guest may send: from its own MAC address and its own IPv4 address, ARP and IPv4 alone.</summary>
    private static RuleChain Pinned(DesiredNic nic, NetworkConfig network)
    {
        string No(string kind, params ReadOnlySpan<System.Text.Json.Nodes.JsonObject> matches) => Rule([.. matches, Count(Counter(nic.Mac, kind)), Drop]);
        var (own, gateway) = (nic.Address ?? network.Cidr, AddressRange.Parse(network.Cidr).Gateway);
        return RuleChain.Jumped(NetworkNames.Guest(nic.Mac),
            No("mac", IsNot("ether", "saddr", nic.Mac)),
            No("arp", IsNot("arp", "saddr ether", nic.Mac)),
            No("arp", Is("arp", "saddr ip", gateway)),
            No("ip", Is("ip", "saddr", gateway)),
            // A guest that asks whether its address is free has none yet.
            Rule(Is("arp", "saddr ip", "0.0.0.0"), Accept),
            Rule(Is("arp", "saddr ip", Addresses(own)), Accept),
            No("arp", Is("ether", "type", "arp")),
            No("dhcp", Is("udp", "sport", 67)),
            Rule(Is("ip", "saddr", "0.0.0.0"), Is("udp", "dport", 67), Accept),
            Rule(Is("ip", "saddr", Addresses(own)), Accept),
            No("ip", Is("ether", "type", "ip")),
            No("other"));
    }

    // The gateway is on every host: no host hears another's, and DHCP is served where the guest is.
    private static RuleChain Arriving(NetworkConfig n) => RuleChain.Jumped(NetworkNames.Segment(n.Id), Foreign(n));

    private static RuleChain Leaving(NetworkConfig n) => RuleChain.Jumped(NetworkNames.Segment(n.Id) + "-out",
        [.. Foreign(n), Rule(Is("arp", "daddr ip", AddressRange.Parse(n.Cidr).Gateway), Drop)]);

    private static string[] Foreign(NetworkConfig n) =>
    [
        Rule(Is("ether", "saddr", NetworkNames.GatewayMac(n.Id)), Drop),
        Rule(Is("arp", "saddr ip", AddressRange.Parse(n.Cidr).Gateway), Drop),
        Rule(Is("udp", "dport", new System.Text.Json.Nodes.JsonObject { ["range"] = new System.Text.Json.Nodes.JsonArray(67, 68) }), Drop),
    ];

    private static RuleTable Host(NetworkConfig[] segments)
    {
        if (segments.Length == 0) return new RuleTable(null, "inet", [], []);
        var uplinks = NetworkNames.UplinkPrefix + "*";
        var peers = segments.SelectMany(n => n.Overlay!.Peers).Distinct().Order(StringComparer.Ordinal).ToArray();
        return new RuleTable(null, "inet",
        [
            // Two networks may use the same addresses: their frames must not meet in the host's table of connections.
            new RuleChain("prerouting", "filter", "prerouting", BeforeConnections, "accept", [Rule(FromAny(segments.Select(n => n.Bridge)), NoTrack)]),
            new RuleChain("input", "filter", "input", Filter, "accept",
            [
                // Only the hosts of these networks may put frames into them.
                .. peers.Length > 0 ? [Rule(Is("ip", "saddr", Set(peers)), Is("udp", "dport", VxlanPort), Accept)] : Array.Empty<string>(),
                Rule(Is("udp", "dport", VxlanPort), Count("tunnel"), Drop),
                Rule(From(uplinks), Established, Accept),
                Rule(From(uplinks), TransportIs("icmp"), Accept),
                Rule(From(uplinks), Is("udp", "dport", 53), Accept),
                Rule(From(uplinks), Is("tcp", "dport", 53), Accept),
                Rule(From(uplinks), Count("host"), Drop),
            ]),
            new RuleChain("forward", "filter", "forward", Filter, "accept",
            [
                // A guest that speaks VXLAN through NAT would come from its host's address.
                Rule(Is("udp", "dport", VxlanPort), Count("tunnel"), Drop),
                Rule(From(uplinks), To(uplinks), Drop),
            ]),
            new RuleChain("postrouting", "nat", "postrouting", SourceNat, "accept", [Rule(Is("ip", "saddr", Addresses(NetworkNames.UplinkRange)), NotTo(uplinks), Masquerade)]),
        ],
        ["tunnel", "host"]);
    }

    private static RuleTable Router(NetworkConfig network, IReadOnlyList<DesiredMachine> machines)
    {
        var allowed = network.Overlay!.Rules.Select(r => Allow(r, null))
            .Concat(from machine in machines from nic in machine.Nics where nic.Network == network.Id && nic.Address is not null from rule in nic.Rules ?? [] select Allow(rule, nic.Address));
        return new RuleTable(network.Id, "inet",
        [
            new RuleChain("input", "filter", "input", Filter, "drop",
            [
                Rule(Established, Accept),
                Rule(From("lo"), Accept),
                Rule(From(Inside), TransportIs("icmp"), Accept),
                Rule(From(Inside), Is("udp", "dport", 53), Accept),
                Rule(From(Inside), Is("tcp", "dport", 53), Accept),
                Rule(From(Inside), Is("udp", "dport", 67), Accept),
            ]),
            new RuleChain("forward", "filter", "forward", Filter, "drop",
            [
                Rule(Established, Accept),
                Rule(From(Inside), To(Outside), Is("ip", "saddr", Addresses(network.Cidr)), Accept),
                .. allowed,
                Rule(From(Outside), Count("inbound"), Drop),
            ]),
            new RuleChain("postrouting", "nat", "postrouting", SourceNat, "accept", [Rule(To(Outside), Masquerade)]),
        ],
        ["inbound"]);
    }

    private static string Allow(PortRule rule, string? address)
    {
        var matches = new List<System.Text.Json.Nodes.JsonObject> { From(Outside), To(Inside) };
        if (rule.Source != PortRule.Everybody) matches.Add(Is("ip", "saddr", Addresses(rule.Source)));
        if (address is not null) matches.Add(Is("ip", "daddr", address));
        matches.Add(rule.PortRange is { } ports ? Is(rule.Protocol, "dport", Ports(ports)) : TransportIs(rule.Protocol));
        return Rule([.. matches, Accept]);
    }
}
