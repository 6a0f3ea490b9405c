using System.Globalization;

namespace Plinth.Agents.Inventory;

/// <summary>The kernel's own files about the machine, parsed.</summary>
internal static class ProcFiles
{
    /// <summary>MiB of a field of /proc/meminfo: <c>MemTotal:  3922304 kB</c>.</summary>
    public static long MemoryMib(string meminfo, string field)
    {
        foreach (var line in meminfo.AsSpan().EnumerateLines())
        {
            if (!line.StartsWith(field) || line.Length <= field.Length || line[field.Length] != ':') continue;
            var value = line[(field.Length + 1)..].Trim();
            return long.Parse(value[..value.IndexOf(' ')], CultureInfo.InvariantCulture) / 1024;
        }
        throw new InvalidDataException($"/proc/meminfo has no field {field}");
    }

    /// <summary>Busy and all ticks since boot: <c>cpu  user nice system idle iowait irq softirq steal …</c>.</summary>
    public static (long Busy, long All) CpuTicks(string stat)
    {
        var line = stat[..stat.IndexOf('\n')];
        var ticks = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8).Select(t => long.Parse(t, CultureInfo.InvariantCulture)).ToArray();
        var all = ticks.Sum();
        return (all - ticks[3] - ticks[4], all);
    }

    /// <summary>
    /// "8:1", the device under a path, by /proc/self/mountinfo: the deepest mount that holds it, the last where several lie on each other.
    /// <c>36 35 98:0 /root /mnt/data rw,noatime … - ext4 /dev/sda1 rw</c>.
    /// </summary>
    public static string DeviceOf(string mountinfo, string path) =>
        mountinfo.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' '))
            .Select((fields, order) => (Device: fields[2], Mount: fields[4], Order: order))
            .Where(m => m.Mount == "/" || path == m.Mount || path.StartsWith(m.Mount + "/", StringComparison.Ordinal))
            .OrderByDescending(m => m.Mount.Length).ThenByDescending(m => m.Order)
            .Select(m => m.Device).FirstOrDefault("");

    /// <summary>Number of processors in /proc/stat: lines <c>cpu0 …</c>, <c>cpu1 …</c>.</summary>
    public static int LogicalCpus(string stat) =>
        stat.Split('\n').Count(line => line.StartsWith("cpu", StringComparison.Ordinal) && line.Length > 3 && char.IsAsciiDigit(line[3]));

    /// <summary>Share of the last 10 s in which something waited: <c>some avg10=1.53 avg60=…</c>.</summary>
    public static double PressurePercent(string pressure)
    {
        const string Field = "avg10=";
        var at = pressure.IndexOf(Field, StringComparison.Ordinal);
        if (at < 0) return 0;
        var rest = pressure[(at + Field.Length)..];
        return double.Parse(rest[..rest.IndexOf(' ')], CultureInfo.InvariantCulture);
    }

    public static double Load1(string loadavg) => double.Parse(loadavg[..loadavg.IndexOf(' ')], CultureInfo.InvariantCulture);

    /// <summary><c>model name : Intel(R) …</c> of the first processor.</summary>
    public static string CpuModel(string cpuinfo) => Value(cpuinfo, "model name", ':') ?? "unknown processor";

    /// <summary><c>PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"</c>.</summary>
    public static string OperatingSystem(string osRelease) => Value(osRelease, "PRETTY_NAME", '=')?.Trim('"') ?? "Linux";

    private static string? Value(string text, string field, char separator)
    {
        foreach (var line in text.Split('\n'))
        {
            var at = line.IndexOf(separator);
            if (at > 0 && line[..at].Trim() == field) return line[(at + 1)..].Trim();
        }
        return null;
    }
}
