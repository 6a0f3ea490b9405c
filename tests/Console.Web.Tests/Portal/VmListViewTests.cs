using Microsoft.AspNetCore.Components.Web.Virtualization;
using Plinth.Core.Machines;
using Plinth.Web.Application;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Tests.Portal;

public sealed class VmListViewTests : PortalStage
{
    private VmListView Open(VmQuery? query = null) => new(Vms, The<IBulkActs>(), Hosts, Live, Time, Ana, Project, query ?? new VmQuery());

    [Fact]
    public async Task A_row_keeps_its_identity_while_its_content_changes()
    {
        await Image();
        var agent = await Host("kvm-1");
        var web = await Create("web-1");
        await Create("web-2");
        using var view = Open();
        await view.Load();
        var row = view.Rows[0];
        Assert.Equal(VmState.Requested, row.Content.State);
        var (drawn, windows) = (0, 0);
        view.Changed += () => drawn++;
        view.WindowChanged += () => { windows++; return Task.CompletedTask; };

        await Place();
        await agent.Reconcile();
        await Tell();

        await Until("web-1 is shown as running", () => row.Content.State == VmState.Running);
        Assert.Same(row, view.Rows[0]);
        Assert.True(row.Revision > 0);
        await Until("the list is drawn", () => drawn == 1);
        Assert.Equal(0, windows);
        Assert.Equal((await Vm(web)).HostName, row.Content.HostName);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_drawn_again()
    {
        await Image();
        await Create("web-1");
        using var view = Open();
        await view.Load();
        await Create("web-2");
        var windows = 0;
        view.WindowChanged += () => { windows++; return Task.CompletedTask; };

        await Tell();
        await Until("the new VM is listed", () => view.Total == 2);

        Assert.Equal(0, view.Rows.Single(r => r.Content.Name == "web-1").Revision);
        Assert.Equal(1, windows);
    }

    [Fact]
    public async Task The_count_says_how_many_of_all()
    {
        await Image();
        foreach (var name in new[] { "web-1", "web-2", "db-1" }) await Create(name);
        using var view = Open(new VmQuery(Q: "web"));
        await view.Load();
        Assert.Equal("2 of 3", view.Count);

        await view.Show(new VmQuery());
        Assert.Equal("3 of 3", view.Count);
    }

    [Fact]
    public async Task A_window_holds_only_what_was_asked_for()
    {
        await Image();
        for (var i = 0; i < 12; i++) await Create($"web-{i:00}");
        using var view = Open();
        await view.Load();

        var window = await view.Provide(new ItemsProviderRequest(8, 4, default));

        Assert.Equal(12, window.TotalItemCount);
        Assert.Equal(["web-08", "web-09", "web-10", "web-11"], window.Items.Select(r => r.Content.Name));
    }

    [Fact]
    public async Task A_wrong_filter_is_refused_in_words()
    {
        using var view = Open(new VmQuery(State: "sleeping"));
        await view.Load();
        Assert.Contains("sleeping", Assert.Single(view.Refusals).Message);
    }

    [Fact]
    public async Task A_view_that_was_left_hears_nothing()
    {
        var view = Open();
        await view.Load();
        Assert.Equal(1, Live.Subscribers);
        view.Dispose();
        Assert.Equal(0, Live.Subscribers);
    }
}
