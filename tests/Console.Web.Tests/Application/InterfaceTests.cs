using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>Network interfaces from request to what the host is told, and from its reports back to free addresses.</summary>
public class InterfaceTests : Stage
{
    private IInterfaces Interfaces => The<IInterfaces>();
    private INetworks Networks => The<INetworks>();
    private ISnapshots Snapshots => The<ISnapshots>();

    private async Task<NetworkView> Network(string name = "shop", string cidr = "10.20.0.0/24") => Ok(await Networks.Create(Ana, Project, new CreateNetwork(name, cidr), null, Stop));

    private Task<Result<OperationView>> Add(VmView vm, string? network = "shop", string? address = null, IReadOnlyList<PortRule?>? rules = null) =>
        Interfaces.Add(Ana, Project, vm.Id, new AddInterface(network, address, rules), null, null, Stop);

    private Task<Result<OperationView>> Remove(VmView vm, VmNetworkView nic) => Interfaces.Remove(Ana, Project, vm.Id, nic.Mac, null, null, Stop);

    private async Task<VmView> Get(VmView vm) => Ok(await Vms.Get(Ana, Project, vm.Id, Stop));

    private async Task<VmNetworkView> On(VmView vm, string network) => (await Get(vm)).Networks.Single(n => n.Name == network);

    private async Task<int> Taken(NetworkView network) => Ok(await Networks.Get(Ana, Project, network.Id, Stop)).Taken!.Value;

    private static IReadOnlyList<DesiredNic> Nics(FakeAgent agent, VmView vm) => agent.Desired!.Machines.Single(m => m.Vm == vm.Id).Nics;

    private async Task Off(FakeAgent agent, VmView vm)
    {
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
    }

    [Fact]
    public async Task An_interface_is_added_to_a_running_vm_told_of_with_its_addresses_and_removed()
    {
        var (agent, vm) = await Running();
        var shop = await Network();
        var other = await Create("web-2");
        await Place();
        await agent.Reconcile();
        var ssh = new PortRule("tcp", "22", "0.0.0.0/0");
        var add = Ok(await Add(vm, address: "10.20.0.77", rules: [ssh]));
        Assert.Equal((OperationKind.AddInterface, OperationState.Pending, "web-1"), (add.Kind, add.State, add.Target));
        var nic = await On(vm, "shop");
        Assert.Equal(("10.20.0.77", InterfaceState.Adding, 1), (nic.Address, nic.State, await Taken(shop)));
        await agent.Reconcile();
        Assert.Equal(new DesiredNic(nic.Mac, shop.Id, "10.20.0.77"), Nics(agent, vm)[1] with { Rules = null });
        Assert.Equal([ssh], Nics(agent, vm)[1].Rules);
        // Its name, for DHCP and DNS, and its rules are the network's.
        Assert.Equal([new GuestName("web-1", "10.20.0.77", nic.Mac)], agent.Desired!.Networks.Single(n => n.Id == shop.Id).Overlay!.Names);
        add = await Newest(add);
        Assert.Equal((OperationState.Succeeded, $"The guest has it, with the MAC address {nic.Mac}; DHCP gives it 10.20.0.77."), (add.State, add.Steps[1].Detail));
        nic = await On(vm, "shop");
        Assert.Equal((InterfaceState.Present, true, ""), (nic.State, nic.Plugged, nic.Note));
        Assert.Equal("10.20.0.77", Assert.Single(nic.SeenAddresses));
        Assert.Equal(ssh, Assert.Single(nic.Rules));
        Assert.Equal(["default", "shop"], (await Get(vm)).Networks.Select(n => n.Name));
        Assert.Contains("1 VM on it (web-1)", No(await Networks.Delete(Ana, Project, shop.Id, Stop)).Message);

        var remove = Ok(await Remove(vm, nic));
        Assert.Equal(InterfaceState.Removing, (await On(vm, "shop")).State);
        // It is held to its address and keeps it until it is gone.
        await agent.Take();
        Assert.True(Nics(agent, vm)[1].Leaving);
        Assert.Equal((1, "address_taken"), (await Taken(shop), No(await Add(await Vm(other), address: "10.20.0.77")).Code));
        await agent.Reconcile();
        Assert.Equal((OperationState.Succeeded, 0), ((await Newest(remove)).State, await Taken(shop)));
        Assert.Equal(["default"], (await Get(vm)).Networks.Select(n => n.Name));
        await agent.Reconcile();
        Assert.Single(Nics(agent, vm));
        Assert.DoesNotContain(agent.Desired!.Networks, n => n.Id == shop.Id);
        Ok(await Networks.Delete(Ana, Project, shop.Id, Stop));
        Assert.Equal(["vm.interface-add", "vm.interface-remove", "vm.interface-removed"], (await Audit()).Where(a => a.Action.StartsWith("vm.interface", StringComparison.Ordinal) && a.Outcome == "done").Select(a => a.Action));
    }

