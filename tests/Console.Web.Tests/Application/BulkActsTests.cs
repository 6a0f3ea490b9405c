using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Tests.Application;

public sealed class BulkActsTests : Stage
{
    private IBulkActs Bulk => The<IBulkActs>();

    private async Task<IReadOnlyList<BulkItemView>> Act(BulkAct act, string? key = null) => Ok(await Bulk.Act(Ana, Project, act, key, Stop)).Items;

    private async Task<(FakeAgent Agent, IReadOnlyList<VmView> Vms)> Two()
    {
        await Image();
        var agent = await Host("kvm-1");
        var (a, b) = (await Create("web-1"), await Create("web-2"));
        await Place();
        await agent.Reconcile();
        return (agent, [await Vm(a), await Vm(b)]);
    }

    [Fact]
    public async Task Each_machine_has_its_own_answer()
    {
        var (_, vms) = await Two();
        Ok(await Vms.Stop(Ana, Project, vms[0].Id, new StopVm(0), null, Stop));
        var gone = Guid.NewGuid();

        var items = await Act(new BulkAct("reboot", [vms[1].Id.ToString(), vms[0].Id.ToString(), gone.ToString()]));

        Assert.Equal(["accepted", "refused", "refused"], items.Select(i => i.Outcome));
        Assert.Equal(OperationKind.RebootVm, Ok(await Operations.Get(Ana, items[0].Operation!.Value, Stop)).Kind);
        Assert.Equal(("web-1", true), (items[1].Name, items[1].Reason!.Contains("stopping", StringComparison.Ordinal)));
        Assert.Equal(("vm_not_found", ""), (items[2].Code, items[2].Name));
    }

    [Fact]
    public async Task Stopping_and_deleting_many_does_it_to_each_and_audits_each()
    {
        var (agent, vms) = await Two();
        string[] ids = [.. vms.Select(v => v.Id.ToString())];
        Assert.All(await Act(new BulkAct("stop", ids, DeadlineSeconds: 0)), i => Assert.Equal("accepted", i.Outcome));
        await agent.Reconcile();
        foreach (var vm in vms) Assert.Equal(VmState.Stopped, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);

        Assert.All(await Act(new BulkAct("delete", ids, AtOnce: true)), i => Assert.Equal("accepted", i.Outcome));
        await agent.Reconcile();
        Assert.Equal(0, Ok(await Vms.List(Ana, Project, new VmQuery(), new Window(), Stop)).Total);
        Assert.Equal(2, (await Audit()).Count(a => a.Action == "vm.stop" && a.Outcome == "done"));
        Assert.Equal(2, (await Audit()).Count(a => a.Action == "vm.delete" && a.Outcome == "done"));
    }

    [Fact]
    public async Task Asked_again_under_its_key_it_is_done_once()
    {
        var (_, vms) = await Two();
        string[] ids = [.. vms.Select(v => v.Id.ToString())];
        var first = await Act(new BulkAct("stop", ids), "key-1");
        var again = await Act(new BulkAct("stop", ids), "key-1");
        Assert.Equal(first.Select(i => i.Operation), again.Select(i => i.Operation));
        Assert.Equal(2, Ok(await Operations.List(Ana, new OperationQuery(Kind: "stop-vm"), new Window(), Stop)).Total);
    }

    [Fact]
    public async Task Labels_are_set_and_taken_away_and_others_stay()
    {
        await Image();
        var vm = await Vm(Ok(await Vms.Create(Ana, Project, Request("web-1") with { Labels = new Dictionary<string, string?> { ["tier"] = "1", ["old"] = "x", ["keep"] = "y" } }, null, Stop)));
        var item = Assert.Single(await Act(new BulkAct("label", [vm.Id.ToString()], new Dictionary<string, string?> { ["tier"] = "2", ["new"] = "", ["old"] = null })));
        Assert.Equal("done", item.Outcome);
        var labels = Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Labels;
        Assert.Equal(["keep=y", "new=", "tier=2"], labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
    }

    [Fact]
    public async Task All_that_is_wrong_is_said_at_once_and_nothing_is_begun()
    {
        var refused = await Bulk.Act(Ana, Project, new BulkAct("explode", ["web-1"], new Dictionary<string, string?> { ["a b"] = "x" }, 5), null, Stop);
        Assert.Equal(["action", "vms[0]", "labels", "labels", "deadlineSeconds"], refused.Refusals.Select(r => r.Field));
        Assert.Equal("vms", No(await Bulk.Act(Ana, Project, new BulkAct("stop", []), null, Stop)).Field);
        Assert.Equal("vms", No(await Bulk.Act(Ana, Project, new BulkAct("stop", [.. Enumerable.Range(0, 501).Select(_ => Guid.NewGuid().ToString())]), null, Stop)).Field);
        Assert.Equal("labels", No(await Bulk.Act(Ana, Project, new BulkAct("label", [Guid.NewGuid().ToString()]), null, Stop)).Field);
    }
}
