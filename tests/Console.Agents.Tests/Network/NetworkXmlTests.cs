using Plinth.Agents.Network;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Agents.Tests.Machines;
using Xunit;

namespace Plinth.Agents.Tests.Network;

public sealed class NetworkXmlTests
{
    private static readonly NetworkConfig Config = new(new NetworkId(new Guid("01900000-0000-7000-8000-000000000003")), "default", NetworkKind.HostNat, "10.87.0.0/22", "plinth0");

    [Fact]
    public void Nat_with_dhcp() => Golden.Check("nat.xml", NetworkXml.Generate(Config));

    [Fact]
    public void What_was_made_realises_what_is_wanted_and_nothing_else()
    {
        var present = NetworkXml.Generate(Config);
        Assert.True(NetworkXml.Realises(present, Config));
        Assert.True(NetworkXml.Realises(present.Replace("prefix=\"22\"", "netmask=\"255.255.252.0\""), Config));
        Assert.False(NetworkXml.Realises(present, Config with { Bridge = "other0" }));
        Assert.False(NetworkXml.Realises(present, Config with { Cidr = "10.88.0.0/22" }));
        Assert.False(NetworkXml.Realises(present, Config with { Cidr = "10.87.0.0/24" }));
        Assert.False(NetworkXml.Realises(present.Replace("nat", "open"), Config));
    }
}
