using Plinth.Agents.Machines;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Simulation;

public sealed partial class SimulatedHypervisor
{
    // What the host's own system takes of memory and processors.
    private const int OwnMemoryMib = 1024;
    private const double OwnCpuPercent = 0.5;

    public async Task<HostFacts> Facts(CancellationToken stop)
    {
        await Act(SimulatedStep.Facts, stop);
        return new HostFacts(
            _profile.Hostname, AgentVersion.Text, Acceleration.Simulated, "This host is simulated: no guest is executed.",
            "x86_64", _profile.CpuModel, _profile.Capacity, "Plinth simulation", "none", "simulated", "simulated",
            $"198.18.{(byte)(_profile.Hostname.Sum(c => c) >> 8)}.{(byte)_profile.Hostname.Sum(c => c)}", HostPool.Of(PoolKind.Directory, _profile.Medium), new FirmwareSupport(true, true, true));
    }

    public async Task<Resources> Free(CancellationToken stop)
    {
        await Act(SimulatedStep.Free, stop);
        lock (_gate)
        {
            var memory = _state.Vms.Values.Where(v => v.Running).Sum(v => v.Now.MemoryMib);
            var disk = _state.Vms.Values.Sum(v => v.Disks.Values.Sum()) + _state.Volumes.Values.Sum(v => v.SizeGib);
            return _profile.Capacity with
            {
                MemoryMib = Math.Max(0, _profile.Capacity.MemoryMib - OwnMemoryMib - memory),
                DiskGib = Math.Max(0, _profile.Capacity.DiskGib - disk),
            };
        }
    }

    public async Task<IReadOnlyList<DomainInfo>> Domains(CancellationToken stop)
    {
        await Act(SimulatedStep.Domains, stop);
        lock (_gate)
        {
            var own = _state.Vms.Where(v => v.Value.Definition is not null).Select(v =>
                new DomainInfo(new VmId(v.Key), DomainRules.DomainName(v.Value.Definition!), v.Value.State, v.Value.Off, v.Value.StartKey, v.Value.Size, v.Value.Pause, v.Value.Definition!.DiskGeneration));
            return [.. own, .. _state.ForeignDomains.Select(name => new DomainInfo(null, name, DomainState.Running, OffReason.None, "foreign"))];
        }
    }

    public async Task<IReadOnlyList<VmId>> DiskOwners(CancellationToken stop)
    {
        await Act(SimulatedStep.DiskOwners, stop);
        lock (_gate) return [.. _state.Vms.Where(v => v.Value.HasFiles).Select(v => new VmId(v.Key))];
    }

    public async Task<GuestInfo?> Guest(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Guest, stop);
        lock (_gate)
        {
            if (Faults.GuestAgentsSilent || !_state.Vms.TryGetValue(vm.Value, out var found) || found.State != DomainState.Running) return null;
            if (!found.Definition!.HasGuestAgent || found.Age(_time.GetUtcNow()) < BootTime(vm)) return null;
            var interfaces = found.Definition.Nics.Where(n => found.Plugged.Contains(n.Mac)).Select(n => new GuestInterface(n.Mac, [AddressOf(n)])).ToArray();
            return new GuestInfo([.. interfaces.SelectMany(i => i.Addresses)], "Simulated guest", interfaces);
        }
    }

    public async Task<IReadOnlyList<DomainCounters>> Counters(CancellationToken stop)
    {
        await Act(SimulatedStep.Counters, stop);
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            return [.. _state.Vms.Where(v => v.Value.Running).Select(v => CountersOf(new VmId(v.Key), v.Value, now))];
        }
    }

    public async Task<HostSample> Sample(CancellationToken stop)
    {
        await Act(SimulatedStep.Sample, stop);
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var (busy, memory, disk) = (0.0, (long)OwnMemoryMib, _state.Volumes.Values.Sum(v => v.SizeGib * 1024L));
            foreach (var (id, vm) in _state.Vms)
            {
                disk += vm.Disks.Values.Sum() * 1024L;
                if (!vm.Running) continue;
                var load = new SimulatedLoad(new VmId(id));
                if (vm.PausedAt is null) busy += load.Share(vm.Age(now)) * vm.Now.Vcpus;
                memory += load.MemoryUsedMib(vm.Age(now), vm.Now.MemoryMib);
            }
            var percent = Math.Min(100, OwnCpuPercent + 100 * busy / _profile.Capacity.Vcpus);
            return new HostSample(
                now, percent, memory, _profile.Capacity.MemoryMib, disk, _profile.Capacity.DiskGib * 1024L,
                Load1: busy, CpuPressurePercent: Math.Max(0, percent - 80) / 4);
        }
    }

    public async Task<Stream> OpenSerial(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Serial, stop);
        lock (_gate)
        {
            var found = Defined(vm);
            if (!found.Running) throw Refusals.DomainOff(vm);
            if (!_consoles.TryGetValue(vm, out var console))
            {
                var machine = found.Definition!;
                _consoles[vm] = console = new SimulatedConsole(machine.Seed.Hostname, machine.Vcpus, machine.MemoryMib, found.StartedAt, BootTime(vm), _time);
            }
            return console.Open();
        }
    }

    public async Task<Stream> OpenVnc(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Vnc, stop);
        lock (_gate)
        {
            var found = Defined(vm);
            if (!found.Running) throw Refusals.DomainOff(vm);
            if (!_screens.TryGetValue(vm, out var screens)) _screens[vm] = screens = [];
            var screen = new SimulatedScreen(found.Definition!.Name, closed =>
            {
                lock (_gate) screens.Remove(closed);
            });
            screens.Add(screen);
            return screen.Viewer;
        }
    }

    private static DomainCounters CountersOf(VmId id, SimulatedVm vm, DateTimeOffset now)
    {
        var load = new SimulatedLoad(id);
        var since = vm.Age(now);
        var (vcpus, cpu) = (vm.Now.Vcpus, load.CpuSeconds(since));
        return new DomainCounters(
            id, vm.StartKey, vcpus,
            CpuTimeNanoseconds: (long)(cpu * vcpus * 1e9), StealNanoseconds: (long)(cpu * vcpus * 2e6),
            MemoryUsedMib: load.MemoryUsedMib(since, vm.Now.MemoryMib),
            // Traffic follows work: so many bytes per second of CPU time, disks a bootful more.
            DiskReadBytes: 40_000_000 + (long)(cpu * 800_000), DiskWriteBytes: (long)(cpu * 1_500_000),
            NetReceiveBytes: (long)(cpu * 400_000), NetTransmitBytes: (long)(cpu * 250_000));
    }
}
