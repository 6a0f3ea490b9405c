using System.Text.Json;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>
/// A Debian machine with libvirt, under QEMU: another kernel, systemd, its own disk. Its user network lets it reach the addresses of the
/// namespace it is started in and nothing reach it; commands go in by its guest agent.
/// </summary>
public sealed class NestedHost : IAsyncDisposable
{
    private readonly string _directory;
    private GuestAgent? _agent;

    private NestedHost(string directory, RunningProgram machine) => (_directory, Machine) = (directory, machine);

    /// <summary>QEMU; its lines are those of the serial console.</summary>
    public RunningProgram Machine { get; }

    /// <summary>Boots the machine in a lab host, where the command runs as root and is seen on the serial console.</summary>
    public static Task<NestedHost> Boot(LabHost outer, string hostname, string directory, string command)
    {
        var script = new { path = "/root/pasted", permissions = "0755", content = $"#!/bin/sh\nexec > /dev/ttyS0 2>&1\ncd /root\n{command}\n" };
        var userData = new { write_files = new[] { script }, runcmd = new[] { new[] { "systemd-run", "--unit=pasted", "/root/pasted" } } };
        return Boot((file, arguments) => outer.Start(file, arguments), hostname, directory, userData, []);
    }

    /// <summary>Boots the machine on its own; it finds <paramref name="files"/> on the disk labelled <c>files</c>.</summary>
    public static async Task<NestedHost> Boot(string hostname, string directory, IEnumerable<string> files)
    {
        Directory.CreateDirectory(directory);
        var disk = Path.Combine(directory, "files.iso");
        await RunningProgram.Run("xorriso", ["-as", "mkisofs", "-quiet", "-V", "files", "-J", "-r", "-o", disk, .. files]);
        return await Boot((file, arguments) => RunningProgram.Start(file, arguments), hostname, directory, new { }, [disk]);
    }

    private static async Task<NestedHost> Boot(Func<string, string[], RunningProgram> start, string hostname, string directory, object userData, string[] disks)
    {
        Directory.CreateDirectory(directory);
        var seed = Directory.CreateDirectory(Path.Combine(directory, "seed")).FullName;
        await File.WriteAllTextAsync(Path.Combine(seed, "meta-data"), $"instance-id: {hostname}\nlocal-hostname: {hostname}\n");
        await File.WriteAllTextAsync(Path.Combine(seed, "user-data"), "#cloud-config\n" + JsonSerializer.Serialize(userData) + "\n");
        var (disk, iso) = (Path.Combine(directory, "disk.qcow2"), Path.Combine(directory, "seed.iso"));
        await RunningProgram.Run("xorriso", "-as", "mkisofs", "-quiet", "-V", "cidata", "-J", "-r", "-o", iso, seed);
        await RunningProgram.Run("qemu-img", "create", "-q", "-f", "qcow2", "-b", Path.Combine(Repository.Root, "artifacts/debian/debian-host.qcow2"), "-F", "qcow2", disk, "8G");
        return new NestedHost(directory, start("qemu-system-x86_64",
        [
            "-machine", "q35,accel=tcg", "-cpu", "max", "-smp", "2", "-m", "2560", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
            "-drive", $"if=virtio,format=qcow2,cache=unsafe,file={disk}",
            .. disks.Prepend(iso).SelectMany(d => new[] { "-drive", $"if=virtio,format=raw,readonly=on,file={d}" }),
            "-netdev", "user,id=uplink", "-device", "virtio-net-pci,netdev=uplink", "-device", "virtio-rng-pci",
            "-device", "virtio-serial-pci", "-chardev", $"socket,id=agent,server=on,wait=off,path={Path.Combine(directory, AgentSocket)}",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        ]));
    }

    private const string AgentSocket = "agent.sock";

    /// <summary>Runs shell commands as root and gives what they print; throws when they fail. The first one waits for the boot.</summary>
    public async Task<string> Run(string commands, TimeSpan? deadline = null)
    {
        _agent ??= await GuestAgent.Connect(Path.Combine(_directory, AgentSocket));
        var (code, text) = await _agent.Run(commands, deadline ?? TimeSpan.FromMinutes(5));
        return code == 0 ? text : throw new InvalidOperationException($"'{commands}' ended with {code}:\n{text}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null) await _agent.DisposeAsync();
        await Machine.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
