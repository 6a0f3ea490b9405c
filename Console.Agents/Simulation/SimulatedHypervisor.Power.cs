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
            if (Defined(vm).Running) return;
            RequireFiles(vm, Defined(vm));
        }
        await Act(SimulatedStep.Start, stop);
        Change(() =>
        {
            var found = Defined(vm);
            if (found.Running) return;
            found.Running = true;
            found.Off = OffReason.None;
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

    /// <summary>The guest falls over by itself.</summary>
    public void Crash(VmId vm) => TurnOff(vm, OffReason.Crashed);

    private void TurnOff(VmId vm, OffReason reason)
    {
        var went = false;
        Change(() =>
        {
            if (_shutdowns.Remove(vm, out var timer)) timer.Dispose();
            if (!_state.Vms.TryGetValue(vm.Value, out var found) || !found.Running) return;
            (found.Running, found.Off, found.StartKey, went) = (false, reason, "", true);
            CloseConsole(vm);
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
            if (!found.Disks.ContainsKey(disk.Serial)) throw Refusals.DiskMissing(vm, $"disk '{disk.Serial}'");
        if (!found.Seed) throw Refusals.DiskMissing(vm, "seed");
    }

    private TimeSpan BootTime(VmId vm) => _profile.Timings.Boot * (1 + vm.Value.ToByteArray()[15] / 510.0);

    private void CloseConsole(VmId vm)
    {
        if (_consoles.Remove(vm, out var console)) console.Dispose();
    }
}
