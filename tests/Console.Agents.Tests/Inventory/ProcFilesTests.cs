using Plinth.Agents.Inventory;
using Xunit;

namespace Plinth.Agents.Tests.Inventory;

public sealed class ProcFilesTests
{
    private const string Stat = "cpu  100 0 50 800 40 0 10 0 0 0\ncpu0 50 0 25 400 20 0 5 0 0 0\ncpu1 50 0 25 400 20 0 5 0 0 0\nintr 12\n";

    [Fact]
    public void Waiting_for_the_disk_is_not_busy() => Assert.Equal((160, 1000), ProcFiles.CpuTicks(Stat));

    [Fact]
    public void Processors() => Assert.Equal(2, ProcFiles.LogicalCpus(Stat));

    [Fact]
    public void Memory()
    {
        const string Meminfo = "MemTotal:        4096000 kB\nMemFree:          100000 kB\nMemAvailable:    2048000 kB\n";
        Assert.Equal(2000, ProcFiles.MemoryMib(Meminfo, "MemAvailable"));
        Assert.Throws<InvalidDataException>(() => ProcFiles.MemoryMib(Meminfo, "Mem"));
    }

    [Fact]
    public void The_device_under_a_path_is_that_of_the_deepest_mount_and_of_the_last_on_it()
    {
        const string Mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 0:5 / /dev rw - devtmpfs devtmpfs rw\n36 22 8:1 / /var/lib rw - ext4 /dev/sda1 rw\n37 36 8:17 / /var/lib rw - xfs /dev/sdb1 rw\n";
        Assert.Equal("8:17", ProcFiles.DeviceOf(Mounts, "/var/lib/plinth"));
        Assert.Equal("8:17", ProcFiles.DeviceOf(Mounts, "/var/lib"));
        Assert.Equal("254:0", ProcFiles.DeviceOf(Mounts, "/var/library"));
    }

    [Fact]
    public void Pressure() => Assert.Equal(1.53, ProcFiles.PressurePercent("some avg10=1.53 avg60=0.87 avg300=0.20 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"));

    [Fact]
    public void Names()
    {
        Assert.Equal("Some CPU @ 2.5GHz", ProcFiles.CpuModel("processor\t: 0\nmodel name\t: Some CPU @ 2.5GHz\n"));
        Assert.Equal("Debian GNU/Linux 12 (bookworm)", ProcFiles.OperatingSystem("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"));
    }
}
