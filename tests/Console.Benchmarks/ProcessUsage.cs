using System.Globalization;

namespace Plinth.Benchmarks;

/// <summary>What the kernel counted for one process: CPU seconds and resident memory.</summary>
public readonly record struct ProcessUsage(double CpuSeconds, double ResidentMib)
{
    // USER_HZ is 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    public static ProcessUsage Of(int pid)
    {
        // "pid (name) state ppid … utime(14) stime(15) …": the name may hold spaces, so fields are counted from its end.
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        var resident = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return new ProcessUsage(ticks / TicksPerSecond, long.Parse(resident, CultureInfo.InvariantCulture) / 1024.0);
    }
}
