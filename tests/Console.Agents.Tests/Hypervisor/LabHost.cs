using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>A libvirt host in namespaces (<c>tests/lab/lab</c>), reached from outside by its socket. The machine's own libvirt is never touched.</summary>
public sealed class LabHost : IAsyncDisposable
{
    private const string Name = "kvm";
    private static readonly string Tests = Path.GetFullPath(Path.Combine(Here(), "../.."));
    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    private readonly string _prefix = $"hv{Environment.ProcessId}-";

    public string Directory { get; } = Path.Combine(Path.GetTempPath(), $"plinth-hv-{Environment.ProcessId}");

    public string Uri => $"qemu+unix:///system?socket={Directory}/{Name}/run/libvirt-sock";

    /// <summary>Seen under the same path inside and outside.</summary>
    public string StateRoot => Path.Combine(Directory, "plinth");

    public string PidFiles => Path.Combine(Directory, Name, "run", "qemu");

    public static async Task<LabHost> Up()
    {
        var host = new LabHost();
        await host.Lab("up", Name, "1");
        return host;
    }

    public Task KillLibvirtd() => Lab("libvirtd", Name, "kill");

    public Task StartLibvirtd() => Lab("libvirtd", Name, "start");

    /// <summary>Sends a signal to libvirtd.</summary>
    public async Task Signal(string signal) =>
        await Run("/bin/kill", "-" + signal, (await File.ReadAllTextAsync(Path.Combine(Directory, Name, "run", "libvirtd.pid"))).Trim());

    public Task<string> Virsh(params string[] arguments) => Lab(["exec", Name, "--", "virsh", "-q", "-c", "qemu:///system", .. arguments]);

    public async ValueTask DisposeAsync()
    {
        await Lab("down", Name);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>The bundled guest image, built where it is not up to date.</summary>
    public static async Task<string> GuestImage()
    {
        var output = Path.Combine(Tests, "../artifacts/guest");
        await Run(Path.Combine(Tests, "../Console.Agents/GuestImage/build"), output);
        return Path.GetFullPath(output);
    }

    private Task<string> Lab(params string[] arguments) => Run(Path.Combine(Tests, "lab/lab"), ["--dir", Directory, "--prefix", _prefix, .. arguments]);

    private static async Task<string> Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await process.WaitForExitAsync(deadline.Token);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{Path.GetFileName(program)} {string.Join(' ', arguments)} failed: {await errors}");
        return await output;
    }
}
