using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Simulation;
using Plinth.Agents.Storage;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Tests.Reconcile;

/// <summary>A desired host state that tests change as a console would: each change is the next generation.</summary>
internal sealed class DesiredBuilder
{
    public static readonly NetworkConfig Network = new(new NetworkId(Guid.Parse("01930000-0000-7000-8000-0000000000aa")), "default", NetworkKind.HostNat, "192.168.122.0/24", "plinth0");

    private static readonly PoolConfig Storage = new(new StorageClassId(Guid.Parse("01930000-0000-7000-8000-0000000000bb")), "default", PoolKind.Directory);

    private readonly Dictionary<VmId, DesiredMachine> _machines = [];
    private readonly HashSet<VmId> _tombstones = [];
    private readonly Dictionary<VolumeId, DesiredVolume> _volumes = [];
    private readonly HashSet<VolumeId> _volumeTombstones = [];

    public long Generation { get; private set; }

    public static DesiredMachine Machine(int number, int stopDeadlineSeconds = 60) => new(
        new VmId(Guid.Parse($"01930000-0000-7000-8000-{number:x12}")), new ProjectId(Guid.Empty), $"vm-{number}", 1, 128,
        [new DesiredDisk("root", "default", 1, new ImageReference(new ImageId(Guid.Empty), "sha256:" + new string('a', 64), 1024, "qcow2"))],
        [new DesiredNic($"52:54:00:00:00:{number:x2}", Network.Id)],
        new Seed($"vm-{number}", "admin", [], ""), true, DesiredPower.Running, 1, stopDeadlineSeconds);

    public static DesiredNic Nic(int number) => new($"52:54:00:00:01:{number:x2}", Network.Id);

    /// <summary>A machine whose disk is a copy of another's.</summary>
    public static DesiredMachine Clone(int number, DesiredMachine of) =>
        Machine(number) is var clone ? clone with { Disks = [clone.Disks[0] with { Image = null, Source = new DiskSource(of.Vm, of.Name, of.DiskGeneration) }] } : of;

    public static DesiredVolume Volume(int number) =>
        new(new VolumeId(Guid.Parse($"01930000-0000-7000-9000-{number:x12}")), new ProjectId(Guid.Empty), $"volume-{number}", $"vol-{number}", "default", 1, null, false);

    public DesiredHostState Put(DesiredVolume volume)
    {
        _volumes[volume.Volume] = volume;
        return Build();
    }

    public DesiredHostState Delete(VolumeId volume)
    {
        _volumes.Remove(volume);
        _volumeTombstones.Add(volume);
        return Build();
    }

    public DesiredHostState Put(DesiredMachine machine)
    {
        _machines[machine.Vm] = machine;
        return Build();
    }

    public DesiredHostState Power(VmId vm, DesiredPower power, int stopDeadlineSeconds = 60) =>
        Put(_machines[vm] with { Power = power, PowerGeneration = _machines[vm].PowerGeneration + 1, StopDeadlineSeconds = stopDeadlineSeconds });

    /// <summary>Another root disk, by the number of the wish; the same again where it was taken back.</summary>
    public DesiredHostState Rebuild(VmId vm, int stopDeadlineSeconds = 60)
    {
        var machine = _machines[vm];
        var number = machine.PowerGeneration + 1;
        return Put(machine with { PowerGeneration = number, StopDeadlineSeconds = stopDeadlineSeconds, Disks = [machine.Disks[0] with { Generation = number }], Seed = machine.Seed with { Generation = number } });
    }

    public DesiredHostState Delete(VmId vm)
    {
        _machines.Remove(vm);
        _tombstones.Add(vm);
        return Build();
    }

    /// <summary>The VM is neither wanted nor a tombstone: as after a console forgot it.</summary>
    public DesiredHostState Forget(VmId vm)
    {
        _machines.Remove(vm);
        _tombstones.Remove(vm);
        return Build();
    }

