namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>
/// A KVM host of its own on this machine: a network, mount and UTS namespace with a libvirtd inside, made by <c>tests/lab/lab</c>.
/// </summary>
public sealed class LabHost : IAsyncDisposable
{
    public required string Name { get; init; }
    public required string Directory { get; init; }
    public required string Address { get; init; }

    /// <summary>The network namespace's name under /run/netns.</summary>
    public string Netns => Name;

    public static async Task<LabHost> Up(string name, int index)
    {
        var directory = Path.Combine(Path.GetTempPath(), "plinth-lab");
        // What a killed run left.
        await Down(name, directory);
        await RunningProgram.Run(Repository.LabScript, "up", name, index.ToString(), "--dir", directory);
        return new LabHost { Name = name, Directory = directory, Address = $"10.77.0.{index}" };
    }

    /// <summary>Starts a program inside the host.</summary>
    public RunningProgram Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        RunningProgram.Start(Repository.LabScript, ["exec", Name, "--dir", Directory, "--", file, .. arguments], environment);

    public Task<string> Run(string file, params string[] arguments) =>
        RunningProgram.Run(Repository.LabScript, ["exec", Name, "--dir", Directory, "--", file, .. arguments]);

    public Task<string> Virsh(params string[] arguments) => Run("virsh", ["-q", "-c", "qemu:///system", .. arguments]);

    /// <summary>Names of the domains that exist, one way or the other.</summary>
    public async Task<string[]> Domains() => Lines(await Virsh("list", "--all", "--uuid"));

    public async Task<string[]> RunningDomains() => Lines(await Virsh("list", "--uuid", "--state-running"));

    public async ValueTask DisposeAsync() => await Down(Name, Directory);

    private static async Task Down(string name, string directory)
    {
        await RunningProgram.Run(Repository.LabScript, "down", name, "--dir", directory);
        var files = Path.Combine(directory, name);
        if (global::System.IO.Directory.Exists(files)) global::System.IO.Directory.Delete(files, recursive: true);
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
