using System.Diagnostics;
using System.Globalization;
using System.Text;
using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;

namespace Plinth.Agents.Storage;

/// <summary>Copies a qcow2 disk whole by qemu-img: what its backing file holds too, without its snapshots.</summary>
internal static class DiskCopy
{
    /// <summary>Made under a temporary name and given its own at the end: what has the final name is whole.</summary>
    /// <param name="copied">Hears 0–100 as it goes.</param>
    public static async Task Make(string source, string path, int sizeGib, Action<int> copied, CancellationToken stop)
    {
        var part = path + PoolFiles.Part;
        // An agent that was killed leaves its copy running; two must not write one file.
        End(part);
        File.Delete(part);
        await Run(["convert", "-p", "-f", "qcow2", "-O", "qcow2", source, part], copied, stop);
        if (Qcow2Header.Read(part).VirtualSizeBytes < (long)sizeGib << 30)
            await Run(["resize", "-q", "-f", "qcow2", part, string.Create(CultureInfo.InvariantCulture, $"{sizeGib}G")], null, stop);
        File.SetUnixFileMode(part, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using (var file = new FileStream(part, FileMode.Open, FileAccess.ReadWrite)) file.Flush(flushToDisk: true);
        File.Move(part, path);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Ends whatever still copies into that file: a process of qemu-img that was given this name.</summary>
    public static void End(string part)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                var arguments = File.ReadAllText(Path.Combine(directory, "cmdline")).Split('\0');
                if (Path.GetFileName(arguments[0]) != "qemu-img" || !arguments.Contains(part)) continue;
                using var process = Process.GetProcessById(int.Parse(Path.GetFileName(directory), CultureInfo.InvariantCulture));
                process.Kill();
                process.WaitForExit();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
            {
                // It ended by itself.
            }
        }
    }

    private static async Task Run(string[] arguments, Action<int>? copied, CancellationToken stop)
    {
        using var process = new Process { StartInfo = new ProcessStartInfo("qemu-img", arguments) { RedirectStandardError = true, RedirectStandardOutput = true } };
        process.Start();
        try
        {
            var errors = process.StandardError.ReadToEndAsync(stop);
            await Follow(process.StandardOutput, copied, stop);
            await process.WaitForExitAsync(stop);
            if (process.ExitCode != 0) throw new HypervisorException("copy_failed", $"qemu-img could not copy the disk: {(await errors).Trim()}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>qemu-img writes "    (12.34/100%)" again and again over itself.</summary>
    private static async Task Follow(StreamReader output, Action<int>? copied, CancellationToken stop)
    {
        var (text, buffer, told) = (new StringBuilder(), new char[256], -1);
        int read;
        while ((read = await output.ReadAsync(buffer, stop)) > 0)
        {
            foreach (var c in buffer.AsSpan(0, read))
            {
                if (c == '(') text.Clear();
                else if (c == '/' && text.Length > 0)
                {
                    if (double.TryParse(text.ToString(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && (int)percent != told) copied?.Invoke(told = (int)percent);
                    text.Clear();
                }
                else text.Append(c);
            }
        }
    }
}
