using System.Text.Json;
using Plinth.Agents.Machines;
using Plinth.Core.Inventory;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Xunit;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>One lab host for all tests with libvirt: it takes seconds to make. Needs root and the packages that <c>./test</c> installs.</summary>
public sealed class LibvirtFixture : IAsyncLifetime
{
    public LabHost Lab { get; private set; } = null!;
    public string GuestImage { get; private set; } = "";

    public async Task InitializeAsync()
    {
        GuestImage = await LabHost.GuestImage();
        Lab = await LabHost.Up(storageMib: 2560);
    }

    public async Task DisposeAsync() => await Lab.DisposeAsync();
}

/// <summary>The contract, held by libvirt in a lab host.</summary>
public sealed class LibvirtHypervisorTests(LibvirtFixture fixture, Xunit.Abstractions.ITestOutputHelper output) : HypervisorContract, IClassFixture<LibvirtFixture>
{
    protected override Task<HypervisorBench> Open() => Task.FromResult<HypervisorBench>(new LabBench(fixture));

    [Fact]
    public async Task The_seed_reaches_the_guest_and_the_power_button_is_enough_to_shut_it_down()
    {
        var machine = Bench.Machine("seeded");
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("Plinth guest seeded ready");
            await console.Until("seeded:/# ");
            await console.Type("id -un ada; cat /home/ada/.ssh/authorized_keys\n");
            await console.Until("ada\r\n" + machine.Seed.SshKeys[0]);
            await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, default) is not null);
            await console.Type("killall qemu-ga\n");
            await Eventually.Holds("the guest agent is silent", async () => await Host.Guest(machine.Vm, default) is null);
            await Host.Shutdown(machine.Vm, default);
            await console.UntilEnd();
        }
        await Eventually.Holds("it is off", async () => await StateOf(machine.Vm) == (DomainState.Off, OffReason.GuestShutdown));
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_guest_uses_the_vcpu_that_is_added_and_virsh_shows_the_new_name()
    {
        var machine = Bench.Machine("growing");
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("growing:/# ");
            await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, default) is not null);
            await Host.Adjust(machine with { Name = "grown", Vcpus = 2 }, default);
            await console.Type("echo processors $(grep -c ^processor /proc/cpuinfo)\n");
            await console.Until("processors 2\r\n");
        }
        var uuid = machine.Vm.Value.ToString();
        Assert.Equal(["grown", "grown"], [(await fixture.Lab.Virsh("desc", uuid, "--title")).Trim(), (await fixture.Lab.Virsh("desc", uuid, "--title", "--config")).Trim()]);
        Assert.Equal(DomainRules.DomainName(machine), (await fixture.Lab.Virsh("domname", uuid)).Trim());
        await Host.SwitchOff(machine.Vm, default);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task The_guest_sees_a_volume_come_grow_and_go()
    {
        var machine = Bench.Machine("plugged");
        var volume = Bench.Volume("data");
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await Host.EnsureVolume(volume, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("plugged:/# ");
            await Host.Attach(volume, machine.Vm, default);
            await console.Type("until [ -e /sys/block/vdc ]; do sleep 1; done; echo it is $(cat /sys/block/vdc/serial), $(cat /sys/block/vdc/size) sectors\n");
            await console.Until($"it is {volume.Serial}, {2 << 20} sectors\r\n");
            await console.Type("echo precious | dd of=/dev/vdc bs=512 conv=sync,fsync 2> /dev/null; head -c 8 /dev/vdc; echo\n");
            await console.Until("precious\r\n");
            await Host.EnsureVolume(volume with { SizeGib = 2 }, default);
            await console.Type($"until [ $(cat /sys/block/vdc/size) = {4 << 20} ]; do sleep 1; done; echo it has grown to $(cat /sys/block/vdc/size)\n");
            await console.Until($"it has grown to {4 << 20}\r\n");
            await Eventually.Holds("the guest releases it", async () =>
            {
                await Host.Detach(volume.Volume, machine.Vm, default);
                return await VolumeOf(volume) is { Vm: null };
            });
            await console.Type("ls /sys/block | grep -c vdc; echo counted\n");
            await console.Until("0\r\ncounted\r\n");

            // What was written is there for the next machine.
            await Host.Attach(volume, machine.Vm, default);
            await console.Type("until [ -e /sys/block/vdc ]; do sleep 1; done; echo it reads $(head -c 8 /dev/vdc)\n");
            await console.Until("it reads precious\r\n");
        }
        await Host.SwitchOff(machine.Vm, default);
        await Remove(machine.Vm);
        await Host.RemoveVolume(volume.Volume, default);
    }

    [Fact]
    public async Task The_guest_sees_an_interface_come_has_its_address_by_DHCP_and_sees_it_go()
    {
        var machine = Bench.Machine("connected");
        var nic = HypervisorBench.SecondNic("52:54:00:fd:00:01");
        var segment = HypervisorBench.Segment(nic.Mac, nic.Address!);
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("connected:/# ");
            Assert.True((await Host.EnsureNetwork(segment, default)).Ready);
            await Host.EnsureRules(new DesiredHostState(new Generation(2), [Bench.StoragePool], [Bench.Network, segment], [machine with { Nics = [.. machine.Nics, nic] }], []), default);
            await Host.AddInterface(machine.Vm, nic, segment, default);
            await console.Type("until [ -e /sys/class/net/eth1 ]; do sleep 1; done; echo it is $(cat /sys/class/net/eth1/address), $(cat /sys/class/net/eth1/mtu) bytes\n");
            await console.Until($"it is {nic.Mac}, 1450 bytes\r\n");
            var guest = await Eventually.Get("the guest tells of its addresses on both", async () =>
                await Host.Guest(machine.Vm, default) is { } told && told.On(nic.Mac).Count > 0 && told.On(machine.Nics[0].Mac).Count > 0 ? told : null);
            Assert.Equal([nic.Address!], guest.On(nic.Mac));
            Assert.StartsWith("10.87.", guest.On(machine.Nics[0].Mac)[0]);
            await console.Type("ping -c 1 -w 20 10.20.0.1 > /dev/null && echo the \"gateway\" answers\n");
            await console.Until("the gateway answers\r\n");
            await Eventually.Holds("the guest releases it", async () =>
            {
                await Host.RemoveInterface(machine.Vm, nic.Mac, default);
                return (await Host.Interfaces(default)).All(i => i.Mac != nic.Mac);
            });
            await console.Type("ls /sys/class/net | grep -c eth1; echo counted\n");
            await console.Until("0\r\ncounted\r\n");
        }
        await Host.SwitchOff(machine.Vm, default);
        await Remove(machine.Vm);
        await Host.PruneNetworks([], default);
        Assert.Equal("", await fixture.Lab.Shell($"ip -o link | grep -e {NetworkNames.Guest(nic.Mac)} -e {segment.Bridge} || true"));
    }

    /// <summary>As a kill between the state that libvirt writes before QEMU and QEMU itself leaves it.</summary>
    [Fact]
    public async Task A_machine_that_libvirt_was_killed_starting_is_off_once_libvirt_is_back()
    {
        var machine = Bench.Machine("unstarted");
        var name = DomainRules.DomainName(machine);
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await fixture.Lab.KillLibvirtd();
        await fixture.Lab.Shell($"kill -9 $(cat /run/libvirt/qemu/{name}.pid); sed -i \"s/^<domstatus .*/<domstatus state='paused' reason='starting up' pid='0'>/\" /run/libvirt/qemu/{name}.xml");
        await fixture.Lab.StartLibvirtd();
        Assert.Equal("shut off", (await fixture.Lab.Virsh("domstate", name)).Trim());
        await Host.Start(machine.Vm, default);
        Assert.Equal("running", (await fixture.Lab.Virsh("domstate", name)).Trim());
        await Host.SwitchOff(machine.Vm, default);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_guest_writes_no_faster_than_its_limit_and_again_as_fast_as_before_without_it()
    {
        const int Limit = 1 << 20, Amount = 12;
        var machine = Bench.Machine("throttled");
        var volume = Bench.Volume("measured") with { Vm = machine.Vm };
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await Host.EnsureVolume(volume, default);
        DesiredHostState Desired(IoLimits? limits) => new(new Generation(1), [Bench.StoragePool], [Bench.Network], [machine], [], [volume with { Limits = limits }]);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("throttled:/# ");
            await Host.Attach(volume, machine.Vm, default);
            await console.Type("until [ -e /sys/block/vdc ]; do sleep 1; done; echo it has come\n");
            await console.Until("it has come\r\n");

            // As many bytes, and as many single writes, with and without a limit.
            // By the guest's clock: what it writes to its console may come late.
            async Task<double> Seconds(string work)
            {
                await console.Type($"read began rest < /proc/uptime; {work}; read ended rest < /proc/uptime; echo from $began to $ended in\"deed\"\n");
                await console.Until("\nfrom ");
                var times = (await console.Until(" indeed\r\n")).Split(" to ").Select(t => double.Parse(t, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
                return times[1] - times[0];
            }
            Task<double> Bytes() => Seconds($"dd if=/dev/zero of=/dev/vdc bs=1M count={Amount} conv=fsync 2> /dev/null");
            Task<double> Writes() => Seconds("i=0; while [ $i -lt 60 ]; do dd if=/dev/zero of=/dev/vdc bs=4096 count=1 seek=$i conv=fsync,notrunc 2> /dev/null; i=$((i+1)); done");

            await Bytes();
            var (freeBytes, freeWrites) = (await Bytes(), await Writes());
            await Host.EnsureLimits(Desired(new IoLimits(WriteBytesPerSecond: Limit)), default);
            var heldBytes = await Bytes();
            await Host.EnsureLimits(Desired(new IoLimits(WriteIops: 10)), default);
            var heldWrites = await Writes();
            await Host.EnsureLimits(Desired(null), default);
            var againBytes = await Bytes();
            var figures = $"{Amount} MiB: {freeBytes:0.0} s free, {heldBytes:0.0} s at 1 MiB/s, {againBytes:0.0} s free again; 60 writes: {freeWrites:0.0} s free, {heldWrites:0.0} s at 10/s";
            output.WriteLine(figures);
            // The first tenth of a second's worth may come at once.
            Assert.True(heldBytes >= 0.9 * (Amount - 0.2), figures);
            Assert.True(heldBytes >= 3 * freeBytes && heldBytes >= 3 * againBytes, figures);
            Assert.True(heldWrites >= 0.8 * 6 && heldWrites >= 1.2 * freeWrites, figures);
        }
        await Host.SwitchOff(machine.Vm, default);
        await Remove(machine.Vm);
        await Host.RemoveVolume(volume.Volume, default);
    }

    [Fact]
    public async Task A_guest_starts_under_secure_boot_with_a_tpm_of_its_own_and_nothing_of_either_is_left()
    {
        var machine = Bench.Machine("secured") with { MemoryMib = GuestFirmware.UefiMinMemoryMib, Firmware = new GuestFirmware(FirmwareKind.Uefi, SecureBoot: true, Tpm: true) };
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("secured:/# ");
            await console.Type("echo secure $(dmesg | grep -c 'Secure boot enabled') tpm $(cat /sys/class/tpm/tpm0/tpm_version_major)\n");
            await console.Until("secure 1 tpm 2\r\n");
        }
        await Host.SwitchOff(machine.Vm, default);
        await Remove(machine.Vm);
        var name = DomainRules.DomainName(machine);
        Assert.Equal("", await fixture.Lab.Shell($"find /var/lib/libvirt/qemu/nvram /var/lib/libvirt/swtpm -name '*{name}*' -o -name '*{machine.Vm.Value}*'"));
    }

    [Fact]
    public async Task A_snapshot_brings_back_what_was_in_memory_and_on_the_disk()
    {
        var machine = Bench.Machine("brought-back");
        var moment = SnapshotId.New(DateTimeOffset.UtcNow);
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("brought-back:/# ");
            await console.Type("kept=before; echo before | dd of=/dev/vda bs=512 seek=2000000 conv=sync,fsync 2> /dev/null; echo writ\"ten\"\n");
            await console.Until("written\r\n");
            await Host.TakeSnapshot(machine.Vm, moment, true, default);
            await console.Type("kept=after; echo after | dd of=/dev/vda bs=512 seek=2000000 conv=sync,fsync 2> /dev/null; echo over$((1+1))written\n");
            await console.Until("over2written\r\n");
        }
        await Host.SwitchOff(machine.Vm, default);
        await Host.RevertTo(machine.Vm, moment, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Type("\necho 3 > /proc/sys/vm/drop_caches; echo memory $kept, disk $(dd if=/dev/vda bs=512 skip=2000000 count=1 2> /dev/null | head -c 6)\n");
            await console.Until("memory before, disk before\r\n");
        }
        await Host.SwitchOff(machine.Vm, default);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_snapshot_of_a_disk_in_use_brings_back_the_disk_and_is_removed_even_where_libvirt_does_not_know_it()
    {
        var machine = Bench.Machine("in-use");
        var (moment, orphan) = (SnapshotId.New(DateTimeOffset.UtcNow), SnapshotId.New(DateTimeOffset.UtcNow));
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("in-use:/# ");
            await console.Type("echo before | dd of=/dev/vda bs=512 seek=2000000 conv=sync,fsync 2> /dev/null; echo writ\"ten\"\n");
            await console.Until("written\r\n");
            await Host.TakeSnapshot(machine.Vm, moment, false, default);
            await console.Type("echo after | dd of=/dev/vda bs=512 seek=2000000 conv=sync,fsync 2> /dev/null; echo over$((1+1))written\n");
            await console.Until("over2written\r\n");
        }
        await Host.TakeSnapshot(machine.Vm, orphan, false, default);
        // As an agent leaves it that dies before it tells libvirt.
        await fixture.Lab.Shell($"virsh snapshot-delete --metadata {DomainRules.DomainName(machine)} {orphan}");
        var disk = await fixture.Lab.Shell($"virsh domblklist {DomainRules.DomainName(machine)} | awk '$1 == \"vda\" {{ print $2 }}'");
        Assert.Contains(orphan.ToString(), await InDisk());
        await Host.RemoveSnapshot(machine.Vm, orphan, default);
        Assert.DoesNotContain(orphan.ToString(), await InDisk());
        await Host.SwitchOff(machine.Vm, default);
        await Host.RemoveSnapshot(machine.Vm, orphan, default);

        await Host.RevertTo(machine.Vm, moment, default);
        Assert.Equal(DomainState.Off, (await StateOf(machine.Vm)).Item1);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("in-use:/# ");
            await console.Type("echo disk $(dd if=/dev/vda bs=512 skip=2000000 count=1 2> /dev/null | head -c 6)\n");
            await console.Until("disk before\r\n");
        }
        await Host.SwitchOff(machine.Vm, default);
        await Host.RemoveSnapshot(machine.Vm, moment, default);
        Assert.DoesNotContain(moment.ToString(), await InDisk());
        await Remove(machine.Vm);

        Task<string> InDisk() => fixture.Lab.Shell($"qemu-img snapshot -U -l {disk.Trim()}");
    }

    [Fact]
    public async Task A_guest_whose_process_dies_has_crashed()
    {
        var machine = Bench.Machine("crashing");
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        var pid = await File.ReadAllTextAsync(Path.Combine(fixture.Lab.PidFiles, DomainRules.DomainName(machine) + ".pid"));
        System.Diagnostics.Process.GetProcessById(int.Parse(pid)).Kill();
        await Eventually.Holds("it has crashed", async () => await StateOf(machine.Vm) == (DomainState.Off, OffReason.Crashed));
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_guest_whose_kernel_gives_up_has_crashed()
    {
        var machine = Bench.Machine("panicking");
        await Prepare(machine);
        await Host.Start(machine.Vm, default);
        await using (var console = new ConsoleReader(await Host.OpenSerial(machine.Vm, default)))
        {
            await console.Until("panicking:/# ");
            await console.Type("echo c > /proc/sysrq-trigger\n");
            await Eventually.Holds("it has crashed", async () => await StateOf(machine.Vm) == (DomainState.Off, OffReason.Crashed));
        }
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_libvirtd_that_hangs_makes_calls_fail_instead_of_hang()
    {
        await Host.Domains(default);
        await fixture.Lab.Signal("STOP");
        try
        {
            Assert.Equal("unreachable", (await Assert.ThrowsAsync<HypervisorException>(() => Host.Domains(default))).Code);
            Assert.Equal("unreachable", (await Assert.ThrowsAsync<HypervisorException>(() => Host.Domains(default))).Code);
        }
        finally
        {
            await fixture.Lab.Signal("CONT");
        }
        await Eventually.Holds("calls work again", async () =>
        {
            try
            {
                await Host.Domains(default);
                return true;
            }
            catch (HypervisorException e) when (e.Code == "unreachable")
            {
                return false;
            }
        });
    }

    private sealed class LabBench(LibvirtFixture fixture) : HypervisorBench
    {
        private readonly LibvirtHypervisor _host = new(
            new LibvirtOptions(Uri: fixture.Lab.Uri, Root: fixture.Lab.StateRoot, PidFiles: fixture.Lab.PidFiles, Inside: fixture.Lab.Inside), TimeProvider.System);

        public override IHypervisor Hypervisor => _host;

        public override ImageReference Image { get; } = ReadManifest(fixture.GuestImage);

        public override Task ProvideImage()
        {
            var path = _host.ImagePath(Image);
            if (!File.Exists(path)) File.Copy(Path.Combine(fixture.GuestImage, "plinth-guest.qcow2"), path);
            return Task.CompletedTask;
        }

        // QEMU's own stop, behind libvirt's back.
        public override Task Strand(DesiredMachine machine) => fixture.Lab.Virsh("qemu-monitor-command", DomainRules.DomainName(machine), "--hmp", "stop");

        private string Ballast => Path.Combine(fixture.Lab.StateRoot, "ballast");

        public override async Task RunOutOfSpace(DesiredMachine machine)
        {
            await using var console = new ConsoleReader(await _host.OpenSerial(machine.Vm, default));
            await console.Until($"{machine.Name}:/# ");
            await fixture.Lab.Shell($"fallocate -l $(($(stat -f -c '%f * %S' {fixture.Lab.StateRoot}) - (4 << 20))) {Ballast}");
            await console.Type("dd if=/dev/urandom of=/dev/vda bs=1M count=16 conv=fsync\n");
            // Its echo: the guest has it.
            await console.Until("count=16 conv=fsync");
        }

        public override Task MakeRoom(DesiredMachine machine)
        {
            File.Delete(Ballast);
            return Task.CompletedTask;
        }

        public override async Task WriteOn(DesiredMachine machine, string word)
        {
            await using var console = new ConsoleReader(await _host.OpenSerial(machine.Vm, default));
            await console.Until($"{machine.Seed.Hostname}:/# ");
            await console.Type($"echo {word} | dd of=/dev/vda bs=512 seek=2000000 conv=sync,fsync 2> /dev/null; echo writ\"ten\"\n");
            await console.Until("written\r\n");
        }

        public override async Task ReadsFrom(DesiredMachine machine, string word)
        {
            await using var console = new ConsoleReader(await _host.OpenSerial(machine.Vm, default));
            await console.Until($"{machine.Seed.Hostname}:/# ");
            await console.Type("echo it re\"ads\" \"<$(dd if=/dev/vda bs=512 skip=2000000 count=1 2> /dev/null | tr -d '\\0\\n')>\"\n");
            await console.Until($"it reads <{word}>\r\n");
        }

        public override async Task FlushRules() => await fixture.Lab.Shell("nft flush ruleset");

        public override async Task<bool> Pins(string mac) =>
            (await fixture.Lab.Shell($"nft list chain bridge plinth {NetworkNames.Guest(mac)} 2> /dev/null || true")).Contains($"ether saddr != {mac}");

        public override async Task<IReadOnlyList<string>> FillPorts(DesiredMachine machine)
        {
            for (List<string> taken = []; ; taken.Add($"52:54:00:fe:00:{taken.Count:x2}"))
            {
                try
                {
                    await _host.AddInterface(machine.Vm, new DesiredNic($"52:54:00:fe:00:{taken.Count:x2}", Network.Id), Network, default);
                }
                catch (HypervisorException e) when (e.Code == "no_port")
                {
                    // The last is in the definition only.
                    return [.. taken, $"52:54:00:fe:00:{taken.Count:x2}"];
                }
            }
        }

        // QEMU's own throttle, behind libvirt's back.
        public override async Task LimitByHand(DesiredMachine machine, string serial, IoLimits limits)
        {
            var device = await DeviceOf(machine, serial, "--inactive");
            var arguments = string.Join(", ", new[] { ("bps", 0L), ("bps_rd", limits.ReadBytesPerSecond ?? 0), ("bps_wr", limits.WriteBytesPerSecond ?? 0), ("iops", 0), ("iops_rd", limits.ReadIops ?? 0), ("iops_wr", limits.WriteIops ?? 0) }
                .Select(a => $"\"{a.Item1}\": {a.Item2}"));
            var path = (await fixture.Lab.Virsh("qemu-monitor-command", DomainRules.DomainName(machine), "{\"execute\": \"query-block\"}")) is var blocks
                ? JsonDocument.Parse(blocks).RootElement.GetProperty("return").EnumerateArray().Select(b => b.GetProperty("qdev").GetString()!).First(q => q.Contains($"virtio-disk{device[^1] - 'a'}"))
                : "";
            // virsh succeeds whatever QEMU answers.
            Assert.DoesNotContain("error", await fixture.Lab.Virsh("qemu-monitor-command", DomainRules.DomainName(machine), $"{{\"execute\": \"block_set_io_throttle\", \"arguments\": {{\"id\": \"{path}\", {arguments}}}}}"));
        }

        public override async Task<(IoLimits, IoLimits)> LimitsOf(DesiredMachine machine, string serial) => (await Tuned(machine, serial, "--live"), await Tuned(machine, serial, "--config"));

        private async Task<IoLimits> Tuned(DesiredMachine machine, string serial, string side)
        {
            var said = await fixture.Lab.Virsh("blkdeviotune", DomainRules.DomainName(machine), await DeviceOf(machine, serial, side == "--live" ? null : "--inactive"), side);
            var values = said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(':', StringSplitOptions.TrimEntries)).Where(l => long.TryParse(l[1], out _)).ToDictionary(l => l[0], l => long.Parse(l[1]));
            Assert.Equal((0, 0), (values["total_bytes_sec"], values["total_iops_sec"]));
            var (name, rate) = values.Where(v => v.Key.EndsWith("_sec") && v.Value > 0).Select(v => (v.Key, v.Value)).FirstOrDefault(("read_iops_sec", 1));
            var burst = values[name + "_max"];
            return new IoLimits(Limit("read_iops_sec"), Limit("write_iops_sec"), Limit("read_bytes_sec"), Limit("write_bytes_sec"), burst > 0 ? (int)(100 * burst / rate) : null, burst > 0 ? (int)values[name + "_max_length"] : null);

            long? Limit(string of) => values[of] is > 0 and var limit ? limit : null;
        }

        private async Task<string> DeviceOf(DesiredMachine machine, string serial, string? side)
        {
            var xml = System.Xml.Linq.XElement.Parse(await fixture.Lab.Virsh([.. new[] { "dumpxml", DomainRules.DomainName(machine), side }.OfType<string>()]));
            return xml.Descendants("disk").Single(d => d.Element("serial")?.Value == serial).Element("target")!.Attribute("dev")!.Value;
        }

        public override Task KillService() => fixture.Lab.KillLibvirtd();

        public override Task StartService() => fixture.Lab.StartLibvirtd();

        public override async Task PlantForeignDomain(string name)
        {
            var file = Path.Combine(fixture.Lab.Directory, "foreign.xml");
            await File.WriteAllTextAsync(file, $"<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory><os><type arch='x86_64'>hvm</type></os></domain>");
            await fixture.Lab.Virsh("define", file);
        }

        public override Task PlantHalfMadeDisk(VmId vm, string serial) =>
            File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(_host.ImagePath(Image))!, PoolFiles.DiskName(vm, serial) + PoolFiles.Part), "half");

        public override Task PlantHalfMadeVolume(VolumeId volume) =>
            File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(_host.ImagePath(Image))!, PoolFiles.VolumeName(volume) + PoolFiles.Part), "half");

        public override ValueTask DisposeAsync()
        {
            // One test that fails must not leave the others without room.
            File.Delete(Ballast);
            return _host.DisposeAsync();
        }

        private static ImageReference ReadManifest(string directory)
        {
            using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory, "plinth-guest.json")));
            var root = manifest.RootElement;
            return new ImageReference(new ImageId(Guid.CreateVersion7()), root.GetProperty("digest").GetString()!, root.GetProperty("sizeBytes").GetInt64(), root.GetProperty("format").GetString()!);
        }
    }
}
