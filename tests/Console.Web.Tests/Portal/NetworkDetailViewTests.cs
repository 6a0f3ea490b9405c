using Plinth.Core.Network;
using Plinth.Web.Application;
using Plinth.Web.Pages.Networks;

namespace Plinth.Web.Tests.Portal;

public sealed class NetworkDetailViewTests : PortalStage
{
    private INetworks Networks => The<INetworks>();

    private async Task<NetworkDetailView> Open()
    {
        var shop = Ok(await Networks.Create(Ana, Project, new CreateNetwork("shop", "10.20.0.0/24"), null, Stop));
        var view = new NetworkDetailView(Networks, Live, Ana, Project, shop.Id);
        await view.Load();
        return view;
    }

    [Fact]
    public async Task A_rule_that_somebody_else_made_meanwhile_is_not_lost()
    {
        using var view = await Open();
        var theirs = new PortRule("tcp", "443", PortRule.Everybody);
        Ok(await Networks.Update(Ana, Project, view.Network!.Id, new UpdateNetwork(Rules: [theirs]), null, Stop));
        view.Ports = "22";
        await view.AddRule();
        Assert.Equal("stale_version", Assert.Single(view.Answer).Code);
        Assert.Equal("22", view.Ports);
        Assert.Equal([theirs], view.Network!.Rules);

        // What was refused was read again: asked once more, it holds beside the other.
        await view.AddRule();
        Assert.Empty(view.Answer);
        Assert.Equal([theirs, new PortRule("tcp", "22", PortRule.Everybody)], view.Network!.Rules);
    }

    [Fact]
    public async Task A_rule_of_one_guest_counts_on_what_was_seen_of_it()
    {
        await Image();
        await Host("kvm-1");
        using var view = await Open();
        var vm = Ok(await Vms.Create(Ana, Project, Request("one") with { Networks = ["shop"] }, null, Stop)).Vm!.Value;
        await view.Load();
        var member = Assert.Single(view.Members);
        (view.For, view.Ports) = (member.Mac, "22");
        Assert.Contains($"-X PUT 'http://plinth/api/v1/projects/{Project}/vms/{vm}/interfaces/{member.Mac}/rules'", view.Call("http://plinth/"));
        Assert.Contains($"If-Match: \"{member.Version}\"", view.Call("http://plinth/"));
        Assert.Contains("\"ports\": \"22\"", view.Call("http://plinth/"));
        Assert.DoesNotContain("portRange", view.Call("http://plinth/"));

        Ok(await Vms.Update(Ana, Project, vm, new UpdateVm(Description: "changed"), null, Stop));
        await view.AddRule();
        Assert.Equal("stale_version", Assert.Single(view.Answer).Code);
        await view.AddRule();
        Assert.Equal([new PortRule("tcp", "22", PortRule.Everybody)], Assert.Single(view.Members).Rules);

        view.For = "";
        Assert.Contains($"-X PATCH 'http://plinth/api/v1/projects/{Project}/networks/{view.Network!.Id}'", view.Call("http://plinth/"));
    }
}