    [Fact]
    public async Task What_was_removed_comes_back_as_it_was()
    {
        var (agent, vm) = await Running();
        await Network();
        Ok(await Add(vm));
        await agent.Reconcile();
        var nic = await On(vm, "shop");
        Ok(await Remove(vm, nic));
        await agent.Reconcile();
        Ok(await Add(vm, address: nic.Address));
        await agent.Reconcile();
        var again = await On(vm, "shop");
        Assert.Equal((nic.Mac, nic.Address, InterfaceState.Present), (again.Mac, again.Address, again.State));
    }

    [Fact]
    public async Task A_vm_that_is_off_takes_and_loses_them_at_once_the_only_one_too()
    {
        var (agent, vm) = await Running();
        await Network();
        await Off(agent, vm);
        var add = Ok(await Add(vm));
        await agent.Reconcile();
        Assert.Equal("The machine is off; it has the interface from its next start on.", (await Newest(add)).Steps[1].Detail);
        Assert.Equal((InterfaceState.Present, null, "10.20.0.2"), ((await On(vm, "shop")).State, (await On(vm, "shop")).Plugged, (await On(vm, "shop")).Address));
        foreach (var nic in (await Get(vm)).Networks)
        {
            var remove = Ok(await Remove(vm, nic));
            await agent.Reconcile();
            remove = await Newest(remove);
            Assert.Equal((OperationState.Succeeded, StepState.Skipped), (remove.State, remove.Steps[1].State));
        }
        Assert.Empty((await Get(vm)).Networks);
        Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        await agent.Reconcile();
        Assert.Equal(VmState.Running, (await Get(vm)).State);
    }

    [Fact]
    public async Task Without_a_free_port_it_comes_at_the_next_start_and_that_is_said()
    {
        var (agent, vm) = await Running();
        await Network();
        agent.NoFreePorts = true;
        var add = Ok(await Add(vm));
        await agent.Reconcile();
        add = await Newest(add);
        Assert.Equal(OperationState.Succeeded, add.State);
        Assert.Contains("has no free port", add.Steps[1].Detail);
        Assert.Equal((false, add.Steps[1].Detail), ((await On(vm, "shop")).Plugged, (await On(vm, "shop")).Note));
        await Off(agent, vm);
        Assert.Equal("", (await On(vm, "shop")).Note);
    }

    [Fact]
    public async Task What_can_not_be_added_is_taken_back_and_its_address_is_free_once_that_is_seen()
    {
        var (agent, vm) = await Running();
        var shop = await Network();
        agent.InterfaceProblem = new MachineProblem("interface_failed", "The bridge is gone.", StepKind.Plugged, Final: true);
        var add = Ok(await Add(vm));
        await agent.Reconcile();
        Assert.Equal((OperationState.Failed, "The bridge is gone."), ((await Newest(add)).State, (await Newest(add)).Reason));
        Assert.Equal((VmState.Running, InterfaceState.Removing, 1), ((await Get(vm)).State, (await On(vm, "shop")).State, await Taken(shop)));
        await agent.Reconcile();
        Assert.Equal((1, 0), ((await Get(vm)).Networks.Count, await Taken(shop)));
        Assert.Contains(await Audit(), a => a is { Action: "vm.interface-add-undone" });
    }

    [Fact]
    public async Task A_guest_that_does_not_release_it_in_time_keeps_it()
    {
        var (agent, vm) = await Running();
        var shop = await Network();
        Ok(await Add(vm));
        await agent.Reconcile();
        agent.GuestsKeepDisks = true;
        var remove = Ok(await Remove(vm, await On(vm, "shop")));
        await agent.Reconcile();
        Assert.Equal("Waiting for the guest to release it.", (await Newest(remove)).Steps[2].Detail);
        Time.Advance(TimeSpan.FromSeconds(61));
        await Drive();
        Assert.Equal(OperationState.Failed, (await Newest(remove)).State);
        Assert.Contains("stop the VM and remove it then", (await Newest(remove)).Reason);
        // The wish is taken back: nothing is torn out later.
        await agent.Take();
        Assert.False(Nics(agent, vm)[1].Leaving);
        Assert.Equal((VmState.Running, InterfaceState.Present, 1), ((await Get(vm)).State, (await On(vm, "shop")).State, await Taken(shop)));
    }

