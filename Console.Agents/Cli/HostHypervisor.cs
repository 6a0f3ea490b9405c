using Plinth.Agents.Machines;

namespace Plinth.Agents.Cli;

/// <summary>The hypervisor of this machine.</summary>
internal static class HostHypervisor
{
    public static IHypervisor Open() => new LibvirtHypervisor(new LibvirtOptions(), TimeProvider.System);
}
