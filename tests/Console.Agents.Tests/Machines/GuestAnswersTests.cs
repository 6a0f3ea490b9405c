using Plinth.Agents.Machines;
using Xunit;

namespace Plinth.Agents.Tests.Machines;

public sealed class GuestAnswersTests
{
    [Fact]
    public void Ipv4_first_without_loopback_and_link_local() =>
        Assert.Equal(["10.0.2.15", "fec0::1"], GuestAnswers.Addresses(
            """
            {"return":[{"name":"lo","ip-addresses":[{"ip-address":"127.0.0.1"},{"ip-address":"::1"}]},
            {"name":"eth0","ip-addresses":[{"ip-address":"fec0::1"},{"ip-address":"fe80::1"},{"ip-address":"10.0.2.15"},{"ip-address":"169.254.1.1"}]},
            {"name":"eth1"}]}
            """));

    [Fact]
    public void Each_interface_by_its_MAC_address()
    {
        var told = GuestAnswers.Interfaces(
            """
            {"return":[{"name":"lo","ip-addresses":[{"ip-address":"127.0.0.1"}]},
            {"name":"eth0","hardware-address":"52:54:00:AA:00:01","ip-addresses":[{"ip-address":"10.0.2.15"},{"ip-address":"fe80::1"}]},
            {"name":"eth1","hardware-address":"52:54:00:aa:00:02"},{"name":"eth1.5","hardware-address":"52:54:00:aa:00:02","ip-addresses":[{"ip-address":"10.9.9.9"}]}]}
            """);
        Assert.Equal(["52:54:00:aa:00:01 10.0.2.15", "52:54:00:aa:00:02 "], told.Select(i => $"{i.Mac} {string.Join(' ', i.Addresses)}"));
        Assert.Empty(GuestAnswers.Interfaces("""{"return":[{"hardware-address":7}]}"""));
    }

    [Theory]
    [InlineData("""{"return":{"name":"Debian GNU/Linux","pretty-name":"Debian GNU/Linux 12 (bookworm)","kernel-release":"6.1.0-18-amd64"}}""", "Debian GNU/Linux 12 (bookworm), kernel 6.1.0-18-amd64")]
    [InlineData("""{"return":{"pretty-name":"A\u0007B"}}""", "AB")]
    [InlineData("""{"return":{"kernel-release":7}}""", "")]
    [InlineData("""{"return":[]}""", "")]
    [InlineData("nonsense", "")]
    [InlineData(null, "")]
    public void The_system_is_named_in_the_guests_own_words(string? answer, string system) => Assert.Equal(system, GuestAnswers.System(answer));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"return\":7}")]
    [InlineData("{\"return\":[7]}")]
    [InlineData("{\"return\":[{\"ip-addresses\":{}}]}")]
    [InlineData("{\"return\":[{\"ip-addresses\":[{\"ip-address\":7}]}]}")]
    [InlineData("{\"return\":[{\"ip-addresses\":[{\"ip-address\":\"<script>\"}]}]}")]
    public void A_lying_guest_has_no_address(string answer) => Assert.Empty(GuestAnswers.Addresses(answer));
}
