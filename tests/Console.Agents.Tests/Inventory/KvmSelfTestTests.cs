using System.Diagnostics;
using Plinth.Agents.Inventory;
using Plinth.Core.Inventory;
using Xunit;

namespace Plinth.Agents.Tests.Inventory;

/// <summary>The self-test's verdicts, with stand-ins for QEMU: what matters is how it judges what it sees.</summary>
public sealed class KvmSelfTestTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("plinth-kvm-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_guest_that_runs_means_kvm() => Assert.Equal(Acceleration.Kvm, (await Run("exit 33")).Acceleration);

    [Fact]
    public async Task A_guest_that_fails_means_emulation_and_says_why()
    {
        var (acceleration, reason) = await Run("echo 'qemu: failed to set MSR 0x10a' >&2; exit 1");
        Assert.Equal(Acceleration.Qemu, acceleration);
        Assert.Contains("failed to set MSR 0x10a", reason);
    }

    [Fact]
    public async Task A_guest_that_hangs_means_emulation_after_five_seconds()
    {
        var began = Stopwatch.GetTimestamp();
        var (acceleration, reason) = await Run("exec sleep 60");
        Assert.Equal(Acceleration.Qemu, acceleration);
        Assert.Contains("did not finish within 5 s", reason);
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 4.5, 30);
    }

    [Fact]
    public async Task Without_the_device_nothing_is_tried()
    {
        var (acceleration, reason) = await Run("exit 33", device: "/dev/no-such-device");
        Assert.Equal(Acceleration.Qemu, acceleration);
        Assert.Contains("does not exist", reason);
    }

    [Fact]
    public async Task The_verdict_is_kept_until_the_emulator_changes()
    {
        await Run("exit 33");
        var emulator = Path.Combine(_directory.FullName, "qemu");
        var written = File.GetLastWriteTimeUtc(emulator);
        await File.WriteAllTextAsync(emulator, "#!/bin/sh\nexit 1\n");
        File.SetLastWriteTimeUtc(emulator, written);
        Assert.Equal(Acceleration.Kvm, (await Test(emulator, "/dev/null").Run(CancellationToken.None)).Acceleration);
        File.SetLastWriteTimeUtc(emulator, written.AddSeconds(1));
        Assert.Equal(Acceleration.Qemu, (await Test(emulator, "/dev/null").Run(CancellationToken.None)).Acceleration);
    }

    private async Task<(Acceleration Acceleration, string Reason)> Run(string script, string device = "/dev/null")
    {
        var emulator = Path.Combine(_directory.FullName, "qemu");
        await File.WriteAllTextAsync(emulator, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(emulator, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return await Test(emulator, device).Run(CancellationToken.None);
    }

    private KvmSelfTest Test(string emulator, string device) => new(emulator, Path.Combine(_directory.FullName, "verdict"), device);
}
