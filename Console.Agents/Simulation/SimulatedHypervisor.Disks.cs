using Plinth.Agents.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Simulation;

public sealed partial class SimulatedHypervisor
{
    public async Task CopyDisk(VmId vm, DesiredDisk disk, Action<int> copied, CancellationToken stop)
    {
        DomainRules.Check(disk);
        var (source, from, to) = (disk.Source!, SimulatedVm.File(disk with { Generation = disk.Source!.Generation }), SimulatedVm.File(disk));
        lock (_gate)
        {
            if (!_state.Pools.ContainsKey(disk.Pool)) throw Refusals.PoolMissing(disk.Pool);
            if (_state.Vm(vm).Disks.ContainsKey(to)) return;
            if (!_state.Vms.TryGetValue(source.Vm.Value, out var found) || found.Definition is not { } definition) throw Refusals.SourceGone(source);
            if (definition.DiskGeneration != source.Generation) throw Refusals.SourceChanged(source);
            if (found.Running) throw Refusals.SourceRunning(source);
            if (!found.Disks.ContainsKey(from)) throw Refusals.SourceGone(source);
        }
        Change(() => _state.Vm(vm).HalfMade.Add(to));
        copied(0);
        await Act(SimulatedStep.Copy, stop);
        Change(() =>
        {
            if (!_state.Vms.TryGetValue(source.Vm.Value, out var found) || !found.Disks.ContainsKey(from)) throw Refusals.SourceGone(source);
            _state.Vm(vm).HalfMade.Remove(to);
            _state.Vm(vm).Disks[to] = disk.SizeGib;
            if (found.Contents.TryGetValue(from, out var written)) _state.Vm(vm).Contents[to] = written;
        });
        copied(100);
    }

    public async Task TakeDisks(DesiredMachine machine, CancellationToken stop)
    {
        foreach (var disk in machine.Disks) DomainRules.Check(disk);
        lock (_gate)
        {
            var found = Defined(machine.Vm);
            if (machine.Disks.FirstOrDefault(d => !found.Disks.ContainsKey(SimulatedVm.File(d))) is { } missing) throw Refusals.DiskMissing(machine.Vm, $"disk '{missing.Serial}'");
            if (!found.Seeds.Contains(machine.DiskGeneration)) throw Refusals.DiskMissing(machine.Vm, "seed");
        }
        await Act(SimulatedStep.TakeDisks, stop);
        Change(() =>
        {
            var found = Defined(machine.Vm);
            if (found.Running) throw Refusals.DomainOn(machine.Vm);
            found.Definition = found.Definition! with { Disks = machine.Disks, Seed = machine.Seed };
        });
        Tell(machine.Vm, "defined");
    }

    public async Task RemoveFormerDisks(VmId vm, long generation, CancellationToken stop)
    {
        await Act(SimulatedStep.FormerDisks, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (found.Definition!.DiskGeneration != generation) throw Refusals.OtherDisk(vm, generation);
            foreach (var file in found.Disks.Keys.Concat(found.HalfMade).Where(f => SimulatedVm.GenerationOf(f) != generation).ToList())
            {
                found.Disks.Remove(file);
                found.HalfMade.Remove(file);
                found.Contents.Remove(file);
            }
            found.Seeds.RemoveWhere(s => s != generation);
            foreach (var gone in found.Snapshots.Where(s => s.Value.Disk != generation).Select(s => s.Key).ToList()) found.Snapshots.Remove(gone);
        });
    }

    public async Task<IReadOnlyList<VmId>> FormerDiskOwners(CancellationToken stop)
    {
        await Act(SimulatedStep.DiskOwners, stop);
        lock (_gate) return [.. _state.Vms.Where(v => v.Value.Generations.Skip(1).Any()).Select(v => new VmId(v.Key))];
    }

    /// <summary>The guest writes something on its root disk.</summary>
    internal void WriteOn(VmId vm, string text) => Change(() => Defined(vm).Contents[RootFile(vm)] = text);

    /// <summary>What stands on the root disk that the machine has; empty on a new one.</summary>
    internal string ReadFrom(VmId vm)
    {
        lock (_gate) return Defined(vm).Contents.GetValueOrDefault(RootFile(vm), "");
    }

    private string RootFile(VmId vm) => SimulatedVm.File(Defined(vm).Definition!.Disks.First(d => d.Serial == DesiredStates.RootDiskSerial));
}
