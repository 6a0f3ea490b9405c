using System.Text.Json;
using CsCheck;
using Plinth.Core.Primitives;

namespace Plinth.Core.Tests.Primitives;

public class PrimitivesTests
{
    private static readonly Gen<Resources> Sizes = Gen.Select(Gen.Int[0, 10_000], Gen.Int[0, 10_000_000], Gen.Int[0, 1_000_000]).Select((c, m, d) => new Resources(c, m, d));

    [Fact]
    public void An_id_is_written_as_its_plain_uuid_and_comes_back() => Gen.Guid.Sample(guid =>
    {
        var id = new VmId(guid);
        Assert.Equal($"\"{guid}\"", JsonSerializer.Serialize(id));
        Assert.Equal(id, JsonSerializer.Deserialize<VmId>($"\"{guid}\""));
        var map = new Dictionary<HostId, int> { [new HostId(guid)] = 1 };
        Assert.Equal(map, JsonSerializer.Deserialize<Dictionary<HostId, int>>(JsonSerializer.Serialize(map)));
    });

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"no uuid\"")]
    [InlineData("\"00000000\"")]
    public void What_is_no_uuid_is_refused(string json) => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<VmId>(json));

    [Fact]
    public void Ids_sort_by_the_time_they_were_made() => Gen.Long[0, 4_000_000_000_000].Select(Gen.Long[1, 1_000_000]).Sample((ms, later) =>
    {
        var first = VmId.New(DateTimeOffset.FromUnixTimeMilliseconds(ms));
        var second = VmId.New(DateTimeOffset.FromUnixTimeMilliseconds(ms + later));
        Assert.True(string.CompareOrdinal(first.ToString(), second.ToString()) < 0);
        Assert.Equal(7, first.Value.Version);
    });

    [Fact]
    public void Every_kind_of_id_keeps_its_value()
    {
        var kinds = typeof(VmId).Assembly.GetTypes().Where(t => t.IsValueType && t.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(ITypedId<>))).ToArray();
        Assert.True(kinds.Length >= 12);
        var guid = Guid.CreateVersion7();
        foreach (var kind in kinds)
        {
            Assert.Equal(guid, kind.GetProperty("Value")!.GetValue(kind.GetMethod("From")!.Invoke(null, [guid])));
            Assert.Equal(guid.ToString(), Activator.CreateInstance(kind, guid)!.ToString());
        }
    }

    [Fact]
    public void What_is_added_can_be_taken_away_again() => Sizes.Select(Sizes).Sample((a, b) => Assert.Equal(a, a + b - b));

    [Fact]
    public void Fitting_is_fitting_in_each_of_the_three() => Sizes.Select(Sizes).Sample((a, free) =>
        Assert.Equal(a.Vcpus <= free.Vcpus && a.MemoryMib <= free.MemoryMib && a.DiskGib <= free.DiskGib, a.FitsIn(free)));

    [Fact]
    public void Generations_and_epochs_only_grow() => Gen.Long[0, long.MaxValue - 1].Sample(n =>
    {
        Assert.True(new Generation(n).Next() > new Generation(n) && new Generation(n) < new Generation(n).Next() && new Generation(n) <= new Generation(n));
        Assert.True(new Epoch(n).Next() > new Epoch(n));
        Assert.Equal(n.ToString(), JsonSerializer.Serialize(new Generation(n)));
        Assert.Equal(new Epoch(n), JsonSerializer.Deserialize<Epoch>(n.ToString()));
    });

    [Fact]
    public void The_last_generation_has_no_next() => Assert.Throws<OverflowException>(() => new Generation(long.MaxValue).Next());

    [Fact]
    public void A_result_has_a_value_or_reasons_and_never_both()
    {
        Result<int> yes = 7;
        Result<int> no = Refusal.Invalid("name", "bad_name", "The name is wrong.");
        Assert.Equal((true, 7, 0), (yes.Succeeded, yes.Value, yes.Refusals.Count));
        Assert.Equal((false, "The name is wrong."), (no.Succeeded, no.Reason));
        Assert.Contains("The name is wrong.", Assert.Throws<InvalidOperationException>(() => no.Value).Message);
        Assert.Throws<ArgumentException>(() => Result<int>.No());
    }
}
