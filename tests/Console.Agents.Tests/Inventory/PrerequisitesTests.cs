using Plinth.Agents.Inventory;
using Xunit;

namespace Plinth.Agents.Tests.Inventory;

public sealed class PrerequisitesTests
{
    [Fact]
    public void A_complete_host_lacks_nothing() => Assert.Null(Prerequisites.Missing(_ => true, library: true));

    [Fact]
    public void Every_gap_is_named_with_its_package() => Assert.Equal(
        "this host lacks libvirt.so.0, qemu-img, dnsmasq. Run: apt-get install --no-install-recommends libvirt0 qemu-utils dnsmasq-base; then the same command again, its token is not used.",
        Prerequisites.Missing(p => p is not ("qemu-img" or "dnsmasq"), library: false));

    /// <summary>This machine runs the real libvirt contract, so it has them all.</summary>
    [Fact]
    public void This_machine_has_them() => Assert.Null(Prerequisites.Missing());
}
