using CsCheck;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Xunit;

namespace Plinth.Core.Tests.Network;

public sealed class NetworkChecksTests
{
    [Theory]
    [InlineData(null, "required")]
    [InlineData("10.20.0.5/24", "bad_range")]
    [InlineData("10.20.0.0", "bad_range")]
    [InlineData("fd00::/64", "bad_range")]
    [InlineData("010.20.0.0/24", "bad_range")]
    [InlineData("10.0.0.0/8", "bad_size")]
    [InlineData("10.20.0.0/29", "bad_size")]
    [InlineData("8.8.8.0/24", "not_private")]
    [InlineData("172.32.0.0/16", "not_private")]
    [InlineData("10.87.0.0/24", "overlaps")]
    [InlineData("10.86.0.0/15", "bad_size")]
    [InlineData("192.168.7.0/24", "overlaps_uplink")]
    public void A_range_that_cannot_be_a_networks_is_refused_with_the_reason(string? cidr, string code)
    {
        var refusal = NetworkChecks.Range(cidr, [("default", "10.87.0.0/22")], [("kvm-1", "192.168.7.12")]);
        Assert.Equal(("cidr", code), (refusal?.Field, refusal?.Code));
    }

    [Theory]
    [InlineData("10.20.0.0/24"), InlineData("172.31.0.0/16"), InlineData("192.168.255.240/28")]
    public void A_private_range_is_taken(string cidr) => Assert.Null(NetworkChecks.Range(cidr, [("default", "10.87.0.0/22")], [("kvm-1", "192.168.7.12")]));

    [Theory]
    [InlineData("10.20.0.2", null, null)]
    [InlineData("10.20.0.254", null, null)]
    [InlineData("10.20.0.7", "web-1", "address_taken")]
    [InlineData("10.20.0.0", null, "not_for_guests")]
    [InlineData("10.20.0.1", null, "gateway")]
    [InlineData("10.20.0.255", null, "not_for_guests")]
    [InlineData("10.20.1.2", null, "outside_range")]
    [InlineData("10.20.0.02", null, "bad_address")]
    [InlineData("10.20.2", null, "bad_address")]
    [InlineData("fd00::7", null, "bad_address")]
    [InlineData("<b>", null, "bad_address")]
    public void An_address_is_taken_or_refused_with_the_reason(string address, string? takenBy, string? code) =>
        Assert.Equal(code, NetworkChecks.Address(address, "shop", AddressRange.Parse("10.20.0.0/24"), takenBy)?.Code);

    [Fact]
    public void What_is_given_by_itself_can_be_asked_for_too() =>
        Gen.Select(Gen.Int[AddressRange.ShortestPrefix, AddressRange.LongestPrefix], Gen.Int[0, 40]).Sample((prefix, taken) =>
        {
            var range = AddressRange.Parse($"10.0.0.0/{prefix}");
            var given = new HashSet<string>();
            for (var i = 0; i < taken && range.FirstFree(given) is { } address; i++)
            {
                Assert.Null(NetworkChecks.Address(address, "shop", range, null));
                Assert.True(given.Add(address) && given.Count <= range.Guests);
            }
        });

    [Theory]
    [InlineData("tcp", "443", "0.0.0.0/0", null)]
    [InlineData("udp", "1-65535", "192.0.2.7/32", null)]
    [InlineData("icmp", "", "10.0.0.0/8", null)]
    [InlineData("tcp", "", "0.0.0.0/0", null)]
    [InlineData("sctp", "1", "0.0.0.0/0", "rules[0].protocol")]
    [InlineData("icmp", "1", "0.0.0.0/0", "rules[0].ports")]
    [InlineData("tcp", "0", "0.0.0.0/0", "rules[0].ports")]
    [InlineData("tcp", "90-80", "0.0.0.0/0", "rules[0].ports")]
    [InlineData("tcp", "80-90-100", "0.0.0.0/0", "rules[0].ports")]
    [InlineData("tcp", "+80", "0.0.0.0/0", "rules[0].ports")]
    [InlineData("tcp", "70000", "0.0.0.0/0", "rules[0].ports")]
    [InlineData("tcp", "80", "192.0.2.7/24", "rules[0].source")]
    [InlineData("tcp", "80", "anywhere", "rules[0].source")]
    [InlineData("tcp", "80", "::/0", "rules[0].source")]
    public void A_rule_is_taken_or_refused_at_its_field(string protocol, string ports, string source, string? field) =>
        Assert.Equal(field, NetworkChecks.Rules("rules", [new PortRule(protocol, ports, source)]).SingleOrDefault()?.Field);

    [Fact]
    public void Addresses_are_given_from_the_bottom_until_all_are_taken()
    {
        var (range, taken) = (AddressRange.Parse("10.20.0.0/28"), new HashSet<string>());
        while (range.FirstFree(taken) is { } address) Assert.True(taken.Add(address));
        Assert.Equal(range.Guests, taken.Count);
        Assert.Equal(("10.20.0.1", "255.255.255.240"), (range.Gateway, range.Netmask));
        Assert.DoesNotContain(range.Gateway, taken);
        Assert.DoesNotContain("10.20.0.0", taken);
        Assert.DoesNotContain("10.20.0.15", taken);
        taken.Remove("10.20.0.9");
        Assert.Equal("10.20.0.9", range.FirstFree(taken));
    }

    [Fact]
    public void Names_on_a_host_fit_and_uplinks_never_collide() =>
        Gen.Select(Gen.Guid, Gen.Int[NetworkNames.FirstVni, NetworkNames.LastVni], Gen.Int[NetworkNames.FirstVni, NetworkNames.LastVni]).Sample((id, one, other) =>
        {
            var network = new NetworkId(id);
            Assert.All([NetworkNames.Bridge(network), NetworkNames.Segment(network), NetworkNames.RouterPort(network), NetworkNames.Uplink(network), NetworkNames.Guest("52:54:00:12:34:56")], n => Assert.InRange(n.Length, 1, 15));
            Assert.True(AddressRange.Parse(NetworkNames.UplinkRange).Contains(NetworkNames.UplinkAddress(one)));
            Assert.NotEqual(NetworkNames.UplinkGateway, NetworkNames.UplinkAddress(one));
            Assert.Equal(one == other, NetworkNames.UplinkAddress(one) == NetworkNames.UplinkAddress(other));
        });
}
