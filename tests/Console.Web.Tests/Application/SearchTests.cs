using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Tests.Application;

public sealed class SearchTests : Stage
{
    private ISearch Search => The<ISearch>();

    private async Task<IReadOnlyList<string>> Names(string q) => [.. Ok(await Search.Find(Ana, q, 20, Stop)).Items.Select(h => $"{h.Kind} {h.Name}")];

    [Fact]
    public async Task Everything_with_a_name_is_found_by_a_part_of_it()
    {
        await Image("web-image");
        await Host("web-host");
        Ok(await Vms.Create(Ana, Project, Request("web-1", "web-image"), null, Stop));
        Assert.Equal(["vm web-1", "host web-host", "image web-image", "operation Create web-1"], await Names("Web"));
    }

    [Fact]
    public async Task A_name_that_is_what_was_typed_comes_first_then_what_begins_with_it()
    {
        await Image();
        foreach (var name in new[] { "a-web", "web-10", "web-1" }) await Create(name);
        Assert.Equal(["vm web-1", "vm web-10"], (await Names("web-1")).Take(2));
        Assert.Equal(["vm web-1", "vm web-10", "vm a-web"], (await Names("web")).Take(3));
    }

    [Fact]
    public async Task All_words_must_occur_in_name_description_or_labels()
    {
        await Image();
        Ok(await Vms.Create(Ana, Project, Request("shop-1") with { Description = "The till", Labels = new Dictionary<string, string?> { ["stage"] = "prod" } }, null, Stop));
        Ok(await Vms.Create(Ana, Project, Request("shop-2") with { Labels = new Dictionary<string, string?> { ["stage"] = "test" } }, null, Stop));
        Assert.Equal(["vm shop-1"], await Names("stage=prod shop"));
        Assert.Equal(["vm shop-1"], await Names("till"));
        Assert.Empty(await Names("till stage=test"));
    }

    [Fact]
    public async Task An_id_finds_its_thing_also_when_that_is_gone()
    {
        await Image();
        var vm = await Vm(await Create("web-1"));
        var deleted = Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        Assert.Equal(["vm web-1"], await Names(vm.Id.ToString()));
        Assert.Equal(["operation Delete web-1"], await Names(deleted.Id.ToString()));
        Assert.DoesNotContain("vm web-1", await Names("web-1"));
    }

    [Fact]
    public async Task A_network_is_found_by_name_and_range_and_a_VM_by_the_address_that_it_has_there()
    {
        await Image();
        await Host("host-1");
        Ok(await The<INetworks>().Create(Ana, Project, new CreateNetwork("red", "10.5.0.0/24", null, null), null, Stop));
        Ok(await Vms.Create(Ana, Project, Request("web-1") with { Networks = ["red"] }, null, Stop));
        Assert.Equal(["network red"], await Names("red"));
        Assert.Equal(["network red"], await Names("10.5.0.0/24"));
        Assert.Equal(["vm web-1"], await Names("10.5.0.2"));
        Assert.Empty(await Names("10.5.0.3"));
    }

    [Fact]
    public async Task The_total_is_true_however_few_are_shown()
    {
        await Image();
        for (var i = 0; i < 7; i++) await Create($"web-{i}");
        var page = Ok(await Search.Find(Ana, "web-", 3, Stop));
        Assert.Equal((3, 14), (page.Items.Count, page.Total));
    }

    [Theory]
    [InlineData("", "q")]
    [InlineData("   ", "q")]
    [InlineData("a b c d e f", "q")]
    public async Task What_cannot_be_looked_for_is_refused_by_name(string q, string field) => Assert.Equal(field, No(await Search.Find(Ana, q, 20, Stop)).Field);

    [Fact]
    public async Task Signs_of_the_query_language_are_letters_like_others()
    {
        await Image();
        await Create("web-1");
        Assert.Empty(await Names("%"));
        Assert.Empty(await Names("w_b"));
        Assert.Empty(await Names("' or 1=1 --"));
    }

    [Fact]
    public async Task Strangers_find_nothing()
    {
        var no = No(await Search.Find(new Caller(Principal.Anonymous, null), "web", 20, Stop));
        Assert.Equal(RefusalKind.Forbidden, no.Kind);
    }
}
