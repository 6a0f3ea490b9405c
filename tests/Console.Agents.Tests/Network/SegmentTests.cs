using Plinth.Agents.Network;
using Plinth.Agents.Tests.Hypervisor;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Network;

/// <summary>Two lab hosts with guests of two networks that use the same range. Guests are network namespaces on interfaces named as libvirt would.</summary>
public sealed class TwoHosts : IAsyncLifetime
{
    public LabHost A { get; private set; } = null!;
    public LabHost B { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        A = await LabHost.Up();
        B = await LabHost.Up(A);
    }

    public async Task DisposeAsync()
    {
        await B.DisposeAsync();
        await A.DisposeAsync();
    }
}

public sealed class SegmentTests(TwoHosts hosts) : IClassFixture<TwoHosts>, IAsyncLifetime
{
    private static readonly CancellationToken Stop = CancellationToken.None;
    private readonly Side _a = new(hosts.A), _b = new(hosts.B);

    // Two projects, one range.
    private static readonly NetworkId Red = new(new Guid("01900000-0000-7000-8000-0000000000aa")), Blue = new(new Guid("01900000-0000-7000-8000-0000000000bb"));

    private readonly Guest _red1 = new("red-1", Red, "52:54:00:aa:00:01", "10.9.0.2"), _red2 = new("red-2", Red, "52:54:00:aa:00:02", "10.9.0.3");
    private readonly Guest _blue1 = new("blue-1", Blue, "52:54:00:bb:00:01", "10.9.0.2"), _blue2 = new("blue-2", Blue, "52:54:00:bb:00:02", "10.9.0.4");

    public async Task InitializeAsync()
    {
        _a.Guests = [_red1, _blue1];
        _b.Guests = [_red2, _blue2];
        await Realise();
        foreach (var (side, guest) in All) await side.Plug(guest);
    }

    public async Task DisposeAsync()
    {
        foreach (var (side, guest) in All) await side.Unplug(guest);
        foreach (var side in (Side[])[_a, _b])
        {
            await side.Segments.Prune([], Stop);
            await side.Rules.Ensure(side.Desired([], []), Stop);
        }
    }

    private IEnumerable<(Side, Guest)> All => [(_a, _red1), (_a, _blue1), (_b, _red2), (_b, _blue2)];

    [Fact]
    public async Task One_network_reaches_over_hosts_and_two_with_equal_ranges_never_hear_each_other()
    {
        // The control: a ping over the tunnel is answered, and not by the other network's guest of the same address.
        Assert.True(await _a.Pings(_red1, "10.9.0.3"));
        Assert.True(await _a.Pings(_blue1, "10.9.0.4"));
        Assert.Contains(_red2.Mac, await _a.Neighbours(_red1, "10.9.0.3"));

        Assert.False(await _a.Pings(_red1, "10.9.0.4"));
        Assert.False(await _a.Pings(_blue1, "10.9.0.3"));
        Assert.False(await _b.Pings(_red2, "10.9.0.4"));
        Assert.Contains(_red1.Mac, await _b.NeighboursAfterPing(_red2, "10.9.0.2"));
        Assert.Contains(_blue1.Mac, await _b.NeighboursAfterPing(_blue2, "10.9.0.2"));

        // Full frames pass whole, larger ones do not leave the guest.
        Assert.True(await _a.Pings(_red1, "10.9.0.3", "-M do -s 1422"));
        Assert.False(await _a.Pings(_red1, "10.9.0.3", "-M do -s 1423"));
        // Each reaches its own router.
        Assert.True(await _a.Pings(_red1, "10.9.0.1"));
        Assert.True(await _b.Pings(_blue2, "10.9.0.1"));
    }

    [Fact]
    public async Task The_router_answers_names_and_leads_out_and_lets_in_only_what_the_rules_say()
    {
        // A station beside the hosts that knows a way to the network through host A.
        await hosts.A.Shell($"ip route replace 10.9.0.0/24 via {NetworkNames.UplinkAddress(Vni(Red))} dev {NetworkNames.Uplink(Red)}");
        // Outward: the answer comes back through two NATs.
        Assert.True(await _a.Pings(_red1, hosts.B.Address));
        // The host stands outside of the network.
        Assert.False(await _a.PingsFromHost(_red1.Address));
        _a.RulesOf[Red] = [new PortRule("icmp", "", "0.0.0.0/0")];
        await Realise();
        Assert.True(await _a.PingsFromHost(_red1.Address));
        await _a.Listen(_red1, 8080);
        Assert.False(await _a.ConnectsFromHost(_red1.Address, 8080));
        _a.RulesOf[Red] = [];
        _red1.Rules = [new PortRule("tcp", "8000-8100", "100.64.0.0/10"), new PortRule("tcp", "8080", "100.127.255.254/32")];
        await Realise();
        Assert.True(await _a.ConnectsFromHost(_red1.Address, 8080));
        Assert.False(await _a.PingsFromHost(_red1.Address));
    }

