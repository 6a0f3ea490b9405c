using System.Diagnostics;
using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Storage;

/// <summary>Writes a NoCloud seed: an ISO 9660 image labelled <c>cidata</c>.</summary>
internal static class SeedImage
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    /// <summary>Makes the image under a temporary name and gives it its own at the end: what has the final name is whole.</summary>
    /// <param name="work">A directory of this seed alone; what a crash left there is cleared away.</param>
    public static async Task Write(string path, string work, VmId vm, Seed seed, CancellationToken stop)
    {
        if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
        // Keys and user data may be confidential: readable by the agent alone.
        var directory = Directory.CreateDirectory(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var part = path + PoolFiles.Part;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "meta-data"), SeedDocuments.MetaData(vm, seed), stop);
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "user-data"), SeedDocuments.UserData(seed), stop);
            File.Delete(part);
            await Run(["-as", "genisoimage", "-quiet", "-output", part, "-volid", "cidata", "-joliet", "-rock", directory.FullName], stop);
            File.SetUnixFileMode(part, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.Move(part, path, overwrite: true);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task Run(string[] arguments, CancellationToken stop)
    {
        using var process = new Process { StartInfo = new ProcessStartInfo("xorriso", arguments) { RedirectStandardError = true, RedirectStandardOutput = true } };
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new HypervisorException("seed_failed", "The seed needs the program xorriso: apt-get install xorriso.", cause: e);
        }
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Deadline);
        try
        {
            var (errors, output) = (process.StandardError.ReadToEndAsync(deadline.Token), process.StandardOutput.ReadToEndAsync(deadline.Token));
            await process.WaitForExitAsync(deadline.Token);
            if (process.ExitCode != 0) throw new HypervisorException("seed_failed", $"xorriso could not write the seed: {(await errors).Trim()} {(await output).Trim()}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            stop.ThrowIfCancellationRequested();
            throw new HypervisorException("seed_failed", $"xorriso did not finish the seed within {Deadline.TotalSeconds:0} s; the disk may be overloaded.");
        }
    }
}
