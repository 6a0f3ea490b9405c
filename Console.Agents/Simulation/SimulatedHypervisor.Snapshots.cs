using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Simulation;

public sealed partial class SimulatedHypervisor
{
    public async Task<string> TakeSnapshot(VmId vm, SnapshotId snapshot, bool withMemory, CancellationToken stop)
    {
        await Act(SimulatedStep.Snapshot, stop);
        var said = "";
        Change(() =>
        {
            var found = Defined(vm);
            if (found.Snapshots.ContainsKey(snapshot.Value)) return;
            if (withMemory && !found.Running) throw Refusals.DomainOff(vm);
            if (VolumesOf(vm).Any()) throw Refusals.HasVolumes(vm);
            found.Snapshots[snapshot.Value] = new SimulatedSnapshot(withMemory ? found.Size : null, withMemory ? found.Age(_time.GetUtcNow()) : TimeSpan.Zero, found.Definition!.DiskGeneration);
            if (found.Running && !withMemory) said = Faults.GuestAgentsSilent ? "The guest did not freeze its file systems (its agent does not answer): the disk is as after a power cut." : "The guest froze its file system for that moment.";
        });
        return said;
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
            found.Plugged.UnionWith(found.Definition!.Nics.Select(n => n.Mac));
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
