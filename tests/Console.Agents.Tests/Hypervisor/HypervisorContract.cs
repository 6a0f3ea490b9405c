using Plinth.Agents.Machines;
using Plinth.Agents.Network;
using Plinth.Agents.Storage;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Xunit;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>What every <see cref="IHypervisor"/> promises. Run against the simulated host and against libvirt.</summary>
public abstract partial class HypervisorContract : IAsyncLifetime
{
    private static readonly CancellationToken Stop = CancellationToken.None;
    private HypervisorBench _bench = null!;

    protected abstract Task<HypervisorBench> Open();

    protected HypervisorBench Bench => _bench;

    protected IHypervisor Host => _bench.Hypervisor;

    public async Task InitializeAsync()
    {
        _bench = await Open();
        await Host.EnsurePool(_bench.StoragePool, Stop);
        await Host.EnsureNetwork(_bench.Network, Stop);
        await _bench.ProvideImage();
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task A_guest_on_a_network_of_its_own_has_the_address_that_it_was_given()
    {
        var machine = _bench.Machine("own-segment");
        var segment = HypervisorBench.Segment(machine.Nics[0].Mac, "10.20.0.77");
        machine = machine with { Nics = [machine.Nics[0] with { Network = segment.Id, Address = "10.20.0.77" }] };
        Assert.True((await Host.EnsureNetwork(segment, Stop)).Ready);
        var desired = new DesiredHostState(new Generation(1), [_bench.StoragePool], [segment], [machine], []);
        Assert.True((await Host.EnsureRules(desired, Stop)).Ready);
        Assert.Contains(machine.Nics[0].Mac, Host.Pinned);

        foreach (var disk in machine.Disks) await Host.EnsureDisk(machine.Vm, disk, Stop);
        await Host.EnsureSeed(machine.Vm, machine.Seed, Stop);
        await Host.Define(machine, [segment], Stop);
        await Host.Start(machine.Vm, Stop);
        var guest = await Eventually.Get("the guest has an address", async () => await Host.Guest(machine.Vm, Stop) is { Addresses.Count: > 0 } answer ? answer : null);
        Assert.Contains("10.20.0.77", guest.Addresses);

        // Nothing has changed: no drift. Flushed by hand: put right, and said.
        Assert.Null((await Host.EnsureRules(desired, Stop)).DriftAt);
        await _bench.FlushRules();
        var healed = await Host.EnsureRules(desired, Stop);
        Assert.True(healed.Ready);
        Assert.NotNull(healed.DriftAt);
        Assert.Contains("bridge plinth was missing", healed.Drift);
        Assert.Equal(healed, await Host.EnsureRules(desired, Stop));

        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);
        await Host.PruneNetworks([], Stop);
        Assert.True((await Host.EnsureRules(desired with { Machines = [], Networks = [] }, Stop)).Ready);
        Assert.DoesNotContain(machine.Nics[0].Mac, Host.Pinned);
    }

