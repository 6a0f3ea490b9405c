using System.Collections.Concurrent;
using System.Threading.Channels;
using System.Xml.Linq;
using Plinth.Agents.Inventory;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines.Serial;
using Plinth.Agents.Machines.Xml;
using Plinth.Agents.Network;
using Plinth.Agents.Storage;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

/// <summary>
/// A KVM host by libvirt. Holds no state of its own that matters: what exists is asked each time, so a restarted agent, and a restarted
/// libvirtd, find everything as it is. Domains that lack Plinth's metadata are somebody else's and are never touched.
/// </summary>
public sealed partial class LibvirtHypervisor : IHypervisor
{
    // Events wake a reconciler that then reads everything: the oldest may go when nobody reads.
    private const int MaxWaitingEvents = 1024;

    private readonly LibvirtOptions _options;
    private readonly TimeProvider _time;
    private readonly LibvirtConnection _libvirt;
    private readonly LibvirtStorage _storage;
    private readonly LibvirtNetworks _networks;
    private readonly Segments _segments;
    private readonly PacketRules _rules;
    private readonly DiskLimits _limits;
    private readonly HostInventory _inventory;
    private readonly KvmSelfTest _selfTest;
    private readonly Lazy<Task<(Acceleration Acceleration, string Reason)>> _acceleration;
    private readonly ConcurrentDictionary<string, bool> _directIo = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<DomainEvent> _events = Channel.CreateBounded<DomainEvent>(
        new BoundedChannelOptions(MaxWaitingEvents) { FullMode = BoundedChannelFullMode.DropOldest });

    public LibvirtHypervisor(LibvirtOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _libvirt = new LibvirtConnection(options.Uri, Happened);
        _storage = new LibvirtStorage(_libvirt, options);
        _networks = new LibvirtNetworks(_libvirt);
        var shell = new HostShell(options.Inside ?? []);
        _segments = new Segments(shell, options.SegmentsPath, time);
        _rules = new PacketRules(shell, time);
        _limits = new DiskLimits(_libvirt, time);
        _inventory = new HostInventory(() => _storage.DirectoryOf("default"), time);
        _selfTest = new KvmSelfTest(options.Emulator, options.SelfTestPath);
        _acceleration = new(() => _selfTest.Run(_stop.Token));
    }

    public ChannelReader<DomainEvent> Events => _events.Reader;

    public Task<ObservedFacility> EnsurePool(PoolConfig pool, CancellationToken stop) => _storage.EnsurePool(pool, stop);

    public Task<ObservedFacility> EnsureNetwork(NetworkConfig network, CancellationToken stop) =>
        network.Overlay is null ? _networks.Ensure(network, stop) : _segments.Ensure(network, stop);

    public Task<ObservedFacility> EnsureRules(DesiredHostState desired, CancellationToken stop) => _rules.Ensure(desired, stop);

    public Task<ObservedFacility> EnsureLimits(DesiredHostState desired, CancellationToken stop) => _limits.Ensure(desired, stop);

    public IReadOnlySet<string> Pinned => _rules.Pinned;

    public IReadOnlyList<InterfaceDrops> Drops => _rules.Drops;

    public Task PruneNetworks(IReadOnlyList<NetworkConfig> wanted, CancellationToken stop) => _segments.Prune(wanted, stop);

    public string ImagePath(ImageReference image)
    {
        DomainRules.Check(image);
        return _storage.ImagePath(image);
    }

    public Task EnsureDisk(VmId vm, DesiredDisk disk, CancellationToken stop) => _storage.EnsureDisk(vm, disk, stop);

