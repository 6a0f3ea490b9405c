using System.Net;
using System.Threading.Channels;
using Plinth.Agents.Machines;
using Plinth.Agents.Storage;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Simulation;

/// <summary>
/// A host that executes nothing and behaves as one that does: the same port, plausible timings, faults on demand.
/// Times come from the <see cref="TimeProvider"/>. Costs nothing while nobody asks, so hundreds fit into one process.
/// </summary>
public sealed partial class SimulatedHypervisor : IHypervisor
{
    // Events wake a reconciler that then reads everything: the oldest may go when nobody reads.
    private const int MaxWaitingEvents = 256;

    private readonly Lock _gate = new();
    private readonly SimulatedProfile _profile;
    private readonly TimeProvider _time;
    private readonly string? _statePath;
    private readonly SimulatedState _state;
    private readonly Dictionary<VmId, SimulatedConsole> _consoles = [];
    private readonly Dictionary<VmId, List<SimulatedScreen>> _screens = [];
    private readonly Dictionary<VmId, ITimer> _shutdowns = [];
    private readonly Channel<DomainEvent> _events = Channel.CreateBounded<DomainEvent>(
        new BoundedChannelOptions(MaxWaitingEvents) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly List<InterfaceDrops> _spoofed = [];
    private readonly HashSet<(VmId, string)> _limitedByHand = [];
    private string _limitsDrift = "";
    private DateTimeOffset? _limitsDriftAt;
    private bool _flushed;
    private string _drift = "";
    private DateTimeOffset? _driftAt;

    /// <param name="statePath">A file that keeps disks, definitions and running guests over a restart of the process; null to forget.</param>
    public SimulatedHypervisor(SimulatedProfile profile, TimeProvider time, SimulatedFaults? faults = null, string? statePath = null)
    {
        (_profile, _time, _statePath) = (profile, time, statePath);
        Faults = faults ?? new SimulatedFaults();
        _state = SimulatedState.Load(statePath);
    }

    /// <summary>Plant faults here, at any moment.</summary>
    public SimulatedFaults Faults { get; }

    public ChannelReader<DomainEvent> Events => _events.Reader;

    /// <summary>No bytes are needed on a simulated host; the name is given for completeness.</summary>
    public string ImagePath(ImageReference image) => PoolFiles.ImageName(image);

    public bool NeedsImageBytes => false;

    public async Task<ObservedFacility> EnsurePool(PoolConfig pool, CancellationToken stop)
    {
        await Act(SimulatedStep.Pool, stop);
        Change(() => _state.Pools[pool.Name] = pool);
        return new ObservedFacility("pool", pool.Name, true, $"Simulated; {_profile.Capacity.DiskGib} GiB.");
    }

    public async Task<ObservedFacility> EnsureNetwork(NetworkConfig network, CancellationToken stop)
    {
        DomainRules.Check(network);
        await Act(SimulatedStep.Network, stop);
        Change(() => _state.Networks[network.Id.Value] = network);
        return new ObservedFacility("network", network.Name, true, network.Overlay is { } overlay
            ? $"Simulated; VXLAN {overlay.Vni} to {(overlay.Peers.Count == 0 ? "no other host" : string.Join(", ", overlay.Peers))}, {network.Cidr}."
            : $"Simulated; bridge {network.Bridge}, {network.Cidr}.");
    }

    public async Task<ObservedFacility> EnsureRules(DesiredHostState desired, CancellationToken stop)
    {
        await Act(SimulatedStep.Rules, stop);
        lock (_gate)
        {
            if (_flushed) (_flushed, _drift, _driftAt) = (false, "Put right: table bridge plinth was missing.", _time.GetUtcNow());
            var macs = desired.Machines.SelectMany(m => m.Nics).Select(n => n.Mac).ToHashSet();
            Pinned = macs;
            Drops = [.. _spoofed.Where(d => macs.Contains(d.Mac))];
            return new ObservedFacility("rules", "anti-spoofing", true, $"Simulated; {macs.Count} guest interface{(macs.Count == 1 ? "" : "s")} pinned to their own addresses.", _drift, _driftAt);
        }
    }

    public async Task<ObservedFacility> EnsureLimits(DesiredHostState desired, CancellationToken stop)
    {
        await Act(SimulatedStep.Limits, stop);
        var (seen, drift) = (new List<IoLimits>(), new List<string>());
        Change(() =>
        {
            foreach (var machine in desired.Machines)
            {
                if (!_state.Vms.TryGetValue(machine.Vm.Value, out var found) || found.Definition is null) continue;
                var has = found.Definition.Disks.Where(d => found.Disks.ContainsKey(SimulatedVm.File(d))).Select(d => d.Serial).Concat(VolumesOf(machine.Vm).Select(v => v.Serial)).ToHashSet();
                foreach (var (serial, limits) in DiskLimitPlan.Of(machine, desired.Volumes ?? []).Where(w => has.Contains(w.Key)))
                {
                    if (_limitedByHand.Remove((machine.Vm, serial)) && found.Limits.GetValueOrDefault(serial, IoLimits.None) != limits) drift.Add($"disk '{serial}' of {machine.Name}");
                    if (limits == IoLimits.None) found.Limits.Remove(serial);
                    else found.Limits[serial] = limits;
                    seen.Add(limits);
                }
            }
            if (drift.Count > 0) (_limitsDrift, _limitsDriftAt) = ($"Put right: {string.Join("; ", drift)} had other limits.", _time.GetUtcNow());
        });
        return new ObservedFacility("limits", "disk limits", true, $"Simulated; {DiskLimitPlan.Detail(seen)}", _limitsDrift, _limitsDriftAt);
    }

    /// <inheritdoc cref="NetworkLookEvery"/>
    public TimeSpan LimitsLookEvery => _limitedByHand.Count > 0 ? TimeSpan.Zero : TimeSpan.FromMinutes(1);

    /// <summary>Somebody gives a disk other limits by hand.</summary>
    internal void LimitByHand(VmId vm, string serial, IoLimits limits) => Change(() =>
    {
        _limitedByHand.Add((vm, serial));
        _state.Vm(vm).Limits[serial] = limits;
    });

    /// <summary>What a disk may do now.</summary>
    internal IoLimits LimitsOf(VmId vm, string serial)
    {
        lock (_gate) return _state.Vm(vm).Limits.GetValueOrDefault(serial, IoLimits.None);
    }

    public IReadOnlySet<string> Pinned { get; private set; } = new HashSet<string>();

    public IReadOnlyList<InterfaceDrops> Drops { get; private set; } = [];

    public async Task PruneNetworks(IReadOnlyList<NetworkConfig> wanted, CancellationToken stop)
    {
        await Act(SimulatedStep.Network, stop);
        var ids = wanted.Select(n => n.Id.Value).ToHashSet();
        Change(() =>
        {
            foreach (var gone in _state.Networks.Where(n => n.Value.Overlay is not null && !ids.Contains(n.Key)).Select(n => n.Key).ToList()) _state.Networks.Remove(gone);
        });
    }

    /// <summary>Nobody changes anything on a simulated host by hand: a fleet of thousands need not look often.</summary>
    public TimeSpan NetworkLookEvery => _flushed ? TimeSpan.Zero : TimeSpan.FromMinutes(1);

    /// <summary>Somebody flushed the packet rules by hand.</summary>
    internal void FlushRules()
    {
        lock (_gate) _flushed = true;
    }

    /// <summary>A guest sent packets that were not its own.</summary>
    internal void Spoof(string mac, string kind, long packets)
    {
        lock (_gate) _spoofed.Add(new InterfaceDrops(mac, kind, packets, 42 * packets));
    }

    public async Task EnsureDisk(VmId vm, DesiredDisk disk, CancellationToken stop)
    {
        DomainRules.Check(disk);
        lock (_gate)
        {
            if (!_state.Pools.ContainsKey(disk.Pool)) throw Refusals.PoolMissing(disk.Pool);
            if (_state.Vm(vm).Disks.ContainsKey(SimulatedVm.File(disk))) return;
        }
        Change(() => _state.Vm(vm).HalfMade.Add(SimulatedVm.File(disk)));
        await Act(SimulatedStep.Disk, stop);
        Change(() =>
        {
            _state.Vm(vm).HalfMade.Remove(SimulatedVm.File(disk));
            _state.Vm(vm).Disks[SimulatedVm.File(disk)] = disk.SizeGib;
        });
    }

    public async Task EnsureSeed(VmId vm, Seed seed, CancellationToken stop)
    {
        DomainRules.Check(seed);
        await Act(SimulatedStep.Seed, stop);
        Change(() => _state.Vm(vm).Seeds.Add(seed.Generation));
    }

    public async Task Define(DesiredMachine machine, IReadOnlyList<NetworkConfig> networks, CancellationToken stop)
    {
        DomainRules.Check(machine, networks);
        await Act(SimulatedStep.Define, stop);
        Change(() =>
        {
            var found = _state.Vm(machine.Vm);
            found.Definition = machine with { Nics = [.. machine.Nics.Where(n => !n.Leaving)] };
            foreach (var disk in machine.Disks.Where(d => d.Limits is not null)) found.Limits[disk.Serial] = disk.Limits!;
        });
        Tell(machine.Vm, "defined");
    }

    public async Task Adjust(DesiredMachine machine, CancellationToken stop)
    {
        DomainRules.CheckSize(machine);
        await Act(SimulatedStep.Adjust, stop);
        Change(() =>
        {
            var found = Defined(machine.Vm);
            found.Definition = found.Definition! with { Name = machine.Name, Vcpus = machine.Vcpus, MemoryMib = machine.MemoryMib };
            if (found.Size is { } size && machine.Vcpus > size.Vcpus && machine.Vcpus <= found.MostVcpus) found.Size = size with { Vcpus = machine.Vcpus };
        });
        Tell(machine.Vm, "defined");
    }

    public async Task Undefine(VmId vm, CancellationToken stop)
    {
        await Act(SimulatedStep.Undefine, stop);
        Change(() =>
        {
            if (!_state.Vms.TryGetValue(vm.Value, out var found)) return;
            if (found.Running) throw Refusals.DomainRunning(vm);
            found.Definition = null;
            found.Snapshots.Clear();
            foreach (var volume in VolumesOf(vm)) (volume.Vm, volume.Configured) = (null, false);
            found.Off = OffReason.NeverStarted;
            Forget(vm, found);
        });
        Tell(vm, "undefined");
    }

    public async Task RemoveDisks(VmId vm, CancellationToken stop)
    {
        lock (_gate)
        {
            if (_state.Vms.TryGetValue(vm.Value, out var found) && found.Running) throw Refusals.DomainRunning(vm);
        }
        await Act(SimulatedStep.RemoveDisks, stop);
        Change(() =>
        {
            if (!_state.Vms.TryGetValue(vm.Value, out var found)) return;
            found.Disks.Clear();
            found.HalfMade.Clear();
            found.Contents.Clear();
            found.Seeds.Clear();
            Forget(vm, found);
        });
    }

    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            foreach (var timer in _shutdowns.Values) timer.Dispose();
            foreach (var console in _consoles.Values) console.Dispose();
            foreach (var screen in _screens.Values.SelectMany(s => s)) screen.End();
            _shutdowns.Clear();
            _consoles.Clear();
            _screens.Clear();
        }
        _events.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>A domain of somebody else's on the simulated host.</summary>
    internal void PlantForeignDomain(string name) => Change(() => _state.ForeignDomains.Add(name));

