using System.Runtime.InteropServices;

namespace Plinth.Agents.Upgrade;

/// <summary>What the kernel does with processes and .NET does not offer.</summary>
internal static partial class Native
{
    private const int SigTerm = 15;

    /// <summary>This process becomes <paramref name="path"/>, under its own id. Returns only where that is not possible.</summary>
    /// <exception cref="IOException">The executable cannot be run.</exception>
    public static void Become(string path, IReadOnlyList<string> arguments)
    {
        string?[] words = [Path.GetFileName(path), .. arguments, null];
        _ = Execute(path, words);
        throw new IOException($"{path} cannot be run (errno {Marshal.GetLastPInvokeError()})");
    }

    public static void Terminate(int process) => _ = Kill(process, SigTerm);

    /// <summary>Ends this process as soon as what started it has ended: then nobody holds the other end of standard input any more.</summary>
    public static void EndWithParent()
    {
        var watch = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
            }
            // Nothing is put in order: the journal is made for that, and whoever is started next waits for nothing.
            Exit(1);
        }) { IsBackground = true, Name = "parent" };
        watch.Start();
    }

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, string?[] words);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);
}
