using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Network;

/// <summary>What the agent needs of a host for network interfaces that machines get and lose, while they run too.</summary>
public interface IInterfaceHost
{
    /// <summary>Every interface of Plinth's own machines, half added and half removed ones included.</summary>
    Task<IReadOnlyList<InterfaceInfo>> Interfaces(CancellationToken stop);

    /// <summary>
    /// The machine has the interface: in its definition, and plugged in while it runs. Refused as <c>no_port</c> where the running machine has no free
    /// port; the definition has it all the same.
    /// </summary>
    Task AddInterface(VmId vm, DesiredNic nic, NetworkConfig network, CancellationToken stop);

    /// <summary>Asks the guest to release the interface; the machine has lost it once <see cref="Interfaces"/> says so. A machine that is off loses it at once.</summary>
    Task RemoveInterface(VmId vm, string mac, CancellationToken stop);
}

/// <param name="Configured">In the machine's definition: there at its next start.</param>
/// <param name="Plugged">In the running machine.</param>
public sealed record InterfaceInfo(VmId Vm, string Mac, bool Configured, bool Plugged);
