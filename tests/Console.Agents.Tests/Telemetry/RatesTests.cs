using Plinth.Agents.Machines;
using Plinth.Agents.Telemetry;
using Plinth.Core.Primitives;
using Xunit;

namespace Plinth.Agents.Tests.Telemetry;

public sealed class RatesTests
{
    private static readonly DomainCounters Before = new(new VmId(Guid.NewGuid()), "a", 2, 1_000_000_000, 0, 100, 1000, 2000, 3000, 4000);

    [Fact]
    public void Counters_become_rates_over_the_time_between()
    {
        var after = Before with { CpuTimeNanoseconds = 11_000_000_000, StealNanoseconds = 2_000_000_000, MemoryUsedMib = 120, DiskReadBytes = 11_000, NetTransmitBytes = 104_000 };
        var sample = Rates.Between(Before, after, TimeSpan.FromSeconds(10))!;
        Assert.Equal(50, sample.CpuPercent);
        Assert.Equal(10, sample.StealPercent);
        Assert.Equal(120, sample.MemoryUsedMib);
        Assert.Equal(1000, sample.DiskReadBytesPerSecond);
        Assert.Equal(0, sample.DiskWriteBytesPerSecond);
        Assert.Equal(10_000, sample.NetTransmitBytesPerSecond);
    }

    [Fact]
    public void Counters_of_different_starts_are_not_compared() =>
        Assert.Null(Rates.Between(Before, Before with { StartKey = "b", CpuTimeNanoseconds = 5 }, TimeSpan.FromSeconds(10)));

    [Fact]
    public void A_device_that_went_makes_no_negative_rate() =>
        Assert.Equal(0, Rates.Between(Before, Before with { DiskReadBytes = 0 }, TimeSpan.FromSeconds(10))!.DiskReadBytesPerSecond);

    [Fact]
    public void No_time_no_rate() => Assert.Null(Rates.Between(Before, Before, TimeSpan.Zero));
}
