using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Inventory;

/// <summary>What the machine is and how busy it is, from the kernel's files and the pool's file system.</summary>
/// <param name="poolDirectory">Where the default pool is; its nearest existing parent is asked.</param>
internal sealed class HostInventory(Func<string> poolDirectory, TimeProvider time)
{
    private const long MibBytes = 1024 * 1024;
    private const long GibBytes = 1024 * MibBytes;

    // Kept for the host itself: an eighth of a small machine, at most 2 GiB.
    private const int MaxReservedMib = 2048;

    private readonly Lock _gate = new();
    private (long Busy, long All) _ticks;

    public string Hostname => File.ReadAllText("/proc/sys/kernel/hostname").Trim();
    public string Kernel => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
    public string CpuModel => ProcFiles.CpuModel(File.ReadAllText("/proc/cpuinfo"));
    public string OperatingSystem => ProcFiles.OperatingSystem(File.ReadAllText("/etc/os-release"));

    public Resources Capacity()
    {
        var memory = (int)ProcFiles.MemoryMib(File.ReadAllText("/proc/meminfo"), "MemTotal");
        return new Resources(Cpus(), memory - Math.Min(MaxReservedMib, memory / 8), (int)(Disk().TotalSize / GibBytes));
    }

    public Resources Free() =>
        new(Cpus(), (int)ProcFiles.MemoryMib(File.ReadAllText("/proc/meminfo"), "MemAvailable"), (int)(Disk().AvailableFreeSpace / GibBytes));

    public HostSample Sample()
    {
        var (memory, disk) = (File.ReadAllText("/proc/meminfo"), Disk());
        var total = ProcFiles.MemoryMib(memory, "MemTotal");
        return new HostSample(
            time.GetUtcNow(), CpuPercent(), total - ProcFiles.MemoryMib(memory, "MemAvailable"), total,
            (disk.TotalSize - disk.AvailableFreeSpace) / MibBytes, disk.TotalSize / MibBytes,
            ProcFiles.Load1(File.ReadAllText("/proc/loadavg")),
            // Kernels without pressure stall information have no such file.
            File.Exists("/proc/pressure/cpu") ? ProcFiles.PressurePercent(File.ReadAllText("/proc/pressure/cpu")) : 0);
    }

    /// <summary>What the pool lies on, as the kernel says; it does not of file systems over several devices, or over none.</summary>
    public StorageMedium Medium()
    {
        var device = "/sys/dev/block/" + ProcFiles.DeviceOf(File.ReadAllText("/proc/self/mountinfo"), PoolDirectory());
        // A partition has no queue of its own: its disk, one level up, has.
        var target = Directory.Exists(device) ? new DirectoryInfo(device).ResolveLinkTarget(returnFinalTarget: true)?.FullName : null;
        var queue = new[] { target, Path.GetDirectoryName(target) }.OfType<string>().Select(d => Path.Combine(d, "queue", "rotational")).FirstOrDefault(File.Exists);
        return queue is null ? StorageMedium.Unknown : File.ReadAllText(queue).Trim() == "1" ? StorageMedium.Rotating : StorageMedium.SolidState;
    }

    private static int Cpus() => ProcFiles.LogicalCpus(File.ReadAllText("/proc/stat"));

    /// <summary>Since the last call; the first one since boot.</summary>
    private double CpuPercent()
    {
        lock (_gate)
        {
            var now = ProcFiles.CpuTicks(File.ReadAllText("/proc/stat"));
            var (busy, all) = (now.Busy - _ticks.Busy, now.All - _ticks.All);
            _ticks = now;
            return all <= 0 ? 0 : Math.Clamp(100.0 * busy / all, 0, 100);
        }
    }

    private DriveInfo Disk() => new(PoolDirectory());

    private string PoolDirectory()
    {
        var directory = poolDirectory();
        while (!Directory.Exists(directory)) directory = Path.GetDirectoryName(directory) ?? "/";
        return directory;
    }
}