    private DesiredHostState Build() => new(new Generation(++Generation), [Storage], [Network], [.. _machines.Values], [.. _tombstones.Select(t => new Tombstone(t))], [.. _volumes.Values], [.. _volumeTombstones]);
}

/// <summary>An agent's ledger and reconciler over a hypervisor, as one process would have them; dispose and make another to restart it.</summary>
internal sealed class TestAgent : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;

    public TestAgent(string directory, IHypervisor hypervisor, TimeProvider time, Guid boot = default, IImageSource? images = null)
    {
        Ledger = AgentLedger.Open(directory, durable: false);
        Reconciler = new HostReconciler(hypervisor, Ledger, images ?? new NoImages(), boot, time, AgentLog.Silent);
        _run = Reconciler.Run(_stop.Token);
    }

    public AgentLedger Ledger { get; }
    public HostReconciler Reconciler { get; }

    public void Accept(DesiredHostState desired)
    {
        Ledger.Record(new DesiredEntry(desired));
        Reconciler.Wake();
    }

    /// <summary>Returns after a round that began after the call.</summary>
    public async Task Round()
    {
        var rounds = Reconciler.Rounds;
        await Eventually.True(() =>
        {
            Reconciler.Wake();
            return Reconciler.Rounds >= rounds + 2;
        });
    }

    public ObservedMachine? Observed(VmId vm) => Reconciler.Observe().Machines.FirstOrDefault(m => m.Vm == vm);

    public ObservedVolume? Observed(VolumeId volume) => Reconciler.Observe().Volumes.FirstOrDefault(v => v.Volume == volume);

    /// <summary>Waits until the VM is observed like this, or fails telling how it is.</summary>
    public Task<ObservedMachine> Until(VmId vm, Func<ObservedMachine, bool> holds, TimeSpan? within = null) => Until(() => Observed(vm), holds, $"VM {vm}", within);

    public Task<ObservedVolume> Until(VolumeId volume, Func<ObservedVolume, bool> holds) => Until(() => Observed(volume), holds, $"volume {volume}", null);

    private async Task<T> Until<T>(Func<T?> observed, Func<T, bool> holds, string what, TimeSpan? within) where T : class
    {
        var deadline = DateTime.UtcNow + (within ?? TimeSpan.FromSeconds(20));
        while (true)
        {
            var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void OnChange() => changed.TrySetResult();
            Reconciler.Changed += OnChange;
            try
            {
                if (observed() is { } seen && holds(seen)) return seen;
                var left = deadline - DateTime.UtcNow;
                if (left <= TimeSpan.Zero) throw new Xunit.Sdk.XunitException($"{what} did not come to that: {observed()}");
                await Task.WhenAny(changed.Task, Task.Delay(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1)));
            }
            finally
            {
                Reconciler.Changed -= OnChange;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run;
        Ledger.Dispose();
        _stop.Dispose();
    }
}

internal sealed class NoImages : IImageSource
{
    public Task<(Stream Bytes, long From)> Open(string digest, long from, CancellationToken stop) => throw new HypervisorException("image_missing", "There is no such image.");
}

/// <summary>Counts what is done to each VM.</summary>
internal class CountingHypervisor(IHypervisor inner) : DelegatingHypervisor(inner)
{
    private readonly List<string> _acts = [];

    public IReadOnlyList<string> Acts
    {
        get { lock (_acts) return [.. _acts]; }
    }

    protected override Task Around(string act, VmId? vm, Func<Task> call)
    {
        if (vm is not null && act != nameof(Guest)) lock (_acts) _acts.Add(act);
        return call();
    }
}

/// <summary>Passes every call on, through one place.</summary>
internal abstract class DelegatingHypervisor(IHypervisor inner) : IHypervisor
{
    protected abstract Task Around(string act, VmId? vm, Func<Task> call);

    private async Task<T> Around<T>(string act, VmId? vm, Func<Task<T>> call)
    {
        T? result = default;
        await Around(act, vm, async () => { result = await call(); });
        return result!;
    }