    [Fact]
    public async Task An_interface_comes_and_goes_while_the_machine_runs_and_while_it_is_off_held_to_its_own_addresses()
    {
        var machine = _bench.Machine("two-networks");
        var (first, nic) = (machine.Nics[0].Mac, HypervisorBench.SecondNic("52:54:00:fd:00:02"));
        var segment = HypervisorBench.Segment(nic.Mac, nic.Address!);
        DesiredHostState Desired(params DesiredNic[] nics) => new(new Generation(1), [_bench.StoragePool], [_bench.Network, segment], [machine with { Nics = nics }], []);
        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, Stop) is not null);
        Assert.Equal([new InterfaceInfo(machine.Vm, first, true, true)], await InterfacesOf(machine));

        Assert.True((await Host.EnsureNetwork(segment, Stop)).Ready);
        Assert.True((await Host.EnsureRules(Desired(machine.Nics[0], nic), Stop)).Ready);
        Assert.True(await _bench.Pins(nic.Mac));
        for (var i = 0; i < 2; i++) await Host.AddInterface(machine.Vm, nic, segment, Stop);
        Assert.Equal([new(machine.Vm, first, true, true), new(machine.Vm, nic.Mac, true, true)], await InterfacesOf(machine));

        // The machine keeps it over a restart and a change of its definition; a definition made anew has what is wished.
        await Host.Adjust(machine with { MemoryMib = 160 }, Stop);
        await Host.SwitchOff(machine.Vm, Stop);
        Assert.Equal(new InterfaceInfo(machine.Vm, nic.Mac, true, false), (await InterfacesOf(machine))[1]);
        await Host.Define(machine with { Nics = [machine.Nics[0], nic with { Leaving = true }] }, [_bench.Network, segment], Stop);
        Assert.Equal([first], (await InterfacesOf(machine)).Select(i => i.Mac));
        await Host.Define(machine with { Nics = [machine.Nics[0], nic] }, [_bench.Network, segment], Stop);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal(new InterfaceInfo(machine.Vm, nic.Mac, true, true), (await InterfacesOf(machine))[1]);
        await Eventually.Holds("the guest releases it", async () =>
        {
            await Host.RemoveInterface(machine.Vm, nic.Mac, Stop);
            return (await InterfacesOf(machine)).All(i => i.Mac != nic.Mac);
        });
        Assert.True((await Host.EnsureRules(Desired(machine.Nics[0]), Stop)).Ready);
        Assert.False(await _bench.Pins(nic.Mac));
        Assert.True(await _bench.Pins(first));

        // The only one may go too, and a machine that is off takes and loses them at once.
        await Host.SwitchOff(machine.Vm, Stop);
        await Host.AddInterface(machine.Vm, nic, segment, Stop);
        Assert.Equal([new(machine.Vm, first, true, false), new(machine.Vm, nic.Mac, true, false)], await InterfacesOf(machine));
        foreach (var mac in new[] { first, nic.Mac, nic.Mac }) await Host.RemoveInterface(machine.Vm, mac, Stop);
        Assert.Empty(await InterfacesOf(machine));
        await Host.Start(machine.Vm, Stop);
        await Host.SwitchOff(machine.Vm, Stop);

        Assert.Equal("invalid_mac", await CodeOf(() => Host.AddInterface(machine.Vm, nic with { Mac = "52:54:00" }, segment, Stop)));
        Assert.Equal("invalid_address", await CodeOf(() => Host.AddInterface(machine.Vm, nic with { Address = "10.21.0.1" }, segment, Stop)));
        Assert.Equal("network_missing", await CodeOf(() => Host.AddInterface(machine.Vm, nic, _bench.Network, Stop)));
        Assert.Equal("domain_missing", await CodeOf(() => Host.AddInterface(_bench.Machine("nobody").Vm, nic, segment, Stop)));
        Assert.Equal("", await CodeOf(() => Host.RemoveInterface(_bench.Machine("nobody").Vm, nic.Mac, Stop)));
        await Remove(machine.Vm);
        await Host.PruneNetworks([], Stop);
        await Host.EnsureRules(Desired() with { Machines = [], Networks = [] }, Stop);
    }

    [Fact]
    public async Task A_running_machine_without_a_free_port_has_the_interface_from_its_next_start_on()
    {
        var machine = _bench.Machine("full");
        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        var filling = await _bench.FillPorts(machine);
        var nic = new DesiredNic("52:54:00:fd:00:03", _bench.Network.Id);
        for (var i = 0; i < 2; i++) Assert.Equal("no_port", await CodeOf(() => Host.AddInterface(machine.Vm, nic, _bench.Network, Stop)));
        Assert.Equal(new InterfaceInfo(machine.Vm, nic.Mac, true, false), (await InterfacesOf(machine)).Single(i => i.Mac == nic.Mac));
        await Host.SwitchOff(machine.Vm, Stop);
        foreach (var mac in filling) await Host.RemoveInterface(machine.Vm, mac, Stop);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal(new InterfaceInfo(machine.Vm, nic.Mac, true, true), (await InterfacesOf(machine)).Single(i => i.Mac == nic.Mac));
        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_start_that_was_cut_short_goes_on_and_a_pause_stays()
    {
        var machine = _bench.Machine("cut-short");
        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        await _bench.Strand(machine);
        await Eventually.Holds("it stands still", async () => await StateOf(machine.Vm) == (DomainState.Paused, OffReason.None));
        await Host.Start(machine.Vm, Stop);
        Assert.Equal(DomainState.Running, (await InfoOf(machine.Vm))!.State);

        await Host.Pause(machine.Vm, Stop);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal(DomainState.Paused, (await InfoOf(machine.Vm))!.State);
        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_vm_lives_from_disk_to_removal()
    {
        var machine = _bench.Machine("whole-life");
        await Prepare(machine);
        Assert.Equal((DomainState.Off, OffReason.NeverStarted), await StateOf(machine.Vm));

        await Host.Start(machine.Vm, Stop);
        var running = await InfoOf(machine.Vm);
        Assert.Equal(DomainState.Running, running!.State);
        Assert.NotEqual("", running.StartKey);

        // Two viewers from early on, one who comes when the boot is over: each reads the whole boot once.
        await using (var first = new ConsoleReader(await Host.OpenSerial(machine.Vm, Stop)))
        await using (var second = new ConsoleReader(await Host.OpenSerial(machine.Vm, Stop)))
        {
            await first.Until("Plinth guest whole-life ready");
            await first.Until("# ");
            await second.Until("# ");
            await using var late = new ConsoleReader(await Host.OpenSerial(machine.Vm, Stop));
            await late.Until("Plinth guest whole-life ready");
            await late.Until("# ");
            await first.Type("hostname\n");
            await second.Until("whole-life\r\n");
            await late.Until("whole-life\r\n");
            Assert.All([first, second, late], viewer => Assert.Equal(1, viewer.Times("Plinth guest whole-life ready")));

            await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, Stop) is not null);
            await Host.Reboot(machine.Vm, force: false, Stop);
            await first.Until("Plinth guest whole-life ready");
            await Host.Reboot(machine.Vm, force: true, Stop);
            await first.Until("Plinth guest whole-life ready");
            Assert.Equal(running.StartKey, (await InfoOf(machine.Vm))!.StartKey);
        }

        var guest = await Eventually.Get("the guest agent answers with an address", async () => await Host.Guest(machine.Vm, Stop) is { Addresses.Count: > 0 } answer ? answer : null);
        Assert.StartsWith("10.87.", guest.Addresses[0]);

        var counters = await CountersOf(machine.Vm);
        Assert.Equal((running.StartKey, 1), (counters.StartKey, counters.Vcpus));
        await Eventually.Holds("CPU time grows", async () => (await CountersOf(machine.Vm)).CpuTimeNanoseconds > counters.CpuTimeNanoseconds);
        Assert.InRange(counters.MemoryUsedMib, 1, 4096);
        Assert.True(counters.DiskReadBytes > 1_000_000, $"a boot reads more than {counters.DiskReadBytes} bytes");

        await Host.Shutdown(machine.Vm, Stop);
        await Eventually.Holds("the guest shuts down", async () => await StateOf(machine.Vm) == (DomainState.Off, OffReason.GuestShutdown));
        Assert.Null(await Host.Guest(machine.Vm, Stop));
        Assert.DoesNotContain(await Host.Counters(Stop), c => c.Vm == machine.Vm);

        await Host.Start(machine.Vm, Stop);
        Assert.NotEqual(running.StartKey, (await InfoOf(machine.Vm))!.StartKey);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, Stop)))
        {
            await Host.SwitchOff(machine.Vm, Stop);
            await console.UntilEnd();
        }
        Assert.Equal((DomainState.Off, OffReason.SwitchedOff), await StateOf(machine.Vm));

        await Remove(machine.Vm);
    }

    [Fact]
    public async Task The_screen_is_shown_to_several_viewers_and_outlives_a_reboot()
    {
        var machine = _bench.Machine("screened");
        await Prepare(machine);
        Assert.Equal("domain_off", await CodeOf(() => Host.OpenVnc(machine.Vm, Stop)));
        await Host.Start(machine.Vm, Stop);
        await using var first = await RfbViewer.Open(await Host.OpenVnc(machine.Vm, Stop), shared: true);
        Assert.True(first.Width >= 320 && first.Height >= 200, $"{first.Width} × {first.Height}");
        await Eventually.Holds("something is drawn", async () => await first.Colours() > 1);

        // Who asks to be the only one is turned away: nobody loses the picture to somebody else.
        await using (var exclusive = await Host.OpenVnc(machine.Vm, Stop)) await Assert.ThrowsAnyAsync<IOException>(() => RfbViewer.Open(exclusive, shared: false));
        await using (var second = await RfbViewer.Open(await Host.OpenVnc(machine.Vm, Stop), shared: true))
        {
            Assert.Equal(first.Name, second.Name);
            Assert.True(await second.Colours() > 0);
            await second.Press('a');
        }
        await Host.Reboot(machine.Vm, force: true, Stop);
        await Eventually.Holds("something is drawn after the reboot", async () => await first.Colours() > 1);
        await Host.SwitchOff(machine.Vm, Stop);
        await first.UntilEnd();
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_machine_is_paused_resumed_renamed_and_resized_while_it_runs()
    {
        var machine = _bench.Machine("changing");
        await Prepare(machine);
        Assert.Equal("domain_off", await CodeOf(() => Host.Pause(machine.Vm, Stop)));
        Assert.Equal("domain_off", await CodeOf(() => Host.Resume(machine.Vm, Stop)));
        await Host.Start(machine.Vm, Stop);
        var started = (await InfoOf(machine.Vm))!;
        Assert.Equal(machine.Size, started.Running);
        await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, Stop) is not null);

        for (var i = 0; i < 2; i++) await Host.Pause(machine.Vm, Stop);
        Assert.Equal(DomainState.Paused, (await StateOf(machine.Vm)).Item1);
        Assert.Null(await Host.Guest(machine.Vm, Stop));
        for (var i = 0; i < 2; i++) await Host.Resume(machine.Vm, Stop);
        Assert.Equal(DomainState.Running, (await StateOf(machine.Vm)).Item1);
        Assert.Equal(started.StartKey, (await InfoOf(machine.Vm))!.StartKey);
        await Eventually.Holds("the guest agent answers again", async () => await Host.Guest(machine.Vm, Stop) is not null);

        // vCPUs at once; memory, and a vCPU less, from the next start on.
        var bigger = machine with { Name = "changed", Vcpus = 2, MemoryMib = 192 };
        for (var i = 0; i < 2; i++) await Host.Adjust(bigger, Stop);
        Assert.Equal(new MachineSize(2, 128), (await InfoOf(machine.Vm))!.Running);
        await Eventually.Holds("the counters know both", async () => (await CountersOf(machine.Vm)).Vcpus == 2);
        await Host.Adjust(bigger with { Vcpus = 1 }, Stop);
        Assert.Equal(new MachineSize(2, 128), (await InfoOf(machine.Vm))!.Running);
        Assert.Equal("invalid_vcpus", await CodeOf(() => Host.Adjust(machine with { Vcpus = 0 }, Stop)));
        Assert.Equal("domain_missing", await CodeOf(() => Host.Adjust(_bench.Machine("nobody"), Stop)));

        // A paused guest cannot answer: it is let go on and then asked.
        await Host.Pause(machine.Vm, Stop);
        await Host.Shutdown(machine.Vm, Stop);
        await Eventually.Holds("it shuts down", async () => await StateOf(machine.Vm) == (DomainState.Off, OffReason.GuestShutdown));
        Assert.Null((await InfoOf(machine.Vm))!.Running);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal(new MachineSize(1, 192), (await InfoOf(machine.Vm))!.Running);
        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task Each_act_done_twice_is_done_once()
    {
        var machine = _bench.Machine("twice");
        for (var i = 0; i < 2; i++)
        {
            Assert.True((await Host.EnsurePool(_bench.StoragePool, Stop)).Ready);
            Assert.True((await Host.EnsureNetwork(_bench.Network, Stop)).Ready);
            await Prepare(machine);
        }
        await Host.Start(machine.Vm, Stop);
        var key = (await InfoOf(machine.Vm))!.StartKey;
        await Host.Start(machine.Vm, Stop);
        await Prepare(machine);
        Assert.Equal(key, (await InfoOf(machine.Vm))!.StartKey);
        Assert.Single(await Host.Domains(Stop), d => d.Vm == machine.Vm);
        Assert.Single(await Host.DiskOwners(Stop), machine.Vm);
        for (var i = 0; i < 2; i++) await Host.SwitchOff(machine.Vm, Stop);
        for (var i = 0; i < 2; i++) await Remove(machine.Vm);
    }

    [Fact]
    public async Task Somebody_elses_domain_is_listed_and_left_alone()
    {
        await _bench.PlantForeignDomain("not-ours");
        var machine = _bench.Machine("beside");
        await Prepare(machine);
        await Remove(machine.Vm);
        var foreign = Assert.Single(await Host.Domains(Stop), d => d.Name == "not-ours");
        Assert.Null(foreign.Vm);
    }

    [Fact]
    public async Task The_service_may_die_before_any_step()
    {
        var machine = _bench.Machine("survivor");
        await Revived(() => Host.EnsurePool(_bench.StoragePool, Stop));
        await Revived(() => Host.EnsureNetwork(_bench.Network, Stop));
        foreach (var disk in machine.Disks) await Revived(() => Host.EnsureDisk(machine.Vm, disk, Stop));
        await Revived(() => Host.EnsureSeed(machine.Vm, machine.Seed, Stop));
        await Revived(() => Host.Define(machine, [_bench.Network], Stop));
        await Revived(() => Host.Start(machine.Vm, Stop));
        var key = (await InfoOf(machine.Vm))!.StartKey;

        await Revived(() => Host.Start(machine.Vm, Stop));
        Assert.Equal(key, (await InfoOf(machine.Vm))!.StartKey);
        await Eventually.Holds("events flow again", async () =>
        {
            while (Host.Events.TryRead(out var e))
                if (e is { Vm: null, What: "reconnected" }) return true;
            return await Task.FromResult(false);
        });

        await Revived(() => Host.SwitchOff(machine.Vm, Stop));
        await Revived(() => Host.Undefine(machine.Vm, Stop));
        await Revived(() => Host.RemoveDisks(machine.Vm, Stop));
        Assert.Null(await InfoOf(machine.Vm));
        Assert.DoesNotContain(machine.Vm, await Host.DiskOwners(Stop));
    }

    [Fact]
    public async Task While_the_service_is_away_everything_says_so()
    {
        await _bench.KillService();
        try
        {
            await Eventually.Holds("calls fail as unreachable", async () => await CodeOf(() => Host.Domains(Stop)) == "unreachable");
        }
        finally
        {
            await _bench.StartService();
        }
        await Eventually.Holds("calls work again", async () => await CodeOf(() => Host.Domains(Stop)) == "");
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_a_code()
    {
        var machine = _bench.Machine("refused");
        Assert.Equal("domain_missing", await CodeOf(() => Host.Start(machine.Vm, Stop)));
        Assert.Equal("domain_missing", await CodeOf(() => Host.OpenSerial(machine.Vm, Stop)));
        Assert.Equal("domain_missing", await CodeOf(() => Host.OpenVnc(machine.Vm, Stop)));
        Assert.Equal("", await CodeOf(() => Host.SwitchOff(machine.Vm, Stop)));
        Assert.Equal("", await CodeOf(() => Host.Undefine(machine.Vm, Stop)));
        Assert.Equal("pool_missing", await CodeOf(() => Host.EnsureDisk(machine.Vm, machine.Disks[0] with { Pool = "nowhere", Image = null }, Stop)));
        Assert.Equal("network_missing", await CodeOf(() => Host.Define(machine, [], Stop)));
        Assert.Equal("invalid_name", await CodeOf(() => Host.Define(machine with { Name = "a<b>&'\";$(reboot)" }, [_bench.Network], Stop)));
        Assert.Equal("invalid_name", await CodeOf(() => Host.Define(machine with { Name = "../../etc" }, [_bench.Network], Stop)));
        Assert.Equal("invalid_vcpus", await CodeOf(() => Host.Define(machine with { Vcpus = -1 }, [_bench.Network], Stop)));
        Assert.Equal("invalid_memory", await CodeOf(() => Host.Define(machine with { MemoryMib = int.MaxValue }, [_bench.Network], Stop)));
        Assert.Equal("invalid_serial", await CodeOf(() => Host.EnsureDisk(machine.Vm, machine.Disks[0] with { Serial = "../root" }, Stop)));
        Assert.Equal("invalid_disk_size", await CodeOf(() => Host.EnsureDisk(machine.Vm, machine.Disks[0] with { SizeGib = 0 }, Stop)));
        Assert.Equal("invalid_user_name", await CodeOf(() => Host.EnsureSeed(machine.Vm, machine.Seed with { UserName = "root:x\n" }, Stop)));
        Assert.DoesNotContain(machine.Vm, await Host.DiskOwners(Stop));

        await Host.Define(machine, [_bench.Network], Stop);
        Assert.Equal("disk_missing", await CodeOf(() => Host.Start(machine.Vm, Stop)));
        Assert.Equal("domain_off", await CodeOf(() => Host.OpenSerial(machine.Vm, Stop)));
        Assert.Equal("domain_off", await CodeOf(() => Host.Shutdown(machine.Vm, Stop)));

        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal("domain_running", await CodeOf(() => Host.Undefine(machine.Vm, Stop)));
        Assert.Equal("domain_running", await CodeOf(() => Host.RemoveDisks(machine.Vm, Stop)));
        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task The_host_describes_itself()
    {
        var facts = await Host.Facts(Stop);
        Assert.NotEqual("", facts.Hostname);
        Assert.NotEqual(Acceleration.Kvm == facts.Acceleration ? "" : "kvm", facts.AccelerationReason);
        Assert.True(facts.Pool is { Name: HostPool.DefaultName, Kind: PoolKind.Directory, Shared: false, ThinProvisioning: true }, $"{facts.Pool}");
        Assert.True(facts.Capacity is { Vcpus: > 0, MemoryMib: > 0, DiskGib: > 0 }, facts.Capacity.ToString());
        // The packages that ./test installs bring all of it.
        Assert.Equal(new FirmwareSupport(Uefi: true, SecureBoot: true, Tpm: true), facts.Firmware);
        var free = await Host.Free(Stop);
        Assert.True(free.Vcpus == facts.Capacity.Vcpus && free.MemoryMib is > 0 && free.DiskGib is > 0, free.ToString());
        var sample = await Host.Sample(Stop);
        Assert.InRange(sample.CpuPercent, 0, 100);
        Assert.InRange(sample.MemoryUsedMib, 1, sample.MemoryTotalMib);
        Assert.InRange(sample.DiskUsedMib, 0, sample.DiskTotalMib);
    }

    protected async Task Prepare(DesiredMachine machine)
    {
        foreach (var disk in machine.Disks) await Host.EnsureDisk(machine.Vm, disk, Stop);
        await Host.EnsureSeed(machine.Vm, machine.Seed, Stop);
        // A guest whose interface no rule knows is mute.
        await Host.EnsureRules(new DesiredHostState(new Generation(1), [_bench.StoragePool], [_bench.Network], [machine], []), Stop);
        await Host.Define(machine, [_bench.Network], Stop);
    }

    protected async Task Remove(VmId vm)
    {
        await Host.Undefine(vm, Stop);
        await Host.RemoveDisks(vm, Stop);
        Assert.Null(await InfoOf(vm));
        Assert.DoesNotContain(vm, await Host.DiskOwners(Stop));
    }

    /// <summary>The service dies, comes back, and the act succeeds; until then nothing but "unreachable" is said.</summary>
    private async Task Revived(Func<Task> act)
    {
        await _bench.KillService();
        await _bench.StartService();
        await Eventually.Holds("the act succeeds after the service's return", async () =>
        {
            var code = await CodeOf(act);
            Assert.True(code is "" or "unreachable", code);
            return code == "";
        });
    }

    private const long Gib = 1L << 30;

    private async Task<IReadOnlyList<InterfaceInfo>> InterfacesOf(DesiredMachine machine) =>
        [.. (await Host.Interfaces(Stop)).Where(i => i.Vm == machine.Vm).OrderByDescending(i => i.Mac == machine.Nics[0].Mac)];

    protected async Task<VolumeInfo?> VolumeOf(DesiredVolume volume) => (await Host.Volumes(Stop)).SingleOrDefault(v => v.Volume == volume.Volume);

    private async Task<DomainInfo?> InfoOf(VmId vm) => (await Host.Domains(Stop)).SingleOrDefault(d => d.Vm == vm);

    protected async Task<(DomainState, OffReason)> StateOf(VmId vm) => await InfoOf(vm) is { } info ? (info.State, info.Off) : (DomainState.Absent, OffReason.None);

    private async Task<DomainCounters> CountersOf(VmId vm) => (await Host.Counters(Stop)).Single(c => c.Vm == vm);

    private static async Task<string> CodeOf(Func<Task> act)
    {
        try
        {
            await act();
            return "";
        }
        catch (HypervisorException e)
        {
            Assert.True(e.Message.Length > 20 && (e.Message.EndsWith('.') || e.Message.EndsWith(')') || e.InnerException is not null), $"no sentence for people: {e.Message}");
            return e.Code;
        }
    }
}
