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
    public void Pressure() => Assert.Equal(1.53, ProcFiles.PressurePercent("some avg10=1.53 avg60=0.87 avg300=0.20 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"));

    [Fact]
    public void Names()
    {
        Assert.Equal("Some CPU @ 2.5GHz", ProcFiles.CpuModel("processor\t: 0\nmodel name\t: Some CPU @ 2.5GHz\n"));
        Assert.Equal("Debian GNU/Linux 12 (bookworm)", ProcFiles.OperatingSystem("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"));
    }
}