    public async Task CopyDisk(VmId vm, DesiredDisk disk, Action<int> copied, CancellationToken stop)
    {
        DomainRules.Check(disk);
        var source = disk.Source!;
        if (_storage.HasDisk(vm, disk)) return;
        await _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Find(connection, source.Vm) ?? throw Refusals.SourceGone(source);
                if (DomainLookup.Disk(domain) != source.Generation) throw Refusals.SourceChanged(source);
                if (DomainLookup.IsActive(domain)) throw Refusals.SourceRunning(source);
            },
            ReadFailed, stop);
        await _storage.CopyDisk(vm, disk, copied, stop);
    }

    public Task EnsureSeed(VmId vm, Seed seed, CancellationToken stop) => _storage.EnsureSeed(vm, seed, stop);

    public async Task Define(DesiredMachine machine, IReadOnlyList<NetworkConfig> networks, CancellationToken stop)
    {
        DomainRules.Check(machine, networks);
        machine = machine with { Nics = [.. machine.Nics.Where(n => !n.Leaving)] };
        var (acceleration, _) = await _acceleration.Value.WaitAsync(stop);
        var disks = machine.Disks.Select(disk => _storage.Disk(machine.Vm, disk)).ToArray();
        var xml = DomainXml.Generate(new DomainContext(
            machine, acceleration, _options.Emulator, disks, _storage.SeedPath(machine.Vm, machine.DiskGeneration),
            [.. machine.Nics.Select(nic => networks.First(n => n.Id == nic.Network))],
            Log(machine.Vm).Path, disks.All(disk => DirectIoAt(Path.GetDirectoryName(disk.Path)!)),
            DomainRules.MostVcpus(machine.Vcpus, _inventory.Capacity().Vcpus)));
        await _libvirt.Call(
            connection =>
            {
                // Also refuses when the UUID is somebody else's.
                using var former = DomainLookup.Find(connection, machine.Vm);
                var whole = former is null ? xml : DomainVolumes.Keep(xml, Definition(former));
                using var domain = Native.virDomainDefineXMLFlags(connection, whole, DefineValidated);
                if (domain.IsInvalid) throw LibvirtException.Last($"defining {machine.Name}");
            },
            e => new HypervisorException("define_failed", $"The VM '{machine.Name}' could not be defined: {e.Said}", cause: e),
            stop);
    }

    public async Task Adjust(DesiredMachine machine, CancellationToken stop)
    {
        DomainRules.CheckSize(machine);
        var added = await _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, machine.Vm);
                var xml = Native.Take(Native.virDomainGetXMLDesc(domain, XmlWithSecrets | XmlOfNextStart)) ?? throw LibvirtException.Last("reading the definition");
                var definition = XElement.Parse(xml);
                if (DomainXml.Adjust(definition, machine, DomainRules.MostVcpus(machine.Vcpus, _inventory.Capacity().Vcpus)))
                {
                    using var defined = Native.virDomainDefineXMLFlags(connection, definition.ToString(), DefineValidated);
                    if (defined.IsInvalid) throw LibvirtException.Last($"changing {machine.Name}");
                }
                return DomainLookup.IsActive(domain) && AdjustRunning(domain, machine);
            },
            e => new HypervisorException("adjust_failed", $"The VM '{machine.Name}' could not be changed: {e.Said}", cause: e),
            stop);
        if (added) await UseVcpus(machine, stop);
    }

    public async Task TakeDisks(DesiredMachine machine, CancellationToken stop)
    {
        foreach (var disk in machine.Disks) DomainRules.Check(disk);
        var disks = machine.Disks.Select(disk => _storage.Disk(machine.Vm, disk)).ToArray();
        var seed = _storage.SeedPath(machine.Vm, machine.DiskGeneration);
        if (disks.Select(d => d.Path).Append(seed).FirstOrDefault(path => !File.Exists(path)) is { } missing) throw Refusals.DiskMissing(machine.Vm, $"file {missing}");
        await _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, machine.Vm);
                if (DomainLookup.IsActive(domain)) throw Refusals.DomainOn(machine.Vm);
                var xml = Native.Take(Native.virDomainGetXMLDesc(domain, XmlWithSecrets | XmlOfNextStart)) ?? throw LibvirtException.Last("reading the definition");
                var definition = XElement.Parse(xml);
                DomainDisks.Replace(definition, disks, seed);
                DomainMetadata.SetDisk(definition, machine.DiskGeneration);
                using var defined = Native.virDomainDefineXMLFlags(connection, definition.ToString(), DefineValidated);
                if (defined.IsInvalid) throw LibvirtException.Last($"giving {machine.Name} its new disk");
            },
            e => new HypervisorException("rebuild_failed", $"The VM '{machine.Name}' could not be given its new disk: {e.Said}", cause: e),
            stop);
    }

    public async Task RemoveFormerDisks(VmId vm, long generation, CancellationToken stop)
    {
        await _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, vm);
                if (DomainLookup.Disk(domain) != generation) throw Refusals.OtherDisk(vm, generation);
                ForgetSnapshotsOfOtherDisks(domain);
            },
            e => new HypervisorException("remove_failed", $"The snapshots in the former disk of VM {vm} could not be forgotten: {e.Said}", cause: e),
            stop);
        await _storage.RemoveOthers(vm, generation, stop);
    }

    public Task<IReadOnlyList<VmId>> FormerDiskOwners(CancellationToken stop) => Task.FromResult(_storage.OwnersOfSeveral());

    public async Task Undefine(VmId vm, CancellationToken stop)
    {
        await _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Find(connection, vm);
                if (domain is null) return;
                if (DomainLookup.IsActive(domain)) throw Refusals.DomainRunning(vm);
                if (Native.virDomainUndefineFlags(domain, UndefineWithEverything) < 0)
                {
                    var error = LibvirtException.Last($"removing VM {vm}");
                    if (error.Error != LibvirtError.NoDomain) throw error;
                }
            },
            e => new HypervisorException("undefine_failed", $"VM {vm} could not be removed from libvirt: {e.Said}", cause: e),
            stop);
        Log(vm).Remove();
    }

    public async Task RemoveDisks(VmId vm, CancellationToken stop)
    {
        await _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Find(connection, vm);
                if (domain is not null && DomainLookup.IsActive(domain)) throw Refusals.DomainRunning(vm);
            },
            e => new HypervisorException("remove_failed", $"The state of VM {vm} could not be read: {e.Said}", cause: e),
            stop);
        await _storage.Remove(vm, stop);
    }

    public Task<IReadOnlyList<VmId>> DiskOwners(CancellationToken stop) => Task.FromResult(_storage.Owners());

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var vm in _consoles.Keys) await CloseConsole(vm);
        await _libvirt.DisposeAsync();
        _events.Writer.TryComplete();
    }

    private SerialLog Log(VmId vm) => new(_options.ConsolesPath, vm);

    private bool DirectIoAt(string directory) => Directory.Exists(directory) && _directIo.GetOrAdd(directory, DirectIo.Supported);

    /// <summary>On libvirt's thread: passes the event on and never blocks.</summary>
    private void Happened(DomainEvent e)
    {
        if (e is { Vm: { } vm, What: "stopped" } && _consoles.TryGetValue(vm, out var console)) console.DomainOff();
        _events.Writer.TryWrite(e);
    }
}
