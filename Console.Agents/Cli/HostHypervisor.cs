using Plinth.Agents.Machines;

namespace Plinth.Agents.Cli;

/// <summary>The hypervisor of this machine.</summary>
internal static class HostHypervisor
{
    public static IHypervisor Open(string directory) =>
        throw new HypervisorException("unreachable", "This build of the agent has no libvirt adapter.", final: true);
}
