using System.Diagnostics;
using Plinth.Core.Inventory;

namespace Plinth.Agents.Inventory;

/// <summary>
/// Whether guests really run with KVM: <c>/dev/kvm</c> can exist and still hang or fail every guest, so a boot sector is booted that
/// tells QEMU to exit, with a deadline. The verdict holds until the machine restarts or QEMU changes, and is kept in a file for that
/// long, so that a restarted agent does not wait again.
/// </summary>
internal sealed class KvmSelfTest(string emulator, string verdictPath, string device = "/dev/kvm")
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    // mov dx,0xf4; mov al,0x10; out dx,al; hlt; jmp $-1 — isa-debug-exit makes QEMU exit with (0x10 << 1) | 1.
    private static readonly byte[] BootSector = [0xba, 0xf4, 0x00, 0xb0, 0x10, 0xee, 0xf4, 0xeb, 0xfd];
    private const int SuccessExitCode = 33;

    public async Task<(Acceleration Acceleration, string Reason)> Run(CancellationToken stop)
    {
        var key = Key();
        if (Remembered(key) is { } verdict) return verdict;
        var found = await Try(stop);
        Remember(key, found);
        return found;
    }

    private async Task<(Acceleration, string)> Try(CancellationToken stop)
    {
        if (!File.Exists(device)) return (Acceleration.Qemu, $"Software emulation: {device} does not exist. Enable virtualization in the firmware and load the module kvm_intel or kvm_amd.");
        var sector = Path.GetTempFileName();
        try
        {
            var image = new byte[512];
            BootSector.CopyTo(image, 0);
            (image[510], image[511]) = (0x55, 0xaa);
            await File.WriteAllBytesAsync(sector, image, stop);
            var began = Stopwatch.GetTimestamp();
            var (exit, errors) = await Boot(sector, stop);
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            return exit switch
            {
                SuccessExitCode => (Acceleration.Kvm, $"A test guest ran with KVM in {seconds:0.00} s."),
                null => (Acceleration.Qemu, $"Software emulation: {device} exists, but a test guest did not finish within {Deadline.TotalSeconds:0} s."),
                _ => (Acceleration.Qemu, $"Software emulation: {device} exists, but a test guest failed with KVM ({FirstLine(errors, exit.Value)})."),
            };
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (Acceleration.Qemu, $"Software emulation: the self-test needs {emulator}, which cannot be run. Install qemu-system-x86.");
        }
        finally
        {
            File.Delete(sector);
        }
    }

    private async Task<(int? Exit, string Errors)> Boot(string sector, CancellationToken stop)
    {
        string[] arguments =
        [
            "-accel", "kvm", "-machine", "pc", "-cpu", "host", "-m", "16", "-nodefaults", "-no-user-config", "-display", "none",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-drive", $"if=ide,format=raw,file={sector}",
        ];
        using var process = Process.Start(new ProcessStartInfo(emulator, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Deadline);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return (process.ExitCode, await errors);
        }
        catch (OperationCanceledException)
        {
            // A guest that hangs in the kernel may not even die; nobody waits for it.
            process.Kill();
            stop.ThrowIfCancellationRequested();
            return (null, "");
        }
    }

    private static string FirstLine(string errors, int exit)
    {
        var line = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault();
        var words = line is null ? $"exit code {exit}" : line[(line.IndexOf(": ", StringComparison.Ordinal) is var at and >= 0 ? at + 2 : 0)..];
        if (words.StartsWith("error: ", StringComparison.Ordinal)) words = words["error: ".Length..];
        return words.Length > 160 ? words[..160] + "…" : words;
    }

    private string Key()
    {
        var boot = File.Exists("/proc/sys/kernel/random/boot_id") ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : "";
        return $"{boot} {File.GetLastWriteTimeUtc(emulator).Ticks} {File.Exists(device)}";
    }

    private (Acceleration, string)? Remembered(string key)
    {
        if (!File.Exists(verdictPath)) return null;
        return File.ReadAllLines(verdictPath) is [var for_, var acceleration, var reason] && for_ == key && Enum.TryParse<Acceleration>(acceleration, out var found)
            ? (found, reason)
            : null;
    }

    private void Remember(string key, (Acceleration Acceleration, string Reason) found)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(verdictPath)!);
            File.WriteAllLines(verdictPath + ".new", [key, found.Acceleration.ToString(), found.Reason]);
            File.Move(verdictPath + ".new", verdictPath, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next start of the agent then tries again, which costs seconds and nothing else.
        }
    }
}
