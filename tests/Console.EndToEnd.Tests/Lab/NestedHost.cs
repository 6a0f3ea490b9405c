using System.Text.Json;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>
/// A Debian machine with libvirt, under QEMU in a lab host's namespace: another kernel, systemd, its own disk. Its user network lets it
/// reach the lab host's addresses and nothing reach it.
/// </summary>
public sealed class NestedHost : IAsyncDisposable
{
    private readonly string _directory;

    private NestedHost(string directory, RunningProgram machine) => (_directory, Machine) = (directory, machine);

    /// <summary>QEMU; its lines are those of the serial console.</summary>
    public RunningProgram Machine { get; }

    /// <summary>Boots the machine, where the command runs as root and is seen on the serial console.</summary>
    public static async Task<NestedHost> Boot(LabHost outer, string hostname, string directory, string command)
    {
        Directory.CreateDirectory(directory);
        var seed = Directory.CreateDirectory(Path.Combine(directory, "seed")).FullName;
        await File.WriteAllTextAsync(Path.Combine(seed, "meta-data"), $"instance-id: {hostname}\nlocal-hostname: {hostname}\n");
        var userData = new
        {
            write_files = new[] { new { path = "/root/pasted", permissions = "0755", content = $"#!/bin/sh\nexec > /dev/ttyS0 2>&1\ncd /root\n{command}\n" } },
            runcmd = new[] { new[] { "systemd-run", "--unit=pasted", "/root/pasted" } },
        };
        await File.WriteAllTextAsync(Path.Combine(seed, "user-data"), "#cloud-config\n" + JsonSerializer.Serialize(userData) + "\n");
        var (disk, iso) = (Path.Combine(directory, "disk.qcow2"), Path.Combine(directory, "seed.iso"));
        await RunningProgram.Run("xorriso", "-as", "mkisofs", "-quiet", "-V", "cidata", "-J", "-r", "-o", iso, seed);
        await RunningProgram.Run("qemu-img", "create", "-q", "-f", "qcow2", "-b", Path.Combine(Repository.Root, "artifacts/debian/debian-host.qcow2"), "-F", "qcow2", disk, "8G");
        return new NestedHost(directory, outer.Start("qemu-system-x86_64",
        [
            "-machine", "q35,accel=tcg", "-cpu", "max", "-smp", "2", "-m", "2560", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
            "-drive", $"if=virtio,format=qcow2,cache=unsafe,file={disk}", "-drive", $"if=virtio,format=raw,readonly=on,file={iso}",
            "-netdev", "user,id=uplink", "-device", "virtio-net-pci,netdev=uplink", "-device", "virtio-rng-pci",
        ]));
    }

    public async ValueTask DisposeAsync()
    {
        await Machine.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