    [Theory]
    [InlineData("mac"), InlineData("arp"), InlineData("ip"), InlineData("other")]
    public async Task What_is_not_a_guests_own_is_dropped_and_counted(string kind)
    {
        Assert.True(await _a.Pings(_red1, "10.9.0.3"));
        var before = (await _a.Dropped()).Where(d => d.Mac == _red1.Mac).ToDictionary(d => d.Kind, d => d.Packets);
        switch (kind)
        {
            case "mac":
                await _a.In(_red1, "ip link set eth0 address 52:54:00:aa:00:99");
                Assert.False(await _a.Pings(_red1, "10.9.0.3"));
                await _a.In(_red1, $"ip link set eth0 address {_red1.Mac}");
                break;
            case "arp":
                // The gateway's place, by a gratuitous ARP: the neighbour learns nothing.
                await _a.In(_red1, "ip addr add 10.9.0.1/32 dev eth0; arping -q -c 2 -U -I eth0 10.9.0.1 || true; ip addr del 10.9.0.1/32 dev eth0");
                break;
            case "ip":
                // The neighbour's own ARP entry is known; only the IPv4 source is forged.
                await _a.In(_red1, "ip addr add 10.9.0.50/32 dev eth0; ping -q -c 2 -W 1 -I 10.9.0.50 10.9.0.3 || true; ip addr del 10.9.0.50/32 dev eth0");
                break;
            case "other":
                await _a.In(_red1, "ping -q -6 -c 2 -W 1 ff02::1%eth0 || true");
                break;
        }
        var after = await _a.Dropped();
        Assert.True(after.FirstOrDefault(d => d.Mac == _red1.Mac && d.Kind == kind)?.Packets > before.GetValueOrDefault(kind), $"no packet was counted as {kind}: {string.Join(", ", after)}");
        Assert.DoesNotContain(after, d => d.Mac == _blue1.Mac && d.Kind is "mac" or "arp" or "ip");
        Assert.True(await _a.Pings(_red1, "10.9.0.3"), "its own packets pass again");
    }

    [Fact]
    public async Task What_somebody_changes_by_hand_is_put_right_and_said()
    {
        Assert.Equal("", (await _a.Segments.Ensure(_a.Network(Red), Stop)).Drift);
        await hosts.A.Shell($"bridge fdb del 00:00:00:00:00:00 dev {NetworkNames.Segment(Red)} dst {hosts.B.Address}; ip link set {NetworkNames.Bridge(Red)} mtu 1400; kill -9 $(cat {_a.Root}/{NetworkNames.Bridge(Red)["plinth".Length..]}/dnsmasq.pid)");
        var healed = await _a.Segments.Ensure(_a.Network(Red), Stop);
        Assert.Equal($"Put right: the bridge's MTU, the way to {hosts.B.Address}, DHCP and name service.", healed.Drift);
        Assert.True(await _a.Pings(_red1, "10.9.0.3"));

        await hosts.A.Shell("nft flush ruleset");
        Assert.Contains("table bridge plinth was missing", (await _a.RulesOnce()).Drift);
        await hosts.A.Shell("nft add rule bridge plinth prerouting accept");
        Assert.Contains("1 rule foreign", (await _a.RulesOnce()).Drift);
        await hosts.A.Shell($"ip netns exec {NetworkNames.Router(Red)} nft delete table inet plinth");
        Assert.Contains("inet plinth of the router was missing", (await _a.RulesOnce()).Drift);
    }

    private static int Vni(NetworkId network) => network == Red ? 5001 : 5002;

    private async Task Realise()
    {
        foreach (var side in (Side[])[_a, _b])
        {
            (side.Peer, side.Everybody) = (side == _a ? hosts.B.Address : hosts.A.Address, [_red1, _red2, _blue1, _blue2]);
            foreach (var network in (NetworkId[])[Red, Blue]) Assert.True((await side.Segments.Ensure(side.Network(network), Stop)).Ready);
            Assert.True((await side.RulesOnce()).Ready);
        }
    }

    private sealed class Guest(string name, NetworkId network, string mac, string address)
    {
        public string Name => name;
        public NetworkId Network => network;
        public string Mac => mac;
        public string Address => address;
        public VmId Vm { get; } = VmId.New(DateTimeOffset.UtcNow);
        public IReadOnlyList<PortRule> Rules { get; set; } = [];
    }

    /// <summary>One host, its agent's network part, and its guests.</summary>
    private sealed class Side
    {
        private readonly LabHost _host;