    /// <summary>What a crash in the middle of <see cref="EnsureDisk"/> leaves.</summary>
    internal void PlantHalfMadeDisk(VmId vm, string serial) => Change(() => _state.Vm(vm).HalfMade.Add(serial));

    /// <summary>Something about the connection happened, as when libvirtd was restarted.</summary>
    internal void Reconnected() => Tell(null, "reconnected");

    private void Forget(VmId vm, SimulatedVm found)
    {
        if (found.Definition is null && !found.HasFiles) _state.Vms.Remove(vm.Value);
    }

    private async Task Act(SimulatedStep step, CancellationToken stop)
    {
        if (Faults.Lost) Faults.ThrowIfPlanted(step);
        var duration = _profile.Timings.Of(step) + Faults.Delay(step);
        if (duration > TimeSpan.Zero) await Task.Delay(duration, _time, stop);
        stop.ThrowIfCancellationRequested();
        Faults.ThrowIfPlanted(step);
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            if (_statePath is not null) _state.Save(_statePath);
        }
    }

    private void Tell(VmId? vm, string what) => _events.Writer.TryWrite(new DomainEvent(vm, what));

    private string AddressOf(DesiredNic nic)
    {
        if (nic.Address is { } own) return own;
        var cidr = _state.Networks.TryGetValue(nic.Network.Value, out var network) ? network.Cidr : "192.168.122.0/24";
        var address = IPNetwork.Parse(cidr).BaseAddress.GetAddressBytes();
        address[3] = (byte)(2 + Convert.ToInt32(nic.Mac[^2..], 16) % 250);
        return new IPAddress(address).ToString();
    }
}
