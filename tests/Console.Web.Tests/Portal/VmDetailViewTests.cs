using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Tests.Portal;

public sealed class VmDetailViewTests : PortalStage
{
    private async Task<VmDetailView> Open(VmId vm)
    {
        var view = new VmDetailView(Vms, Operations, Live, Ana, Project, vm);
        await view.Load();
        return view;
    }

    [Fact]
    public async Task It_follows_a_create_from_request_to_running()
    {
        await Image();
        var agent = await Host("kvm-1");
        using var view = await Open((await Create("web-1")).Vm!.Value);
        Assert.Equal(VmState.Requested, view.Vm!.State);
        Assert.Null(view.Decision);

        await Place();
        await Tell();
        Assert.Equal("kvm-1", view.Decision!.Decision.HostName);

        await agent.Reconcile();
        await Tell();
        Assert.Equal(VmState.Running, view.Vm.State);
        Assert.Equal(OperationState.Succeeded, view.Operations[0].State);
        Assert.All(view.Operations[0].Steps, step => Assert.Equal(StepState.Done, step.State));
    }

    [Fact]
    public async Task Acts_are_offered_as_the_lifecycle_allows()
    {
        var (_, vm) = await Running();
        using var view = await Open(vm.Id);
        Assert.Null(view.WhyNot(VmEvent.StopAsked));
        Assert.Null(view.WhyNot(OperationKind.RebootVm));
        Assert.Contains("only a paused one", view.WhyNot(OperationKind.ResumeVm));
        Assert.Contains("running already", view.WhyNot(VmEvent.StartAsked));

        await view.Shutdown(new StopVm(0));
        Assert.Equal(VmState.Stopping, view.Vm!.State);
        Assert.Null(view.ActRefusal);

        await view.Start();
        Assert.Contains("being stopped", view.ActRefusal);
    }

    [Fact]
    public async Task An_edit_of_something_newer_is_refused_not_overwritten()
    {
        var (_, vm) = await Running();
        using var view = await Open(vm.Id);
        Ok(await Vms.Update(Bot, Project, vm.Id, new UpdateVm("theirs"), null, Stop));

        Assert.False(await view.Edit("web-1", false, "mine", "", vm.Version));
        Assert.Equal(RefusalKind.Stale, Assert.Single(view.EditRefusals).Kind);
        Assert.Equal("theirs", Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Description);

        await Tell();
        Assert.True(await view.Edit("web-1", false, "ours", "env=prod", view.Vm!.Version));
        Assert.Equal(("ours", "prod"), (view.Vm.Description, view.Vm.Labels["env"]));
    }

    [Fact]
    public async Task Deleted_while_it_is_looked_at_it_says_so()
    {
        var (agent, vm) = await Running();
        using var view = await Open(vm.Id);
        await view.Delete(atOnce: false);
        Assert.Equal(VmState.Restorable, view.Vm!.State);
        Assert.Null(view.WhyNot(VmEvent.RestoreAsked));

        await view.Restore();
        Assert.Equal(VmState.Starting, view.Vm.State);
        await view.Delete(atOnce: true);
        Assert.Equal(VmState.Deleting, view.Vm.State);

        await agent.Reconcile();
        await Tell();
        Assert.Equal(VmState.Deleted, view.Vm.State);
    }

    [Fact]
    public async Task An_unknown_vm_is_told_in_words()
    {
        using var view = await Open(VmId.New(Time.GetUtcNow()));
        Assert.Null(view.Vm);
        Assert.Equal(RefusalKind.NotFound, Assert.Single(view.Refusals).Kind);
    }
}
