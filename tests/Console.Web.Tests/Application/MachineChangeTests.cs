using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;

namespace Plinth.Web.Tests.Application;

/// <summary>What is changed on a VM that exists: held and let go, renamed, protected, resized.</summary>
public sealed class MachineChangeTests : Stage
{
    [Fact]
    public async Task Pause_and_resume_end_when_the_report_shows_them()
    {
        var (agent, vm) = await Running();
        Assert.Equal("vm_not_paused", No(await Vms.Resume(Ana, Project, vm.Id, null, Stop)).Code);
        var pause = Ok(await Vms.Pause(Ana, Project, vm.Id, null, Stop));
        var (_, command) = Assert.Single(Gateway.Sent);
        Assert.Equal(new PauseMachine(vm.Id), command.Body);
        await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, command.Id, true, "The machine was paused."), Stop);
        Assert.Equal(OperationState.Running, (await Newest(pause)).State);
        agent.Set(vm.Id, m => m with { Domain = DomainState.Paused });
        await agent.Report(full: false, vm.Id);
        Assert.Equal((OperationState.Succeeded, VmState.Paused), ((await Newest(pause)).State, (await Vm(pause)).State));
        Assert.Equal("vm_not_running", No(await Vms.Pause(Ana, Project, vm.Id, null, Stop)).Code);
        Assert.Equal("vm_not_running", No(await Vms.Reboot(Ana, Project, vm.Id, new RebootVm(), null, Stop)).Code);

        var resume = Ok(await Vms.Resume(Ana, Project, vm.Id, null, Stop));
        await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, Gateway.Sent[1].Command.Id, true, "The machine was resumed."), Stop);
        agent.Set(vm.Id, m => m with { Domain = DomainState.Running });
        await agent.Report(full: false, vm.Id);
        Assert.Equal((OperationState.Succeeded, VmState.Running), ((await Newest(resume)).State, (await Vm(resume)).State));
    }

    [Fact]
    public async Task A_pause_that_the_host_refuses_leaves_the_machine_as_it_was()
    {
        var (agent, vm) = await Running();
        var pause = Ok(await Vms.Pause(Ana, Project, vm.Id, null, Stop));
        await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, Gateway.Sent[0].Command.Id, false, "The VM could not be paused: no."), Stop);
        Assert.Equal((OperationState.Failed, "The VM could not be paused: no."), ((await Newest(pause)).State, (await Newest(pause)).Reason));
        Assert.Equal(VmState.Running, (await Vm(pause)).State);
    }

    [Fact]
    public async Task A_rename_reaches_the_host_and_leaves_the_guests_own_name()
    {
        var (agent, vm) = await Running("before");
        await Create("taken");
        Assert.Equal(("name", "name_taken"), Refused(No(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Name: "taken"), null, Stop))));
        Assert.Equal(("name", "bad_name"), Refused(No(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Name: "Not A Name"), null, Stop))));
        var renamed = Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Name: "after"), null, Stop));
        Assert.Equal((vm.Id, "after"), (renamed.Id, renamed.Name));
        await agent.Reconcile();
        var desired = agent.Desired!.Machines.Single(m => m.Vm == vm.Id);
        Assert.Equal(("after", "before"), (desired.Name, desired.Seed.Hostname));
        Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Name: "again"), null, Stop));
        await agent.Reconcile();
        Assert.Equal("before", agent.Desired!.Machines.Single(m => m.Vm == vm.Id).Seed.Hostname);
        await Create("before");
        Assert.Contains(await Audit(), e => e is { Action: "vm.update", Detail: "name before -> after" });
    }

    [Fact]
    public async Task A_protected_vm_is_not_deleted_before_that_is_lifted()
    {
        var (agent, vm) = await Running();
        Assert.True(Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Protected: true), null, Stop)).Protected);
        var no = No(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        Assert.Equal((RefusalKind.Conflict, "vm_protected"), (no.Kind, no.Code));
        Assert.Contains("{\"protected\": false}", no.Message);
        Assert.Equal(VmState.Running, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(), null, Stop));
        await agent.Reconcile();
        Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Protected: false), null, Stop));
        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
    }

    [Fact]
    public async Task The_create_of_a_vm_that_was_protected_meanwhile_is_not_undone()
    {
        await Image();
        var create = await Create("web-1");
        Ok(await Vms.Update(Ana, Project, create.Vm!.Value, new UpdateVm(Protected: true), null, Stop));
        Assert.Equal("vm_protected", No(await Operations.Cancel(Ana, create.Id, Stop)).Code);
    }

    [Fact]
    public async Task More_vcpus_are_taken_at_once_and_memory_from_the_next_start_on()
    {
        var (agent, vm) = await Running();
        var (vcpus, memory) = (vm.Size.Vcpus + 1, vm.Size.MemoryMib * 2);
        var online = Ok(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(vcpus), null, Stop));
        Assert.Equal("operation_under_way", No(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(vcpus + 1), null, Stop)).Code);
        Assert.Equal(vcpus, (await Place(vm)).Vcpus);
        await agent.Reconcile();
        var done = await Newest(online);
        Assert.Equal((OperationState.Succeeded, "The running machine has the new size."), (done.State, done.Steps[1].Detail));

        var later = Ok(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(MemoryMib: memory), null, Stop));
        await agent.Reconcile();
        done = await Newest(later);
        Assert.Equal(OperationState.Succeeded, done.State);
        Assert.Contains("once it is stopped and started (a reboot is not enough): memory cannot be changed while it runs", done.Steps[1].Detail);
        var view = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal((memory, new MachineSize(vcpus, vm.Size.MemoryMib)), (view.Size.MemoryMib, view.RunsWith));
        Assert.Equal(memory, (await Place(vm)).MemoryMib);
        Assert.Equal("same_size", No(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(vcpus, memory), null, Stop)).Code);
    }

    [Fact]
    public async Task What_a_shrinking_machine_still_has_stays_taken_until_it_was_stopped()
    {
        var (agent, vm) = await Running();
        Ok(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(MemoryMib: vm.Size.MemoryMib / 2), null, Stop));
        await agent.Reconcile();
        Assert.Equal(vm.Size.MemoryMib, (await Place(vm)).MemoryMib);
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(), null, Stop));
        await agent.Reconcile();
        Assert.Equal(vm.Size.MemoryMib / 2, (await Place(vm)).MemoryMib);
        Assert.Equal(vm.Size.MemoryMib / 2, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Size.MemoryMib);
    }

    [Fact]
    public async Task A_host_without_room_refuses_with_numbers_and_nothing_is_changed()
    {
        var (_, vm) = await Running();
        var no = No(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(MemoryMib: 1_000_000), null, Stop));
        Assert.Equal((RefusalKind.Conflict, "no_room"), (no.Kind, no.Code));
        Assert.Contains("kvm-1 cannot give it", no.Message);
        Assert.Contains("needs 977 GiB of memory, has", no.Message);
        Assert.Equal(vm.Size, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Size);
        Assert.Equal(vm.Size, await Place(vm));
        Assert.Equal(("vcpus", "out_of_range"), Refused(No(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(0), null, Stop))));
        Assert.Equal(("memoryMib", "out_of_range"), Refused(No(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(MemoryMib: 1), null, Stop))));
    }

    [Fact]
    public async Task A_resize_that_the_host_cannot_do_takes_the_former_size_back()
    {
        var (agent, vm) = await Running();
        var resize = Ok(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(vm.Size.Vcpus + 1), null, Stop));
        await agent.Take();
        agent.Set(vm.Id, m => m with { Problem = new MachineProblem("adjust_failed", "The VM could not be changed: no.", StepKind.Resized, true) });
        await agent.Report();
        var failed = await Newest(resize);
        Assert.Equal((OperationState.Failed, "The VM could not be changed: no."), (failed.State, failed.Reason));
        var view = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal((VmState.Running, vm.Size), (view.State, view.Size));
        agent.Set(vm.Id, m => m with { Problem = null });
        await agent.Reconcile();
        Assert.Equal(vm.Size.Vcpus, agent.Desired!.Machines.Single().Vcpus);
        Assert.Equal(vm.Size, await Place(vm));
        Assert.Contains(await Audit(), e => e.Action == "vm.resize-undone");
    }

    private static (string?, string) Refused(Refusal refusal) => (refusal.Field, refusal.Code);

    private async Task<Resources> Place(VmView vm)
    {
        await using var db = Store.Read();
        var row = await db.Allocations.SingleAsync(a => a.Vm == vm.Id);
        return new Resources(row.Vcpus, row.MemoryMib, row.DiskGib);
    }
}
