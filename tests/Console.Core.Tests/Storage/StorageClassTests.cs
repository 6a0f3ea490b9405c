using CsCheck;
using Plinth.Core.Inventory;
using Plinth.Core.Storage;
using Xunit;

namespace Plinth.Core.Tests.Storage;

public sealed class StorageClassTests
{
    private static readonly Gen<StorageNeeds> Needs = Gen.Select(Gen.Int[0, 2].Select(i => i == 0 ? null : (StorageMedium?)(StorageMedium)i), Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool)
        .Select((medium, thin, shared, snapshots, resize) => new StorageNeeds(medium, thin, shared, snapshots, resize));

    private static readonly Gen<HostPool> Pools = Gen.Select(Gen.Enum<PoolKind>(), Gen.Enum<StorageMedium>()).Select((kind, medium) => HostPool.Of(kind, medium));

    [Fact]
    public void A_pool_fits_exactly_where_it_can_do_everything_and_otherwise_says_each_thing_that_it_lacks() => Gen.Select(Needs, Pools).Sample((needs, pool) =>
    {
        string[] lacks =
        [
            .. needs.Medium is { } medium && medium != pool.Medium ? ["on " + HostPool.Word(pool.Medium)] : Array.Empty<string>(),
            .. needs.ThinProvisioning && !pool.ThinProvisioning ? ["not thinly provisioned"] : Array.Empty<string>(),
            .. needs.Shared && !pool.Shared ? ["not shared between hosts"] : Array.Empty<string>(),
            .. needs.Snapshots && !pool.Snapshots ? ["without snapshots"] : Array.Empty<string>(),
            .. needs.OnlineResize && !pool.OnlineResize ? ["without online resize"] : Array.Empty<string>(),
        ];
        var no = StorageMatch.WhyNot(new StorageDemand("gold", needs), pool);
        Assert.Equal(lacks.Length == 0, no is null);
        if (no is null) return;
        Assert.All(lacks, l => Assert.Contains(l, no));
        Assert.EndsWith($"class gold needs {needs}", no);
    });

    [Fact]
    public void A_class_that_needs_nothing_takes_any_pool_also_one_that_nobody_has_described()
    {
        Assert.Null(StorageMatch.WhyNot(new StorageDemand("default", StorageNeeds.Nothing), null));
        Assert.Contains("has not said", StorageMatch.WhyNot(new StorageDemand("gold", new StorageNeeds(Snapshots: true)), null));
        Assert.Equal("solid state, snapshots and online resize", new StorageNeeds(StorageMedium.SolidState, Snapshots: true, OnlineResize: true).ToString());
    }

    [Theory]
    [InlineData(9L, null, null, null, "limits.readIops")]
    [InlineData(null, 65535L, null, null, "limits.writeBytesPerSecond")]
    [InlineData(100L, null, 200, null, "limits.burstSeconds")]
    [InlineData(100L, null, null, 5, "limits.burstPercent")]
    [InlineData(null, null, 200, 5, "limits.burstPercent")]
    [InlineData(100L, null, 100, 5, "limits.burstPercent")]
    [InlineData(100L, null, 200, 601, "limits.burstSeconds")]
    public void What_is_wrong_with_limits_is_told_at_its_field(long? readIops, long? writeBytes, int? percent, int? seconds, string field) =>
        Assert.Equal(field, Assert.Single(IoLimitRules.Check("limits", new IoLimits(readIops, null, null, writeBytes, percent, seconds))).Field);

    [Fact]
    public void Limits_are_told_in_words()
    {
        Assert.Equal("not limited", IoLimits.None.ToString());
        Assert.Equal("1,500 reads/s, 20 MiB/s written, up to 200 % for 10 s", new IoLimits(ReadIops: 1500, WriteBytesPerSecond: 20 << 20, BurstPercent: 200, BurstSeconds: 10).ToString());
        Assert.Empty(IoLimitRules.Check("limits", new IoLimits(10, 10_000_000, 65_536, 1L << 40, 1000, 600)));
    }
}
