using System.Runtime.InteropServices;

namespace Plinth.Agents.Ledger;

/// <summary>Whole files that are either the old or the new one after any crash, and names that survive it.</summary>
internal static partial class DurableFile
{
    /// <summary>Readable by the owner alone: what the agent keeps holds keys and user data.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Replaces <paramref name="path"/> by <paramref name="content"/>, mode 0600.</summary>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var written = path + ".new";
        File.Delete(written);
        using (var file = new FileStream(written, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly, BufferSize = 0 }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(written, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Without this a rename may be undone by a power cut.</summary>
    public static void SyncDirectory(string directory)
    {
        const int readOnlyDirectoryCloseOnExec = 0x10000 | 0x80000;
        var descriptor = Open(directory, readOnlyDirectoryCloseOnExec);
        if (descriptor < 0) throw new IOException($"{directory} cannot be opened to make a rename durable (errno {Marshal.GetLastPInvokeError()})");
        try
        {
            if (Sync(descriptor) != 0) throw new IOException($"{directory} cannot be synchronised (errno {Marshal.GetLastPInvokeError()})");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
