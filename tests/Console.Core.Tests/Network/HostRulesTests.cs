using System.Text.Json.Nodes;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Network;

public sealed class HostRulesTests
{
    private static readonly NetworkId Shop = new(new Guid("01900000-0000-7000-8000-0000000000aa"));
    private const string Mac = "52:54:00:aa:00:01";

    private static DesiredHostState Desired(IReadOnlyList<PortRule>? rules = null, IReadOnlyList<PortRule>? own = null, params string[] peers) => new(
        new Generation(1), [],
        [new NetworkConfig(Shop, "shop", NetworkKind.Vxlan, "10.20.0.0/24", NetworkNames.Bridge(Shop), new OverlayConfig(5000, 1450, peers, [new GuestName("web-1", "10.20.0.2", Mac)], rules ?? []))],
        [new DesiredMachine(new VmId(Guid.Empty), default, "web-1", 1, 128, [], [new DesiredNic(Mac, Shop, "10.20.0.2", own)], new Seed("web-1", "ada", [], ""), true, DesiredPower.Running, 1, 60)], []);

    private static readonly IReadOnlyDictionary<string, RuleCount> None = new Dictionary<string, RuleCount>();

    /// <summary>What <c>nft -j list table</c> gives after the script was applied.</summary>
    private static string Listing(RuleTable table, Func<JsonObject, bool>? keep = null)
    {
        var items = JsonNode.Parse(table.Script(None))!["nftables"]!.AsArray().Select(a => a!["add"]).OfType<JsonObject>().Select(o => (JsonObject)o.DeepClone()).Where(o => keep is null || keep(o)).ToArray();
        return new JsonObject { ["nftables"] = new JsonArray(items) }.ToJsonString();
    }

    [Fact]
    public void The_same_wish_gives_the_same_rules_and_what_was_applied_does_not_differ()
    {
        var (one, other) = (HostRules.Compile(Desired()), HostRules.Compile(Desired()));
        Assert.Equal(one.Select(t => t.Script(None)), other.Select(t => t.Script(None)));
        Assert.All(one, table => Assert.Empty(table.Differences(Listing(table))));
        Assert.All(one, table => Assert.Single(table.Differences(null)));
    }

    [Fact]
    public void Each_loss_and_each_addition_is_told()
    {
        foreach (var table in HostRules.Compile(Desired(rules: [new PortRule("tcp", "443", "0.0.0.0/0")], peers: ["192.0.2.1", "192.0.2.2"])))
            foreach (var chain in table.Chains)
            {
                var gone = 0;
                Assert.NotEmpty(table.Differences(Listing(table, o => o["rule"] is null || (string?)o["rule"]!["chain"] != chain.Name || gone++ > 0)));
                Assert.NotEmpty(table.Differences(Listing(table, o => o["chain"] is null || (string?)o["chain"]!["name"] != chain.Name)));
            }
        var guests = HostRules.Compile(Desired())[0];
        var listing = JsonNode.Parse(Listing(guests))!;
        listing["nftables"]!.AsArray().Add(new JsonObject { ["rule"] = new JsonObject { ["chain"] = "prerouting", ["expr"] = new JsonArray(new JsonObject { ["accept"] = null }) } } as JsonNode);
        Assert.Equal("table bridge plinth, chain prerouting: 1 rule foreign", Assert.Single(guests.Differences(listing.ToJsonString())));
    }

    [Fact]
    public void Sets_compare_whatever_their_order()
    {
        var host = HostRules.Compile(Desired(peers: ["192.0.2.1", "192.0.2.2"]))[1];
        var listing = Listing(host).Replace("""["192.0.2.1","192.0.2.2"]""", """["192.0.2.2","192.0.2.1"]""");
        Assert.NotEqual(listing, Listing(host));
        Assert.Empty(host.Differences(listing));
    }

    [Fact]
    public void Without_rules_nothing_comes_in_and_a_rule_lets_in_what_it_says()
    {
        string[] Forward(DesiredHostState desired) => [.. HostRules.Compile(desired).Single(t => t.Router == Shop).Chains.Single(c => c.Name == "forward").Rules];
        var closed = Forward(Desired());
        Assert.Equal("drop", HostRules.Compile(Desired()).Single(t => t.Router == Shop).Chains.Single(c => c.Name == "forward").Policy);
        var opened = Forward(Desired(rules: [new PortRule("tcp", "443", "198.51.100.0/24")], own: [new PortRule("udp", "5000-5010", "0.0.0.0/0")])).Except(closed).ToArray();
        Assert.Equal(2, opened.Length);
        Assert.Contains("\"198.51.100.0\"", opened[0]);
        Assert.DoesNotContain("daddr", opened[0]);
        Assert.Contains("10.20.0.2", opened[1]);
        Assert.Contains("\"range\":[5000,5010]", opened[1]);
    }

    [Fact]
    public void A_host_without_segments_has_no_rules_for_them()
    {
        var tables = HostRules.Compile(new DesiredHostState(new Generation(1), [], [], [], []));
        Assert.Equal(2, tables.Count);
        Assert.Empty(tables[1].Differences(null));
        Assert.Equal("table inet plinth was there without need", Assert.Single(tables[1].Differences("{\"nftables\":[]}")));
        Assert.DoesNotContain("chain", tables[1].Script(None));
    }

    [Fact]
    public void Counters_go_on_over_a_replacement_and_are_told_by_interface()
    {
        var carried = new Dictionary<string, RuleCount> { [HostRules.Counter(Mac, "arp")] = new(7, 294) };
        var script = HostRules.Compile(Desired())[0].Script(carried);
        Assert.Contains($"\"name\":\"{HostRules.Counter(Mac, "arp")}\",\"packets\":7,\"bytes\":294", script);
        Assert.Equal([new InterfaceDrops(Mac, "arp", 7, 294)], HostRules.Drops(Desired(), carried));
    }
}