    [Fact]
    public async Task A_stop_ends_a_removal_that_a_guest_holds_up_and_the_interface_goes()
    {
        var (agent, vm) = await Running();
        var shop = await Network();
        Ok(await Add(vm));
        await agent.Reconcile();
        agent.GuestsKeepDisks = true;
        var remove = Ok(await Remove(vm, await On(vm, "shop")));
        await agent.Reconcile();
        Assert.Equal("operation_under_way", No(await Remove(vm, await On(vm, "default"))).Code);
        agent.GuestsKeepDisks = false;
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        Assert.Equal(OperationState.Cancelled, (await Newest(remove)).State);
        Assert.Equal("interface_changing", (await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot("now"), null, Stop)).Refusals[0].Code);
        await agent.Reconcile();
        Assert.Equal((VmState.Stopped, 1, 0), ((await Get(vm)).State, (await Get(vm)).Networks.Count, await Taken(shop)));
    }

    [Fact]
    public async Task A_removal_ends_the_adding_before_it()
    {
        var (agent, vm) = await Running();
        var shop = await Network();
        var add = Ok(await Add(vm));
        Ok(await Remove(vm, await On(vm, "shop")));
        Assert.Equal(OperationState.Cancelled, (await Newest(add)).State);
        await agent.Reconcile();
        Assert.Equal((1, 0), ((await Get(vm)).Networks.Count, await Taken(shop)));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_the_reason()
    {
        var (agent, vm) = await Running();
        await Network();
        var tiny = await Network("tiny", "10.21.0.0/28");
        Assert.Equal(("required", "network"), Coded(No(await Add(vm, null))));
        Assert.Equal(("unknown_network", "network"), Coded(No(await Add(vm, "nowhere"))));
        Assert.Equal(("already_on_network", "network"), Coded(No(await Add(vm, "default"))));
        Assert.Equal(("bad_address", "address"), Coded(No(await Add(vm, address: "</x>"))));
        var outside = No(await Add(vm, address: "10.21.0.2"));
        Assert.Equal(("outside_range", "address"), Coded(outside));
        Assert.Equal("10.21.0.2 is outside of the network shop (10.20.0.0/24); choose one from 10.20.0.2 to 10.20.0.254, or leave it out.", outside.Message);
        Assert.Equal(("gateway", "address"), Coded(No(await Add(vm, address: "10.20.0.1"))));
        Assert.Equal(["address", "rules[0].ports"], (await Add(vm, address: "10.20.0.255", rules: [new PortRule("tcp", "0", "0.0.0.0/0")])).Refusals.Select(r => r.Field).Order(StringComparer.Ordinal));
        Assert.Equal("interface_not_found", No(await Interfaces.Remove(Ana, Project, vm.Id, "52:54:00:00:00:00", null, null, Stop)).Code);
        Assert.Equal(RefusalKind.Stale, No(await Interfaces.Add(Ana, Project, vm.Id, new AddInterface("shop"), vm.Version + 7, null, Stop)).Kind);
        Assert.Equal(RefusalKind.Stale, No(await Interfaces.Remove(Ana, Project, vm.Id, vm.Networks[0].Mac, vm.Version + 7, null, Stop)).Kind);

        // The network is at its end of addresses.
        await Store.Write(scope =>
        {
            for (var i = 2; i <= 14; i++) scope.Db.NetworkAddresses.Add(new NetworkAddressRow { Network = tiny.Id, Address = $"10.21.0.{i}", Mac = $"52:54:00:00:02:{i:x2}", Vm = vm.Id, At = scope.Now });
            return Task.FromResult(0);
        });
        var full = No(await Add(vm, "tiny"));
        Assert.Equal(("no_address", "network"), Coded(full));
        Assert.StartsWith("All 13 addresses of the network tiny (10.21.0.0/28) are taken;", full.Message);

        // On the hosts' own network, addresses and rules are none of the console's.
        Ok(await Remove(vm, vm.Networks[0]));
        await agent.Reconcile();
        Assert.Equal(["no_fixed_address", "no_rules"], (await Add(vm, "default", "10.87.0.9", [new PortRule("tcp", "22", "0.0.0.0/0")])).Refusals.Select(r => r.Code).Order(StringComparer.Ordinal));
        for (var i = 0; i < 8; i++)
        {
            await Network($"net-{i}", $"10.30.{i}.0/24");
            Ok(await Add(vm, $"net-{i}"));
            await agent.Reconcile();
        }
        Assert.Contains("has 8 interfaces; at most 8", No(await Add(vm)).Message);

        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        Assert.Equal("vm_not_settled", No(await Remove(vm, await On(vm, "net-0"))).Code);
        await agent.Reconcile();
        Assert.Equal(0, await Taken(Ok(await Networks.List(Ana, Project, Stop)).Single(n => n.Name == "net-0")));

        static (string, string?) Coded(Refusal refusal) => (refusal.Code, refusal.Field);
    }

    [Fact]
    public async Task Each_key_adds_once_and_a_console_that_dies_goes_on_with_the_next_report()
    {
        var (agent, vm) = await Running();
        await Network();
        var add = Ok(await Interfaces.Add(Ana, Project, vm.Id, new AddInterface("shop"), vm.Version, "key-1", Stop));
        Assert.Equal(add.Id, Ok(await Interfaces.Add(Ana, Project, vm.Id, new AddInterface("shop"), vm.Version, "key-1", Stop)).Id);
        await Restart();
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal((OperationState.Succeeded, InterfaceState.Present), ((await Newest(add)).State, (await On(vm, "shop")).State));
        var remove = Ok(await Interfaces.Remove(Ana, Project, vm.Id, (await On(vm, "shop")).Mac, null, "key-2", Stop));
        await agent.Take();
        await Restart();
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal((OperationState.Succeeded, 1), ((await Newest(remove)).State, (await Get(vm)).Networks.Count));
    }

    [Fact]
    public async Task Other_hosts_of_the_network_learn_of_it_and_of_its_end()
    {
        var (agent, vm) = await Running();
        var shop = await Network();
        var other = await Host("kvm-2");
        Ok(await Vms.Create(Ana, Project, Request("there") with { Networks = ["shop"], Host = "kvm-2" }, null, Stop));
        await Place();
        await other.Reconcile();
        Gateway.Woken.Clear();
        Ok(await Add(vm));
        Assert.Equal([agent.Host, other.Host], Gateway.Woken.Distinct().OrderBy(h => h == other.Host));
        await other.Take();
        Assert.Contains("web-1", other.Desired!.Networks.Single(n => n.Id == shop.Id).Overlay!.Names.Select(n => n.Name));
        await agent.Reconcile();
        Ok(await Remove(vm, await On(vm, "shop")));
        await agent.Reconcile();
        await other.Take();
        Assert.Equal(["there"], other.Desired!.Networks.Single(n => n.Id == shop.Id).Overlay!.Names.Select(n => n.Name));
    }

    [Fact]
    public async Task A_snapshot_with_memory_waits_for_the_interfaces_that_it_had_and_one_of_before_knows_them_too()
    {
        var (agent, vm) = await Running();
        await Network();
        Ok(await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot("before"), null, Stop));
        foreach (var command in await Directory_.PendingCommands(agent.Host, agent.Epoch, Stop)) await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, command.Id, true, "done"), Stop);
        // As an earlier version of the console took it.
        await Store.Write(async scope =>
        {
            var row = await scope.Db.Vms.SingleAsync(v => v.Id == vm.Id);
            row.Snapshots = [.. row.Snapshots.Select(s => s with { Interfaces = null })];
            return 0;
        });
        Ok(await Add(vm));
        await agent.Reconcile();
        await Off(agent, vm);
        var nic = await On(vm, "shop");
        var snapshot = Ok(await Snapshots.List(Ana, Project, vm.Id, Stop)).Single();
        Assert.Contains($"Remove {nic.Mac} first.", snapshot.WhyNotRevert);
        Assert.Equal("other_interfaces", No(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop)).Code);
        Ok(await Remove(vm, nic));
        await agent.Reconcile();
        Ok(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop));
    }

    [Fact]
    public async Task The_past_shows_the_networks_of_then()
    {
        var (agent, vm) = await Running();
        await Network();
        var then = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromMinutes(1));
        Ok(await Add(vm));
        await agent.Reconcile();
        var past = Ok(await The<IHistory>().Vm(Ana, Project, vm.Id, then, Stop));
        Assert.Equal(["default"], past.Then.Networks.Select(n => n.Name));
        Assert.Contains(past.Differences, d => d.What == "Networks" && d.Now == "default, shop");
        await using var db = Store.Read();
        Assert.Equal(["default", "shop"], (await db.Vms.SingleAsync(v => v.Id == vm.Id)).Spec.Networks);
    }
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresInterfaceTests(PostgresServer server) : InterfaceTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
