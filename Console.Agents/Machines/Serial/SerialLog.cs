using Plinth.Core.Primitives;

namespace Plinth.Agents.Machines.Serial;

/// <summary>
/// The file in which QEMU (or virtlogd) keeps what a guest writes on its serial console: the boot can be read after it happened, by several
/// viewers, and over restarts of the agent. It is also the trace that a domain has ever been started.
/// </summary>
internal sealed class SerialLog(string directory, VmId vm)
{
    // virtlogd rotates by itself at 2 MiB; where QEMU writes the file, a guest could fill the disk.
    private const long MaxBytes = 4 * 1024 * 1024;

    public string Path { get; } = System.IO.Path.Combine(directory, $"{vm}.log");

    public bool EverStarted => File.Exists(Path);

    /// <summary>A new boot begins with an empty page.</summary>
    public void Begin()
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        using var file = new FileStream(Path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
    }

    public void Remove()
    {
        if (!Directory.Exists(directory)) return;
        // virtlogd's rotated files have a number at the end.
        foreach (var file in Directory.GetFiles(directory, $"{vm}.log*")) File.Delete(file);
    }

    /// <summary>What was written from <paramref name="position"/> on; begins anew where the file was cut or rotated.</summary>
    public byte[] Read(ref long position)
    {
        try
        {
            using var file = File.OpenHandle(Path, share: FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.GetLength(file);
            if (length < position) position = 0;
            if (length - position > SerialFeed.ReplayBytes) position = length - SerialFeed.ReplayBytes;
            var bytes = new byte[length - position];
            var read = RandomAccess.Read(file, bytes, position);
            position += read;
            return bytes[..read];
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }

    /// <summary>Cuts files that have grown too large; the writer appends, so it goes on at the new end.</summary>
    public static void Trim(string directory)
    {
        if (!Directory.Exists(directory)) return;
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles("*.log"))
        {
            if (file.Length <= MaxBytes) continue;
            using var log = file.Open(FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            log.SetLength(0);
        }
    }
}
