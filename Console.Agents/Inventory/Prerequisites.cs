using System.Runtime.InteropServices;

namespace Plinth.Agents.Inventory;

/// <summary>What a host brings that the agent does not: programs and a library, each with the Debian package that has it.</summary>
internal static class Prerequisites
{
    private const string Library = "libvirt.so.0";

    private static readonly (string Program, string Package)[] Programs =
    [
        ("libvirtd", "libvirt-daemon-system"), ("qemu-system-x86_64", "qemu-system-x86"), ("qemu-img", "qemu-utils"),
        ("dnsmasq", "dnsmasq-base"), ("iptables", "iptables"), ("nft", "nftables"), ("ip", "iproute2"), ("xorriso", "xorriso"),
    ];

    /// <summary>The sentence that says what is missing and how to get it; null where everything is there.</summary>
    public static string? Missing() => Missing(Has, HasLibrary());

    internal static string? Missing(Func<string, bool> has, bool library)
    {
        var programs = Programs.Where(p => !has(p.Program)).ToArray();
        if (programs.Length == 0 && library) return null;
        string[] names = library ? [.. programs.Select(p => p.Program)] : [Library, .. programs.Select(p => p.Program)];
        string[] packages = library ? [.. programs.Select(p => p.Package)] : ["libvirt0", .. programs.Select(p => p.Package)];
        return $"this host lacks {string.Join(", ", names)}. Run: apt-get install --no-install-recommends {string.Join(' ', packages)}; then the same command again, its token is not used.";
    }

    private static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        // A plain user's path has no administrator's programs; libvirtd finds them all the same.
        .Concat(["/usr/sbin", "/sbin", "/usr/bin"]).Any(d => d.Length > 0 && File.Exists(Path.Combine(d, program)));

    private static bool HasLibrary()
    {
        if (!NativeLibrary.TryLoad(Library, out var handle)) return false;
        NativeLibrary.Free(handle);
        return true;
    }
}
