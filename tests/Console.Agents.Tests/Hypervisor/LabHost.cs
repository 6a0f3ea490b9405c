using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>A libvirt host in namespaces (<c>tests/lab/lab</c>), reached from outside by its socket. The machine's own libvirt is never touched.</summary>
public sealed class LabHost : IAsyncDisposable
{
    private static readonly string Tests = Path.GetFullPath(Path.Combine(Here(), "../.."));
    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    private static int _labs;

    private readonly string _lab;
    private bool _ownStorage;

    private LabHost(string name, int index, string? lab) => (Name, Index, _lab) = (name, index, lab ?? $"{Environment.ProcessId}-{Interlocked.Increment(ref _labs)}");

    public string Name { get; }
    public int Index { get; }

    /// <summary>Where other hosts of the same lab reach it.</summary>
    public string Address => $"10.77.0.{Index}";

    private string Prefix => $"hv{_lab}-";

    public string Directory => Path.Combine(Path.GetTempPath(), $"plinth-hv-{_lab}");

    public string Uri => $"qemu+unix:///system?socket={Directory}/{Name}/run/libvirt-sock";

    /// <summary>Seen under the same path inside and outside.</summary>
    public string StateRoot => Path.Combine(Directory, "plinth");

    public string PidFiles => Path.Combine(Directory, Name, "run", "qemu");

    /// <param name="beside">A host of the lab that this one joins; null for a lab of its own.</param>
    /// <param name="storageMib">Gives it storage of its own of this size, to be filled without harm to others.</param>
    public static async Task<LabHost> Up(LabHost? beside = null, int? storageMib = null)
    {
        var host = beside is null ? new LabHost("kvm", 1, null) : new LabHost("kvm-2", 2, beside._lab);
        if (storageMib is { } size)
        {
            System.IO.Directory.CreateDirectory(host.StateRoot);
            await Run("/bin/mount", "-t", "tmpfs", "-o", $"size={size}m", "plinth-storage", host.StateRoot);
            host._ownStorage = true;
        }
        await host.Lab("up", host.Name, host.Index.ToString());
        return host;
    }

    /// <summary>What leads into the host.</summary>
    public IReadOnlyList<string> Inside => [Path.Combine(Tests, "lab/lab"), "--dir", Directory, "--prefix", Prefix, "exec", Name, "--"];

    /// <summary>Runs a script inside the host; its output.</summary>
    public Task<string> Shell(string script) => Lab("exec", Name, "--", "sh", "-euc", "PATH=$PATH:/usr/sbin:/sbin; " + script);

    public Task KillLibvirtd() => Lab("libvirtd", Name, "kill");

    public Task StartLibvirtd() => Lab("libvirtd", Name, "start");

    /// <summary>Sends a signal to libvirtd.</summary>
    public async Task Signal(string signal) =>
        await Run("/bin/kill", "-" + signal, (await File.ReadAllTextAsync(Path.Combine(Directory, Name, "run", "libvirtd.pid"))).Trim());

    public Task<string> Virsh(params string[] arguments) => Lab(["exec", Name, "--", "virsh", "-q", "-c", "qemu:///system", .. arguments]);

    public async ValueTask DisposeAsync()
    {
        await Lab("down", Name);
        if (_ownStorage) await Run("/bin/umount", StateRoot);
        if (!System.IO.Directory.EnumerateFiles(Directory, "holder.pid", SearchOption.AllDirectories).Any()) System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>The bundled guest image, built where it is not up to date.</summary>
    public static async Task<string> GuestImage()
    {
        var output = Path.Combine(Tests, "../artifacts/guest");
        await Run(Path.Combine(Tests, "../Console.Agents/GuestImage/build"), output);
        return Path.GetFullPath(output);
    }

    private Task<string> Lab(params string[] arguments) => Run(Path.Combine(Tests, "lab/lab"), ["--dir", Directory, "--prefix", Prefix, .. arguments]);

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
