using Plinth.Agents.Machines;
using Plinth.Agents.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Simulation;

public sealed partial class SimulatedHypervisor
{
    public async Task<IReadOnlyList<InterfaceInfo>> Interfaces(CancellationToken stop)
    {
        await Act(SimulatedStep.Interfaces, stop);
        lock (_gate)
            return
            [
                .. from vm in _state.Vms
                   where vm.Value.Definition is not null
                   let configured = vm.Value.Definition!.Nics.Select(n => n.Mac).ToHashSet()
                   from mac in configured.Union(vm.Value.Plugged)
                   select new InterfaceInfo(new VmId(vm.Key), mac, configured.Contains(mac), vm.Value.Plugged.Contains(mac)),
            ];
    }

    public async Task AddInterface(VmId vm, DesiredNic nic, NetworkConfig network, CancellationToken stop)
    {
        DomainRules.Check(nic, [network]);
        await Act(SimulatedStep.AddInterface, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (found.Definition!.Nics.All(n => n.Mac != nic.Mac)) found.Definition = found.Definition with { Nics = [.. found.Definition.Nics, nic] };
            if (!found.Running || found.Plugged.Contains(nic.Mac)) return;
            if (Faults.NoFreePorts) throw new HypervisorException(InterfaceProgress.NoPort, $"The running machine has no free port for the interface {nic.Mac}; it has it from its next start on.", final: true);
            found.Plugged.Add(nic.Mac);
        });
    }

    public async Task RemoveInterface(VmId vm, string mac, CancellationToken stop)
    {
        await Act(SimulatedStep.RemoveInterface, stop);
        Change(() =>
        {
            if (!_state.Vms.TryGetValue(vm.Value, out var found) || found.Definition is null) return;
            if (found.Plugged.Contains(mac) && (Faults.GuestsKeepDevices || found.State == DomainState.Paused)) return;
            found.Plugged.Remove(mac);
            found.Definition = found.Definition with { Nics = [.. found.Definition.Nics.Where(n => n.Mac != mac)] };
        });
    }
}
