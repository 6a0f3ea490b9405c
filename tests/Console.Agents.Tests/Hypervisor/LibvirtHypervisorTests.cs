using System.Text.Json;
using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
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
        Lab = await LabHost.Up();
    }

    public async Task DisposeAsync() => await Lab.DisposeAsync();
}

/// <summary>The contract, held by libvirt in a lab host.</summary>
public sealed class LibvirtHypervisorTests(LibvirtFixture fixture) : HypervisorContract, IClassFixture<LibvirtFixture>
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

        public override async Task FlushRules() => await fixture.Lab.Shell("nft flush ruleset");

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

        public override ValueTask DisposeAsync() => _host.DisposeAsync();

        private static ImageReference ReadManifest(string directory)
        {
            using var manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory, "plinth-guest.json")));
            var root = manifest.RootElement;
            return new ImageReference(new ImageId(Guid.CreateVersion7()), root.GetProperty("digest").GetString()!, root.GetProperty("sizeBytes").GetInt64(), root.GetProperty("format").GetString()!);
        }
    }
}
