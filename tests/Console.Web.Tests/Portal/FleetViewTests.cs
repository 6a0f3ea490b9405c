using Plinth.Core.Inventory;
using Plinth.Web.Application;
using Plinth.Web.Pages.Hosts;
using Plinth.Web.Pages.Overview;

namespace Plinth.Web.Tests.Portal;

public sealed class FleetViewTests : PortalStage
{
    [Fact]
    public async Task A_lost_host_turns_up_as_what_is_wrong_now_with_a_link()
    {
        var agent = await Host("kvm-1");
        using var overview = new OverviewPageView(The<IOverview>(), Live, Time, Ana);
        await overview.Load();
        Assert.Equal((1, 1), (overview.Fleet!.Hosts, overview.Fleet.HostsReady));
        Assert.Empty(overview.Fleet.Problems);

        await agent.Disconnect();
        Time.Advance(TimeSpan.FromMinutes(5));
        await Watch();
        await Tell();

        await Until("the overview knows", () => overview.Fleet.HostsLost == 1);
        Assert.Contains(overview.Fleet.Problems, p => p.Href == $"/hosts/{agent.Host}" && p.Severity == "error");
    }

    [Fact]
    public async Task A_host_shows_its_drift_and_its_machines()
    {
        var (agent, vm) = await Running();
        using var view = new HostDetailView(Hosts, Live, Time, Ana, agent.Host);
        await view.Load();
        Assert.Equal(vm.Id, Assert.Single(view.Vms!.Items).Id);

        agent.UnknownDomains.Add("old-database");
        await agent.Report();
        await Tell();

        await Until("the drift is shown", () => view.Host!.UnknownDomains is ["old-database"]);
    }

    [Fact]
    public async Task Retiring_a_host_in_use_is_refused_in_words()
    {
        var (agent, _) = await Running();
        using var view = new HostDetailView(Hosts, Live, Time, Ana, agent.Host);
        await view.Load();

        await view.Retire();

        Assert.NotNull(view.ActRefusal);
        Assert.Equal(HostState.Ready, view.Host!.State);
    }

    [Fact]
    public async Task Hosts_are_filtered_and_counted()
    {
        await Host("kvm-1");
        await Host("rack-2");
        using var view = new HostListView(Hosts, Live, Time, Ana, new HostQuery(Q: "rack"));
        await view.Load();
        Assert.Equal("1 of 2", view.Count);
        Assert.Equal("rack-2", Assert.Single(view.Rows).Content.Name);
    }
}
