using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Simulation;

public sealed partial class SimulatedHypervisor
{
    public async Task TakeSnapshot(VmId vm, SnapshotId snapshot, bool withMemory, CancellationToken stop)
    {
        await Act(SimulatedStep.Snapshot, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (found.Snapshots.ContainsKey(snapshot.Value)) return;
            if (found.Running != withMemory) throw withMemory ? Refusals.DomainOff(vm) : Refusals.DomainOn(vm);
            if (VolumesOf(vm).Any()) throw Refusals.HasVolumes(vm);
            found.Snapshots[snapshot.Value] = new SimulatedSnapshot(found.Size, found.Running ? found.Age(_time.GetUtcNow()) : TimeSpan.Zero);
        });
    }

    public async Task RevertTo(VmId vm, SnapshotId snapshot, CancellationToken stop)
    {
        await Act(SimulatedStep.Snapshot, stop);
        var started = false;
        Change(() =>
        {
            var found = Defined(vm);
            if (!found.Snapshots.TryGetValue(snapshot.Value, out var known)) throw Refusals.SnapshotMissing(vm, snapshot);
            if (found.Running) throw Refusals.DomainOn(vm);
            if (VolumesOf(vm).Any()) throw Refusals.HasVolumes(vm);
            if (known.Size is null) return;
            (found.Running, found.Size, found.MostVcpus, found.Off, started) = (true, known.Size, DomainRules.MostVcpus(known.Size.Vcpus, _profile.Capacity.Vcpus), OffReason.None, true);
            Restarted(found);
            found.StartedAt -= known.Age;
        });
        if (started) Tell(vm, "started");
    }

    public async Task RemoveSnapshot(VmId vm, SnapshotId snapshot, CancellationToken stop)
    {
        await Act(SimulatedStep.Snapshot, stop);
        Change(() =>
        {
            if (_state.Vms.TryGetValue(vm.Value, out var found)) found.Snapshots.Remove(snapshot.Value);
        });
    }
}
