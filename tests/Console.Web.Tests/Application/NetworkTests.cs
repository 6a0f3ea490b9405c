using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Application;

/// <summary>Networks from the request to what hosts are told, and back from what hosts report.</summary>
public sealed class NetworkTests : Stage
{
    private INetworks Networks => The<INetworks>();

    private async Task<NetworkView> Network(string name = "shop", string cidr = "10.20.0.0/24") => Ok(await Networks.Create(Ana, Project, new CreateNetwork(name, cidr), null, Stop));

    private async Task<VmView> OnNetwork(string name, string host, params string[] networks) =>
        await Vm(Ok(await Vms.Create(Ana, Project, Request(name) with { Networks = networks, Host = host }, null, Stop)));

    private static NetworkConfig Config(FakeAgent agent, NetworkView network) => agent.Desired!.Networks.Single(n => n.Id == network.Id);

    [Fact]
    public async Task A_network_has_a_segment_of_its_own_and_everything_wrong_is_told_at_once()
    {
        var (shop, lab) = (await Network(), await Network("lab", "10.21.0.0/16"));
        Assert.NotEqual(shop.Vni, lab.Vni);
        Assert.Equal(("vxlan", "10.20.0.1", 253, 0, 1450), (shop.Kind, shop.Gateway, shop.Addresses, shop.Taken, shop.Mtu));
        var refused = await Networks.Create(Ana, Project, new CreateNetwork("shop", "10.20.0.128/25", "a\0b", [new PortRule("tcp", "99999", "x"), null]), null, Stop);
        Assert.Equal(["cidr", "description", "name", "rules[0].ports", "rules[0].source", "rules[1]"], refused.Refusals.Select(r => r.Field).Order(StringComparer.Ordinal));
        Assert.Contains("overlaps the network shop of this project (10.20.0.0/24)", refused.Reason);
        Assert.Equal(["default", "lab", "shop"], Ok(await Networks.List(Ana, Project, Stop)).Select(n => n.Name));
        Assert.Contains(await Audit(), a => a is { Action: "network.create", Outcome: "refused" });
    }

    [Fact]
    public async Task A_range_that_holds_a_hosts_own_address_is_refused()
    {
        var agent = await Host("kvm-1");
        await agent.ReportNetworks(tunnel: "10.20.0.9");
        Assert.Contains("10.20.0.9 of the host kvm-1", No(await Networks.Create(Ana, Project, new CreateNetwork("shop", "10.20.0.0/24"), null, Stop)).Message);
    }

    [Fact]
    public async Task Addresses_are_given_once_kept_for_life_and_free_again_afterwards()
    {
        await Image();
        var agent = await Host("kvm-1");
        var (shop, lab) = (await Network(), await Network("lab", "10.21.0.0/28"));
        var one = await OnNetwork("one", "kvm-1", "shop", "lab");
        var two = await OnNetwork("two", "kvm-1", "lab", "default");
        Assert.Equal(["10.20.0.2", "10.21.0.2"], one.Networks.Select(n => n.Address));
        Assert.Equal(["10.21.0.3", null], two.Networks.Select(n => n.Address));
        await Place();
        await agent.Reconcile();
        Assert.Equal([("10.20.0.2", shop.Id), ("10.21.0.2", lab.Id)], agent.Desired!.Machines.Single(m => m.Vm == one.Id).Nics.Select(n => (n.Address, n.Network)));
        Assert.Equal(one.Networks.Select(n => n.Mac), agent.Desired.Machines.Single(m => m.Vm == one.Id).Nics.Select(n => n.Mac));
        Assert.Equal([new GuestName("one", "10.21.0.2", one.Networks[1].Mac), new GuestName("two", "10.21.0.3", two.Networks[0].Mac)], Config(agent, lab).Overlay!.Names);

        for (var i = 0; i < 11; i++) await OnNetwork($"more-{i}", "kvm-1", "lab");
        var full = await Vms.Create(Ana, Project, Request("late") with { Networks = ["lab"] }, null, Stop);
        Assert.Equal(("no_address", "networks[0]"), (No(full).Code, No(full).Field));

        Ok(await Vms.Delete(Ana, Project, one.Id, true, null, null, Stop));
        await agent.Reconcile();
        Assert.Equal("10.21.0.2", (await OnNetwork("late", "kvm-1", "lab")).Networks[0].Address);
    }

