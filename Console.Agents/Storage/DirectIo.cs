using System.Runtime.InteropServices;

namespace Plinth.Agents.Storage;

/// <summary>Whether a file system takes O_DIRECT: some (tmpfs, some overlays) do not, and QEMU then refuses <c>cache='none'</c>.</summary>
internal static partial class DirectIo
{
    private const int ReadWrite = 2, Create = 0x40, Direct = 0x4000;

    public static bool Supported(string directory)
    {
        var probe = Path.Combine(directory, $".direct-io-{Environment.ProcessId}{Machines.PoolFiles.Part}");
        var file = Open(probe, ReadWrite | Create | Direct, Convert.ToInt32("600", 8));
        if (file >= 0) _ = Close(file);
        File.Delete(probe);
        return file >= 0;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