        public Side(LabHost host)
        {
            _host = host;
            var shell = new HostShell(host.Inside);
            (Segments, Rules) = (new Segments(shell, Root, TimeProvider.System), new PacketRules(shell, TimeProvider.System));
        }

        public string Root => Path.Combine(_host.Directory, "networks-" + _host.Name);
        public Segments Segments { get; }
        public PacketRules Rules { get; }
        public string Peer { get; set; } = "";
        public IReadOnlyList<Guest> Guests { get; set; } = [];
        public IReadOnlyList<Guest> Everybody { get; set; } = [];
        public Dictionary<NetworkId, IReadOnlyList<PortRule>> RulesOf { get; } = [];

        public NetworkConfig Network(NetworkId id) => _networks.TryGetValue(id, out var known) && Same(known) ? known : _networks[id] = Build(id);

        private readonly Dictionary<NetworkId, NetworkConfig> _networks = [];

        private bool Same(NetworkConfig known) => known.Overlay!.Peers[0] == Peer && known.Overlay.Names.Count == Everybody.Count(g => g.Network == known.Id) && known.Overlay.Rules.SequenceEqual(RulesOf.GetValueOrDefault(known.Id, []));

        private NetworkConfig Build(NetworkId id) => new(
            id, id == Red ? "red" : "blue", NetworkKind.Vxlan, "10.9.0.0/24", NetworkNames.Bridge(id),
            new OverlayConfig(Vni(id), VirtualNetwork.OverlayMtu, [Peer], [.. Everybody.Where(g => g.Network == id).Select(g => new GuestName(g.Name, g.Address, g.Mac))], RulesOf.GetValueOrDefault(id, [])));

        public DesiredHostState Desired(IReadOnlyList<NetworkConfig> networks, IReadOnlyList<Guest> guests) => new(new Generation(1), [], networks,
            [.. guests.Select(g => new DesiredMachine(g.Vm, new ProjectId(Guid.Empty), g.Name, 1, 128, [new DesiredDisk("root", "default", 1, null)], [new DesiredNic(g.Mac, g.Network, g.Address, g.Rules)],
                new Seed(g.Name, "ada", [], ""), true, DesiredPower.Running, 1, 60))], []);

        public Task<ObservedFacility> RulesOnce() => Rules.Ensure(Desired([Network(Red), Network(Blue)], Guests), Stop);

        public async Task<IReadOnlyList<InterfaceDrops>> Dropped()
        {
            await RulesOnce();
            return Rules.Drops;
        }

        public Task Plug(Guest g) => _host.Shell($"""
            ip netns add {g.Name}
            ip link add {NetworkNames.Guest(g.Mac)} type veth peer name eth0 netns {g.Name} address {g.Mac}
            ip link set {NetworkNames.Guest(g.Mac)} mtu 1450 master {NetworkNames.Bridge(g.Network)} up
            ip -n {g.Name} link set eth0 mtu 1450 up; ip -n {g.Name} link set lo up
            ip -n {g.Name} addr add {g.Address}/24 dev eth0
            ip -n {g.Name} route add default via 10.9.0.1
            """);

        public Task Unplug(Guest g) => _host.Shell($"ip netns pids {g.Name} | xargs -r kill -9; ip link del {NetworkNames.Guest(g.Mac)}; ip netns del {g.Name}");

        public Task<string> In(Guest g, string script) => _host.Shell($"ip netns exec {g.Name} sh -euc '{script}'");

        public async Task<bool> Pings(Guest g, string address, string options = "") => (await In(g, $"ping -q -c 1 -W 2 {options} {address} > /dev/null 2>&1 && echo answered || echo silent")).Trim() == "answered";

        public Task<string> Neighbours(Guest g, string address) => In(g, $"ip neigh show {address}");

        public async Task<string> NeighboursAfterPing(Guest g, string address)
        {
            await Pings(g, address);
            return await Neighbours(g, address);
        }

        public async Task<bool> PingsFromHost(string address) => (await _host.Shell($"ping -q -c 1 -W 2 {address} > /dev/null 2>&1 && echo answered || echo silent")).Trim() == "answered";

        public Task Listen(Guest g, int port) => _host.Shell($"ip netns exec {g.Name} setsid python3 -m http.server {port} < /dev/null > /dev/null 2>&1 & until ip netns exec {g.Name} ss -ltn | grep -q :{port}; do :; done");

        public async Task<bool> ConnectsFromHost(string address, int port) => (await _host.Shell($"timeout 3 bash -c 'exec 3<>/dev/tcp/{address}/{port}' 2> /dev/null && echo answered || echo silent")).Trim() == "answered";
    }
}