    [Fact]
    public async Task A_network_in_use_stays_and_an_empty_one_goes()
    {
        await Image();
        var agent = await Host("kvm-1");
        var shop = await Network();
        var vm = await OnNetwork("one", "kvm-1", "shop");
        await Place();
        await agent.Reconcile();
        Assert.Contains("1 VM on it (one)", No(await Networks.Delete(Ana, Project, shop.Id, Stop)).Message);
        Assert.Equal("network_kept", No(await Networks.Delete(Ana, Project, WellKnown.DefaultNetwork, Stop)).Code);
        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        await agent.Reconcile();
        Ok(await Networks.Delete(Ana, Project, shop.Id, Stop));
        await agent.Take();
        Assert.DoesNotContain(agent.Desired!.Networks, n => n.Id == shop.Id);
    }

    [Fact]
    public async Task Hosts_of_a_network_know_each_other_and_no_other_host_hears_of_it()
    {
        await Image();
        var (a, b, c) = (await Host("kvm-1"), await Host("kvm-2"), await Host("kvm-3"));
        await a.ReportNetworks(tunnel: "192.0.2.1");
        await b.ReportNetworks(tunnel: "192.0.2.2");
        var shop = await Network();
        await OnNetwork("one", "kvm-1", "shop");
        await Place();
        await a.Reconcile();
        Assert.Empty(Config(a, shop).Overlay!.Peers);

        Gateway.Woken.Clear();
        await OnNetwork("two", "kvm-2", "shop");
        await Place();
        Assert.Contains(a.Host, Gateway.Woken);
        Assert.DoesNotContain(c.Host, Gateway.Woken);
        foreach (var agent in (FakeAgent[])[a, b, c]) await agent.Reconcile();
        Assert.Equal(["192.0.2.2"], Config(a, shop).Overlay!.Peers);
        Assert.Equal(["192.0.2.1"], Config(b, shop).Overlay!.Peers);
        Assert.Equal(["one", "two"], Config(a, shop).Overlay!.Names.Select(n => n.Name));
        Assert.DoesNotContain(c.Desired!.Networks, n => n.Id == shop.Id);

        // A host moves to another address: the others are told.
        await b.ReportNetworks(tunnel: "192.0.2.22");
        await a.Take();
        Assert.Equal(["192.0.2.22"], Config(a, shop).Overlay!.Peers);
    }

    [Fact]
    public async Task Rules_of_a_network_and_of_an_interface_reach_its_hosts()
    {
        await Image();
        var agent = await Host("kvm-1");
        var shop = await Network();
        var vm = await OnNetwork("one", "kvm-1", "shop", "default");
        await Place();
        await agent.Reconcile();
        var (web, ssh) = (new PortRule("tcp", "443", "0.0.0.0/0"), new PortRule("tcp", "22", "192.0.2.0/24"));
        Gateway.Woken.Clear();
        Assert.Equal([web], Ok(await Networks.Update(Ana, Project, shop.Id, new UpdateNetwork(Rules: [web]), shop.Version, Stop)).Rules);
        Assert.Contains(agent.Host, Gateway.Woken);
        Ok(await Networks.SetInterfaceRules(Ana, Project, vm.Id, vm.Networks[0].Mac, new SetInterfaceRules([ssh]), null, Stop));
        await agent.Take();
        Assert.Equal([web], Config(agent, shop).Overlay!.Rules);
        Assert.Equal([ssh], agent.Desired!.Machines.Single().Nics[0].Rules);
        Assert.Equal([ssh], Assert.Single(Ok(await Networks.Members(Ana, Project, shop.Id, Stop))).Rules);
        Assert.Equal("stale_version", No(await Networks.Update(Ana, Project, shop.Id, new UpdateNetwork("x"), shop.Version, Stop)).Code);
        Assert.Equal("no_rules", No(await Networks.SetInterfaceRules(Ana, Project, vm.Id, vm.Networks[1].Mac, new SetInterfaceRules([ssh]), null, Stop)).Code);
        Assert.Equal("no_rules", No(await Networks.Update(Ana, Project, WellKnown.DefaultNetwork, new UpdateNetwork(Rules: [ssh]), null, Stop)).Code);
    }

