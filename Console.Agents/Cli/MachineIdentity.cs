using System.Security.Cryptography;
using System.Text;

namespace Plinth.Agents.Cli;

/// <summary>What makes this host the same one when it joins again, and two hosts on one machine different.</summary>
internal static class MachineIdentity
{
    /// <summary>
    /// From the machine id, the host name and the data directory: hosts in namespaces of one machine share the first, agents side
    /// by side the first two. Where there is no machine id, one is made in the data directory.
    /// </summary>
    public static string Of(string directory, string hostname)
    {
        var text = $"{MachineId(directory)}\n{hostname}\n{Path.GetFullPath(directory)}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32];
    }

    /// <summary>The kernel's id of this boot.</summary>
    public static Guid Boot() => Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id"));

    /// <summary>A boot id for a host that never boots: its guests outlive everything but its state file.</summary>
    public static Guid SimulatedBoot(string machineId) => new(SHA256.HashData(Encoding.UTF8.GetBytes("boot of " + machineId))[..16]);

    private static string MachineId(string directory)
    {
        const string system = "/etc/machine-id";
        if (File.Exists(system) && File.ReadAllText(system).Trim() is { Length: > 0 } id) return id;
        var own = Path.Combine(directory, "machine-id");
        if (!File.Exists(own)) Ledger.DurableFile.Replace(own, Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("N")));
        return File.ReadAllText(own).Trim();
    }
}
