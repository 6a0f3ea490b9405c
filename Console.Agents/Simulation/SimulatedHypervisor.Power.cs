using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Simulation;

public sealed partial class SimulatedHypervisor
{
    public async Task Start(VmId vm, CancellationToken stop)
    {
        lock (_gate)
        {
            if (Defined(vm) is { Running: true, Stranded: false }) return;
            RequireFiles(vm, Defined(vm));
        }
        await Act(SimulatedStep.Start, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (found.Running)
            {
                if (found.Stranded) found.Resume(_time.GetUtcNow());
                return;
            }
            found.Running = true;
            (found.Size, found.MostVcpus) = (found.Definition!.Size, DomainRules.MostVcpus(found.Definition.Vcpus, _profile.Capacity.Vcpus));
            found.Off = OffReason.None;
            foreach (var volume in VolumesOf(vm)) volume.Plugged = true;
            found.Plugged.UnionWith(found.Definition.Nics.Select(n => n.Mac));
            Restarted(found);
        });
        Tell(vm, "started");
    }

    public async Task Shutdown(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Shutdown, stop);
        lock (_gate)
        {
            if (!Defined(vm).Running) throw Refusals.DomainOff(vm);
            Defined(vm).Resume(_time.GetUtcNow());
            if (Faults.GuestsIgnoreShutdown || _shutdowns.ContainsKey(vm)) return;
            _shutdowns[vm] = _time.CreateTimer(_ => TurnOff(vm, OffReason.GuestShutdown), null, _profile.Timings.Shutdown, Timeout.InfiniteTimeSpan);
        }
    }

    public async Task SwitchOff(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.SwitchOff, stop);
        TurnOff(vm, OffReason.SwitchedOff);
    }

    public async Task Reboot(VmId vm, bool force, CancellationToken stop)
    {
        await Act(SimulatedStep.Reboot, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (!found.Running) throw Refusals.DomainOff(vm);
            // The domain goes on, so the start key stays; the guest boots anew.
            found.StartedAt = _time.GetUtcNow();
            if (_consoles.TryGetValue(vm, out var console)) console.Reboot(found.StartedAt);
        });
        Tell(vm, DomainEvent.Rebooted);
    }

    public async Task Pause(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Pause, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (!found.Running) throw Refusals.DomainOff(vm);
            found.PausedAt ??= _time.GetUtcNow();
        });
        Tell(vm, "suspended");
    }

    public async Task Resume(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Resume, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (!found.Running) throw Refusals.DomainOff(vm);
            found.Resume(_time.GetUtcNow());
        });
        Tell(vm, "resumed");
    }

    /// <summary>The hypervisor dies after it has made the process and before it lets it run.</summary>
    internal void Strand(VmId vm) => Change(() => (Defined(vm).PausedAt, Defined(vm).Stranded) = (_time.GetUtcNow(), true));

    /// <summary>The storage of a running VM has no room for its next write.</summary>
    public void RunOutOfSpace(VmId vm)
    {
        Change(() => (Defined(vm).StorageFull, Defined(vm).PausedAt) = (true, Defined(vm).PausedAt ?? _time.GetUtcNow()));
        Tell(vm, "suspended");
    }

    /// <summary>There is room again; the VM stays as it is until it is resumed.</summary>
    public void MakeRoom(VmId vm) => Change(() => Defined(vm).StorageFull = false);

    /// <summary>The guest falls over by itself.</summary>
    public void Crash(VmId vm) => TurnOff(vm, OffReason.Crashed);

    private void TurnOff(VmId vm, OffReason reason)
    {
        var went = false;
        Change(() =>
        {
            if (_shutdowns.Remove(vm, out var timer)) timer.Dispose();
            if (!_state.Vms.TryGetValue(vm.Value, out var found) || !found.Running) return;
            (found.Running, found.Size, found.PausedAt, found.Off, found.StartKey, went) = (false, null, null, reason, "", true);
            foreach (var volume in VolumesOf(vm)) volume.Plugged = false;
            found.Plugged.Clear();
            CloseConsoles(vm);
        });
        if (went) Tell(vm, "stopped");
    }

    private void Restarted(SimulatedVm vm)
    {
        vm.StartedAt = _time.GetUtcNow();
        vm.StartKey = $"{++_state.Starts}-{vm.StartedAt.ToUnixTimeMilliseconds()}";
    }

    private SimulatedVm Defined(VmId vm) =>
        _state.Vms.TryGetValue(vm.Value, out var found) && found.Definition is not null ? found : throw Refusals.DomainMissing(vm);

    private static void RequireFiles(VmId vm, SimulatedVm found)
    {
        foreach (var disk in found.Definition!.Disks)
            if (!found.Disks.ContainsKey(SimulatedVm.File(disk))) throw Refusals.DiskMissing(vm, $"disk '{disk.Serial}'");
        if (!found.Seeds.Contains(found.Definition.DiskGeneration)) throw Refusals.DiskMissing(vm, "seed");
    }

    private TimeSpan BootTime(VmId vm) => _profile.Timings.Boot * (1 + vm.Value.ToByteArray()[15] / 510.0);

    private void CloseConsoles(VmId vm)
    {
        if (_consoles.Remove(vm, out var console)) console.Dispose();
        if (!_screens.Remove(vm, out var screens)) return;
        foreach (var screen in screens) screen.End();
    }
}