    [Fact]
    public async Task Conformity_is_what_hosts_say_drift_and_drops_included()
    {
        await Image();
        var agent = await Host("kvm-1");
        var shop = await Network();
        var vm = await OnNetwork("one", "kvm-1", "shop");
        await Place();
        await agent.Reconcile();
        var host = Assert.Single(Ok(await Networks.Get(Ana, Project, shop.Id, Stop)).Hosts);
        Assert.Equal((null, 1), (host.Conforms, host.Vms));
        Assert.Contains("has not reported the network yet", host.Detail);

        var rules = new ObservedFacility("rules", "anti-spoofing", true, "1 guest interface pinned.");
        var network = new ObservedFacility("network", "shop", true, "VXLAN to no other host.", Id: shop.Id.Value);
        await agent.ReportNetworks(facilities: [network, rules]);
        Assert.True(Assert.Single(Ok(await Networks.Get(Ana, Project, shop.Id, Stop)).Hosts).Conforms);

        await agent.ReportNetworks(facilities: [network, rules with { Drift = "Put right: table bridge plinth was missing.", DriftAt = Time.GetUtcNow() }], drops: [new InterfaceDrops(vm.Networks[0].Mac, "arp", 5, 210)]);
        host = Assert.Single(Ok(await Networks.Get(Ana, Project, shop.Id, Stop)).Hosts);
        Assert.Equal(("Put right: table bridge plinth was missing.", Time.GetUtcNow()), (host.Drift, host.DriftAt));
        Assert.Contains(Ok(await Hosts.Get(Ana, agent.Host, Stop)).Facilities, f => f.Kind == "rules" && f.DriftAt is not null);
        Assert.Equal([new InterfaceDrops(vm.Networks[0].Mac, "arp", 5, 210)], Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Networks[0].Drops);

        await agent.ReportNetworks(facilities: [network with { Ready = false, Detail = "mgmt carries frames of 1400 bytes." }, rules]);
        host = Assert.Single(Ok(await Networks.Get(Ana, Project, shop.Id, Stop)).Hosts);
        Assert.Equal((false, "mgmt carries frames of 1400 bytes."), (host.Conforms, host.Detail));
        await agent.Disconnect();
        Assert.True(Assert.Single(Ok(await Networks.Get(Ana, Project, shop.Id, Stop)).Hosts).Stale);
    }

    [Fact]
    public async Task Another_projects_network_is_not_there_and_its_range_may_be_the_same()
    {
        var shop = await Network();
        await Store.Write(async scope =>
        {
            scope.Db.Projects.Add(new ProjectRow { Id = new ProjectId(Guid.NewGuid()), Organization = WellKnown.DefaultOrganization, Name = "theirs", CreatedAt = scope.Now });
            return await scope.Db.Projects.CountAsync();
        });
        var theirs = Ok(await Networks.Create(Ana, "theirs", new CreateNetwork("shop", "10.20.0.0/24"), null, Stop));
        Assert.NotEqual(shop.Vni, theirs.Vni);
        Assert.Equal("network_not_found", No(await Networks.Get(Ana, "theirs", shop.Id, Stop)).Code);
        Assert.Equal("network_not_found", No(await Networks.Delete(Ana, "theirs", shop.Id, Stop)).Code);
        Assert.Equal("network_not_found", No(await Networks.Update(Ana, Project, theirs.Id, new UpdateNetwork("x"), null, Stop)).Code);
        Assert.Equal("network_not_found", No(await Networks.Members(Ana, Project, theirs.Id, Stop)).Code);
    }
}