    public Task<Core.Inventory.HostFacts> Facts(CancellationToken stop) => Around(nameof(Facts), null, () => inner.Facts(stop));
    public Task<Resources> Free(CancellationToken stop) => Around(nameof(Free), null, () => inner.Free(stop));
    public Task<ObservedFacility> EnsurePool(PoolConfig pool, CancellationToken stop) => Around(nameof(EnsurePool), null, () => inner.EnsurePool(pool, stop));
    public Task<ObservedFacility> EnsureNetwork(NetworkConfig network, CancellationToken stop) => Around(nameof(EnsureNetwork), null, () => inner.EnsureNetwork(network, stop));
    public Task<ObservedFacility> EnsureRules(DesiredHostState desired, CancellationToken stop) => Around(nameof(EnsureRules), null, () => inner.EnsureRules(desired, stop));
    public Task<ObservedFacility> EnsureLimits(DesiredHostState desired, CancellationToken stop) => Around(nameof(EnsureLimits), null, () => inner.EnsureLimits(desired, stop));
    public TimeSpan LimitsLookEvery => inner.LimitsLookEvery;
    public IReadOnlySet<string> Pinned => inner.Pinned;
    public IReadOnlyList<InterfaceDrops> Drops => inner.Drops;
    public Task PruneNetworks(IReadOnlyList<NetworkConfig> wanted, CancellationToken stop) => Around(nameof(PruneNetworks), null, () => inner.PruneNetworks(wanted, stop));
    public TimeSpan NetworkLookEvery => inner.NetworkLookEvery;
    public string ImagePath(ImageReference image) => inner.ImagePath(image);
    public bool NeedsImageBytes => inner.NeedsImageBytes;
    public Task EnsureDisk(VmId vm, DesiredDisk disk, CancellationToken stop) => Around(nameof(EnsureDisk), vm, () => inner.EnsureDisk(vm, disk, stop));
    public Task CopyDisk(VmId vm, DesiredDisk disk, Action<int> copied, CancellationToken stop) => Around(nameof(CopyDisk), vm, () => inner.CopyDisk(vm, disk, copied, stop));
    public Task EnsureSeed(VmId vm, Seed seed, CancellationToken stop) => Around(nameof(EnsureSeed), vm, () => inner.EnsureSeed(vm, seed, stop));
    public Task Define(DesiredMachine machine, IReadOnlyList<NetworkConfig> networks, CancellationToken stop) => Around(nameof(Define), machine.Vm, () => inner.Define(machine, networks, stop));
    public Task Adjust(DesiredMachine machine, CancellationToken stop) => Around(nameof(Adjust), machine.Vm, () => inner.Adjust(machine, stop));
    public Task TakeDisks(DesiredMachine machine, CancellationToken stop) => Around(nameof(TakeDisks), machine.Vm, () => inner.TakeDisks(machine, stop));
    public Task RemoveFormerDisks(VmId vm, long generation, CancellationToken stop) => Around(nameof(RemoveFormerDisks), vm, () => inner.RemoveFormerDisks(vm, generation, stop));
    public Task<IReadOnlyList<VmId>> FormerDiskOwners(CancellationToken stop) => Around(nameof(FormerDiskOwners), null, () => inner.FormerDiskOwners(stop));
    public Task Start(VmId vm, CancellationToken stop) => Around(nameof(Start), vm, () => inner.Start(vm, stop));
    public Task Shutdown(VmId vm, CancellationToken stop) => Around(nameof(Shutdown), vm, () => inner.Shutdown(vm, stop));
    public Task SwitchOff(VmId vm, CancellationToken stop) => Around(nameof(SwitchOff), vm, () => inner.SwitchOff(vm, stop));
    public Task Reboot(VmId vm, bool force, CancellationToken stop) => Around(nameof(Reboot), vm, () => inner.Reboot(vm, force, stop));
    public Task Pause(VmId vm, CancellationToken stop) => Around(nameof(Pause), vm, () => inner.Pause(vm, stop));
    public Task<string> TakeSnapshot(VmId vm, SnapshotId snapshot, bool withMemory, CancellationToken stop) => Around(nameof(TakeSnapshot), vm, () => inner.TakeSnapshot(vm, snapshot, withMemory, stop));
    public Task RevertTo(VmId vm, SnapshotId snapshot, CancellationToken stop) => Around(nameof(RevertTo), vm, () => inner.RevertTo(vm, snapshot, stop));
    public Task RemoveSnapshot(VmId vm, SnapshotId snapshot, CancellationToken stop) => Around(nameof(RemoveSnapshot), vm, () => inner.RemoveSnapshot(vm, snapshot, stop));
    public Task Resume(VmId vm, CancellationToken stop) => Around(nameof(Resume), vm, () => inner.Resume(vm, stop));
    public Task Undefine(VmId vm, CancellationToken stop) => Around(nameof(Undefine), vm, () => inner.Undefine(vm, stop));
    public Task RemoveDisks(VmId vm, CancellationToken stop) => Around(nameof(RemoveDisks), vm, () => inner.RemoveDisks(vm, stop));
    public Task<IReadOnlyList<DomainInfo>> Domains(CancellationToken stop) => Around(nameof(Domains), null, () => inner.Domains(stop));
    public Task<IReadOnlyList<VmId>> DiskOwners(CancellationToken stop) => Around(nameof(DiskOwners), null, () => inner.DiskOwners(stop));
    public Task<GuestInfo?> Guest(VmId vm, CancellationToken stop) => Around(nameof(Guest), vm, () => inner.Guest(vm, stop));
    public Task<IReadOnlyList<DomainCounters>> Counters(CancellationToken stop) => Around(nameof(Counters), null, () => inner.Counters(stop));
    public Task<HostSample> Sample(CancellationToken stop) => Around(nameof(Sample), null, () => inner.Sample(stop));
    public Task<Stream> OpenSerial(VmId vm, CancellationToken stop) => Around(nameof(OpenSerial), vm, () => inner.OpenSerial(vm, stop));
    public Task<Stream> OpenVnc(VmId vm, CancellationToken stop) => Around(nameof(OpenVnc), vm, () => inner.OpenVnc(vm, stop));
    // What is counted and cut is any one thing that is acted on: a volume goes by its id.
    private static VmId Thing(VolumeId volume) => new(volume.Value);
    public Task<IReadOnlyList<VolumeInfo>> Volumes(CancellationToken stop) => Around(nameof(Volumes), null, () => inner.Volumes(stop));
    public Task EnsureVolume(DesiredVolume volume, CancellationToken stop) => Around(nameof(EnsureVolume), Thing(volume.Volume), () => inner.EnsureVolume(volume, stop));
    public Task Attach(DesiredVolume volume, VmId vm, CancellationToken stop) => Around(nameof(Attach), Thing(volume.Volume), () => inner.Attach(volume, vm, stop));
    public Task Detach(VolumeId volume, VmId vm, CancellationToken stop) => Around(nameof(Detach), Thing(volume), () => inner.Detach(volume, vm, stop));
    public Task RemoveVolume(VolumeId volume, CancellationToken stop) => Around(nameof(RemoveVolume), Thing(volume), () => inner.RemoveVolume(volume, stop));
    public Task<IReadOnlyList<Agents.Network.InterfaceInfo>> Interfaces(CancellationToken stop) => Around(nameof(Interfaces), null, () => inner.Interfaces(stop));
    public Task AddInterface(VmId vm, DesiredNic nic, NetworkConfig network, CancellationToken stop) => Around(nameof(AddInterface), vm, () => inner.AddInterface(vm, nic, network, stop));
    public Task RemoveInterface(VmId vm, string mac, CancellationToken stop) => Around(nameof(RemoveInterface), vm, () => inner.RemoveInterface(vm, mac, stop));
    public System.Threading.Channels.ChannelReader<DomainEvent> Events => inner.Events;
    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
