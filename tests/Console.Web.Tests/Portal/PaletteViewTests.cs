using Microsoft.Extensions.DependencyInjection;
using Plinth.Web.Application;
using Plinth.Web.Layout.Commands;

namespace Plinth.Web.Tests.Portal;

public sealed class PaletteViewTests : PortalStage
{
    private readonly Bunit.BunitContext _browser = new();
    private PageCommands Page => field ??= new PageCommands(_browser.Services.GetRequiredService<Microsoft.AspNetCore.Components.NavigationManager>());

    private PaletteView Open()
    {
        var view = new PaletteView(The<ISearch>(), Time, Ana, Page, () => Project);
        view.Show(true);
        return view;
    }

    private async Task Type(PaletteView view, string text)
    {
        var typed = view.Type(text);
        Time.Advance(TimeSpan.FromMilliseconds(100));
        await typed;
    }

    [Fact]
    public void Opened_it_offers_the_commands_and_closed_it_holds_nothing()
    {
        using var view = Open();
        Assert.Contains(view.Items, i => i is { Group: "Go to", Text: "Hosts", Keys: "g h" });
        view.Show(false);
        Assert.Empty(view.Items);
    }

    [Fact]
    public async Task Objects_and_commands_are_found_by_what_is_typed()
    {
        await Image();
        var vm = await Vm(await Create("dark-matter"));
        using var view = Open();
        await Type(view, "dark");
        Assert.Equal($"/projects/{Project}/vms/{vm.Id}", view.Items.First(i => i.Group == "Virtual machines").Href);
        Assert.Contains(view.Items, i => i.Browser == "choose theme dark");
        Assert.DoesNotContain(view.Items, i => i.Text == "Hosts");
    }

    [Fact]
    public async Task A_letter_that_is_heard_before_the_opening_counts()
    {
        await Image();
        await Create("quick-1");
        using var view = new PaletteView(The<ISearch>(), Time, Ana, Page, () => Project);
        var typed = view.Type("q");
        view.Show(true);
        Time.Advance(TimeSpan.FromMilliseconds(100));
        await typed;
        Assert.Contains(view.Items, i => i is { Group: "Virtual machines", Text: "quick-1" });
    }

    [Fact]
    public async Task What_is_typed_on_is_searched_once()
    {
        await Image();
        await Create("web-1");
        using var view = Open();
        var first = view.Type("we");
        await Type(view, "nothing-like-it");
        await first;
        Assert.DoesNotContain(view.Items, i => i.Group == "Virtual machines");
        Assert.False(view.Searching);
    }

    [Fact]
    public void Acts_of_the_page_come_first_and_end_with_its_address()
    {
        var done = 0;
        Page.Set(new PageCommand("Stop web-1", () => { done++; return Task.CompletedTask; }), new PageCommand("Start web-1", () => Task.CompletedTask, "The VM runs already."));
        using var view = Open();
        Assert.Equal("Stop web-1", view.Items[0].Text);
        Assert.Equal("The VM runs already.", view.Items[1].Detail);
        _browser.Services.GetRequiredService<Microsoft.AspNetCore.Components.NavigationManager>().NavigateTo("/hosts");
        view.Show(true);
        Assert.NotEqual("Stop web-1", view.Items[0].Text);
        Assert.Equal(0, done);
    }

    [Fact]
    public void Every_key_means_one_thing()
    {
        var keys = PortalCommand.In(Project).Where(c => c.Keys is not null).Select(c => c.Keys!).ToList();
        Assert.Equal(keys.Count, keys.Distinct().Count());
        // The first of two keys must not be a command itself: the second would never be waited for.
        Assert.DoesNotContain(keys, k => keys.Any(o => o.StartsWith(k + " ", StringComparison.Ordinal)));
    }
}
