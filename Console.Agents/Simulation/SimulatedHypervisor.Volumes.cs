using Plinth.Agents.Machines;
using Plinth.Agents.Storage;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Simulation;

public sealed partial class SimulatedHypervisor
{
    public async Task<IReadOnlyList<VolumeInfo>> Volumes(CancellationToken stop)
    {
        await Act(SimulatedStep.DiskOwners, stop);
        lock (_gate) return [.. _state.Volumes.Select(v => new VolumeInfo(new VolumeId(v.Key), (long)v.Value.SizeGib << 30, v.Value.Vm, v.Value.Configured, v.Value.Plugged))];
    }

    public async Task EnsureVolume(DesiredVolume volume, CancellationToken stop)
    {
        DomainRules.Check(volume);
        lock (_gate)
        {
            if (!_state.Pools.ContainsKey(volume.Pool)) throw Refusals.PoolMissing(volume.Pool);
            if (_state.Volumes.TryGetValue(volume.Volume.Value, out var known) && known.SizeGib >= volume.SizeGib) return;
        }
        Change(() => _state.Volumes.TryAdd(volume.Volume.Value, new SimulatedVolume()));
        await Act(SimulatedStep.Volume, stop);
        Change(() => _state.Volumes[volume.Volume.Value].SizeGib = volume.SizeGib);
    }

    public async Task Attach(DesiredVolume volume, VmId vm, CancellationToken stop)
    {
        DomainRules.Check(volume);
        await Act(SimulatedStep.Attach, stop);
        Change(() =>
        {
            if (!_state.Volumes.TryGetValue(volume.Volume.Value, out var found) || found.SizeGib == 0) throw Refusals.VolumeMissing(volume.Volume);
            (found.Configured, found.Plugged, found.Vm, found.Serial) = (true, Defined(vm).Running, vm, volume.Serial);
            if (volume.Limits is { } limits) Defined(vm).Limits[volume.Serial] = limits;
        });
    }

    public async Task Detach(VolumeId volume, VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Detach, stop);
        Change(() =>
        {
            if (!_state.Volumes.TryGetValue(volume.Value, out var found) || found.Vm != vm) return;
            if (found.Plugged && Faults.GuestsKeepDevices) return;
            if (_state.Vms.TryGetValue(vm.Value, out var machine)) machine.Limits.Remove(found.Serial);
            (found.Configured, found.Plugged, found.Vm) = (false, false, null);
        });
    }

    public async Task RemoveVolume(VolumeId volume, CancellationToken stop)
    {
        lock (_gate)
        {
            if (_state.Volumes.TryGetValue(volume.Value, out var found) && found.Vm is not null) throw Refusals.VolumeAttached(volume);
        }
        await Act(SimulatedStep.RemoveVolume, stop);
        Change(() => _state.Volumes.Remove(volume.Value));
    }

    /// <summary>What a crash in the middle of <see cref="EnsureVolume"/> leaves.</summary>
    internal void PlantHalfMadeVolume(VolumeId volume) => Change(() => _state.Volumes[volume.Value] = new SimulatedVolume());

    private IEnumerable<SimulatedVolume> VolumesOf(VmId vm) => _state.Volumes.Values.Where(v => v.Vm == vm);
}
