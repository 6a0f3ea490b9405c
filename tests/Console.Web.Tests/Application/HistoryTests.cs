using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Tests.Application;

public sealed class HistoryTests : Stage
{
    private IHistory History => The<IHistory>();

    private DateTimeOffset Pass(int seconds = 600)
    {
        var before = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromSeconds(seconds));
        return before;
    }

    [Fact]
    public async Task A_vm_is_shown_as_it_was_and_compared_with_now()
    {
        var (agent, vm) = await Running();
        var whileRunning = Pass();
        Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm("The shop"), null, Stop));
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        Pass();

        var past = Ok(await History.Vm(Ana, Project, vm.Id, whileRunning, Stop));

        Assert.Equal((VmState.Running, "kvm-1", ""), (past.Then.State, past.Then.HostName, past.Then.Description));
        Assert.Equal(VmState.Stopped, past.Now!.State);
        Assert.Contains(new Difference("State", "running", "stopped"), past.Differences);
        Assert.Contains(new Difference("Description", "none", "The shop"), past.Differences);
        Assert.NotNull(past.After);
        Assert.True(past.Since <= whileRunning);
    }

    [Fact]
    public async Task A_list_of_the_past_holds_what_was_then_and_says_what_became_of_it()
    {
        var (agent, vm) = await Running();
        var then = Pass();
        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        await agent.Reconcile();
        await Create("web-2");

        var page = Ok(await History.Vms(Ana, Project, then, new VmQuery(), new Window(), Stop));

        var item = Assert.Single(page.Items);
        Assert.Equal(("web-1", VmState.Running), (item.Then.Name, item.Then.State));
        Assert.Equal(new Difference("State", "running", "deleted"), Assert.Single(item.Differences));
        Assert.Equal((1, 1, 1), (page.Total, page.AllThen, page.AllNow));
        Assert.Empty(Ok(await History.Vms(Ana, Project, then, new VmQuery(State: "stopped"), new Window(), Stop)).Items);
        Assert.Equal("web-2", Assert.Single(Ok(await History.Vms(Ana, Project, Time.GetUtcNow(), new VmQuery(), new Window(), Stop)).Items).Then.Name);
    }

    [Fact]
    public async Task A_host_is_shown_with_what_was_on_it()
    {
        var agent = await Host("kvm-1");
        await Image();
        // Shorter than a host may be silent: it is to take the VM.
        var empty = Pass(seconds: 5);
        await Create("web-1");
        await Place();
        await agent.Reconcile();
        var full = Pass();

        var host = Assert.Single(Ok(await History.Hosts(Ana, empty, new HostQuery(), new Window(), Stop)).Items);
        Assert.Equal((0, 1), (host.Then.VmCount, host.Now!.VmCount));
        Assert.Contains(new Difference("VMs", "0", "1"), host.Differences);
        var past = Ok(await History.Host(Ana, host.Then.Id, full, Stop));
        Assert.Equal(1, past.Then.VmCount);
        Assert.True(past.Then.Allocated.MemoryMib > 0);
    }

    [Fact]
    public async Task Moments_that_cannot_be_shown_are_refused_with_the_reason()
    {
        await Image();
        var begin = Pass();
        var vm = await Vm(await Create("web-1"));
        Assert.Equal("in_the_future", No(await History.Vms(Ana, Project, Time.GetUtcNow().AddSeconds(1), new VmQuery(), new Window(), Stop)).Code);
        Assert.Equal("before_the_log", No(await History.Hosts(Ana, begin.AddYears(-1), new HostQuery(), new Window(), Stop)).Code);
        Assert.Equal("not_yet", No(await History.Vm(Ana, Project, vm.Id, begin, Stop)).Code);
        Assert.Equal(RefusalKind.NotFound, No(await History.Vm(Ana, Project, new VmId(Guid.NewGuid()), begin, Stop)).Kind);
    }
}
