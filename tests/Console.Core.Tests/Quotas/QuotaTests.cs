using CsCheck;
using Plinth.Core.Quotas;
using Xunit;

namespace Plinth.Core.Tests.Quotas;

public sealed class QuotaTests
{
    private static readonly HashSet<string> Classes = ["default", "fast"];

    private static QuotaLevel Level(string where, Dictionary<string, long> limits, Dictionary<string, long> used) => new(where, limits, used, "an admin of organization acme");

    [Fact]
    public void A_refusal_names_the_level_with_used_limit_and_asked()
    {
        var refusal = Assert.Single(Quota.Check(
            new Dictionary<string, long> { [QuotaResources.Vcpus] = 4, [QuotaResources.MemoryMib] = 1024 },
            [Level("project web", new() { [QuotaResources.Vcpus] = 8, [QuotaResources.MemoryMib] = 4096 }, new() { [QuotaResources.Vcpus] = 6, [QuotaResources.MemoryMib] = 3072 })]));
        Assert.Equal("quota_exceeded", refusal.Code);
        Assert.Equal("Project web may have 8 vCPU and has 6; this asks for 4, 2 too much. Remove something there, or have the limit raised by an admin of organization acme.", refusal.Message);
    }

    [Fact]
    public void Every_level_is_asked_and_each_says_what_it_refuses()
    {
        var asked = new Dictionary<string, long> { [QuotaResources.DiskGib] = 20, [QuotaResources.DiskOf("fast")] = 20 };
        var refusals = Quota.Check(asked,
        [
            Level("project web", new() { [QuotaResources.DiskOf("fast")] = 10 }, []),
            Level("organization acme", new() { [QuotaResources.DiskGib] = 100, [QuotaResources.DiskOf("default")] = 1 }, new() { [QuotaResources.DiskGib] = 90 }),
        ]);
        Assert.Equal(2, refusals.Count);
        Assert.StartsWith("Project web may have 10 GiB of disk of class fast and has 0 GiB; this asks for 20 GiB, 10 GiB too much.", refusals[0].Message, StringComparison.Ordinal);
        Assert.StartsWith("Organization acme may have 100 GiB of disk and has 90 GiB; this asks for 20 GiB, 10 GiB too much.", refusals[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_asks_for_nothing_more_is_within_limits_that_are_overrun_already() =>
        Assert.Empty(Quota.Check(new Dictionary<string, long> { [QuotaResources.Vcpus] = 0, [QuotaResources.MemoryMib] = -512 },
            [Level("project web", new() { [QuotaResources.Vcpus] = 1, [QuotaResources.MemoryMib] = 1 }, new() { [QuotaResources.Vcpus] = 9, [QuotaResources.MemoryMib] = 9000 })]));

    [Fact]
    public void Whatever_is_asked_for_in_whatever_order_no_level_comes_to_have_more_than_it_may()
    {
        // -1: nothing said of that resource.
        var amounts = Gen.Long[-1, 20].Array[QuotaResources.All.Count].Select(all => all.Select((amount, i) => (Resource: QuotaResources.All[i], amount)).Where(a => a.amount >= 0).ToDictionary(a => a.Resource, a => a.amount));
        Gen.Select(amounts, amounts, amounts.Array[1, 30], (project, organization, asks) => (project, organization, asks)).Sample(t =>
        {
            var used = new Dictionary<string, long>();
            foreach (var asked in t.asks)
            {
                QuotaLevel[] levels = [Level("project web", t.project, used), Level("organization acme", t.organization, used)];
                var refusals = Quota.Check(asked, levels);
                // Refused exactly where something would be too much.
                Assert.Equal(levels.Any(l => l.Limits.Any(limit => asked.GetValueOrDefault(limit.Key) > 0 && used.GetValueOrDefault(limit.Key) + asked.GetValueOrDefault(limit.Key) > limit.Value)), refusals.Count > 0);
                if (refusals.Count > 0) continue;
                foreach (var (resource, amount) in asked) used[resource] = used.GetValueOrDefault(resource) + amount;
                Assert.All(levels, l => Assert.All(l.Limits, limit => Assert.True(used.GetValueOrDefault(limit.Key) <= limit.Value)));
            }
        });
    }

    [Fact]
    public void More_is_asked_for_where_there_is_a_limit_and_granting_lowers_none()
    {
        var limits = new Dictionary<string, long> { [QuotaResources.Vcpus] = 8, [QuotaResources.Vms] = 4 };
        Assert.Empty(Quota.CheckRequest("limits", new Dictionary<string, long> { [QuotaResources.Vcpus] = 9 }, limits, "project web", "an admin of the platform"));
        Assert.Equal(["not_more", "no_limit"], Quota.CheckRequest("limits", new Dictionary<string, long> { [QuotaResources.Vcpus] = 8, [QuotaResources.Networks] = 3 }, limits, "project web", "an admin of the platform").Select(r => r.Code));
        Assert.Equal("required", Assert.Single(Quota.CheckRequest("limits", new Dictionary<string, long>(), limits, "project web", "an admin of the platform")).Code);
        // By the time of the answer one was raised further, and one was lifted.
        var raised = Quota.Raised(new Dictionary<string, long> { [QuotaResources.Vcpus] = 32 }, new Dictionary<string, long> { [QuotaResources.Vcpus] = 16, [QuotaResources.Vms] = 9 });
        Assert.Equal(32, Assert.Single(raised).Value);
    }

    [Theory]
    [InlineData("vcpus", 0, null)]
    [InlineData("diskGib:fast", 100, null)]
    [InlineData("diskGib:slow", 100, "unknown_storage_class")]
    [InlineData("diskGib:", 100, "unknown_storage_class")]
    [InlineData("cores", 1, "unknown_resource")]
    [InlineData("vms", -1, "out_of_range")]
    [InlineData("vms", 1_000_000_001, "out_of_range")]
    public void A_limit_is_of_a_known_resource_and_within_bounds(string resource, long limit, string? code)
    {
        var refusals = Quota.CheckLimits("limits", new Dictionary<string, long?> { [resource] = limit }, Classes);
        Assert.Equal(code, refusals.SingleOrDefault()?.Code);
        Assert.All(refusals, r => Assert.Equal($"limits.{resource}", r.Field));
    }
}
