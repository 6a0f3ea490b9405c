namespace Plinth.Web.Options;

/// <summary>The console's own directory: only its user reads it.</summary>
public sealed class DataDirectory : IDisposable
{
    private const string LockFile = ".in-use";
    private FileStream? _held;

    private DataDirectory(string path) => Path = path;

    public string Path { get; }

    /// <exception cref="SettingsException">It cannot be made or written.</exception>
    public static DataDirectory Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            if (!OperatingSystem.IsWindows()) System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new DataDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException([$"Plinth:Data = \"{path}\" cannot be used as data directory: {e.Message} (environment: Plinth__Data)"]);
        }
    }

    /// <summary>A server serves from here until <see cref="Dispose"/> or the end of the process, and no other.</summary>
    /// <exception cref="SettingsException">Another one does, or a restore is under way.</exception>
    public void Hold()
    {
        if (!TryHoldAlone())
            throw new SettingsException([$"Plinth:Data = \"{Path}\" is in use: another server of this console runs on it, or a backup is being restored. Stop that first. For a second server use PostgreSQL, and a data directory of its own (docs/operations.md, Two servers)"]);
    }

    /// <summary>True where no server serves from here; none starts to until <see cref="Dispose"/> or the end of the process.</summary>
    public bool TryHoldAlone()
    {
        try
        {
            _held = new FileStream(File(LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose() => _held?.Dispose();

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file that only its owner reads, whole or not at all.</summary>
    public static void WriteSecret(string path, ReadOnlySpan<byte> content)
    {
        var directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory);
        var temporary = System.IO.Path.Combine(directory, $".{System.IO.Path.GetFileName(path)}.{Guid.NewGuid():N}");
        var mode = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) mode.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(temporary, mode))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }
            System.IO.File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            System.IO.File.Delete(temporary);
        }
    }
}
