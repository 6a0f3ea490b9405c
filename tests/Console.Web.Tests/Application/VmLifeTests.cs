using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Application;

/// <summary>Whole lives of VMs, told by an agent that plays the protocol.</summary>
public sealed class VmLifeTests : Stage
{
    [Fact]
    public async Task A_vm_is_created_placed_reported_and_runs()
    {
        await Image();
        var agent = await Host("kvm-1");
        var accepted = await Create("web-1");
        Assert.Equal(OperationState.Pending, accepted.State);
        Assert.Equal(VmState.Requested, (await Vm(accepted)).State);

        await Place();
        Assert.Contains(agent.Host, Gateway.Woken);
        var placed = await Newest(accepted);
        Assert.Equal(("placed", StepState.Done), (placed.Steps[1].Name, placed.Steps[1].State));
        Assert.Contains("kvm-1", placed.Steps[1].Detail);
        Assert.Equal(VmState.Creating, (await Vm(accepted)).State);

        await agent.Reconcile(StepKind.Disk);
        await agent.Reconcile(StepKind.Defined);
        Assert.Equal(VmState.Starting, (await Vm(accepted)).State);
        await agent.Reconcile(StepKind.Started);
        Assert.Equal(OperationState.Running, (await Newest(accepted)).State);
        await agent.Reconcile();

        var done = await Newest(accepted);
        Assert.Equal(OperationState.Succeeded, done.State);
        Assert.All(done.Steps, s => Assert.Equal(StepState.Done, s.State));
        var vm = await Vm(accepted);
        Assert.Equal((VmState.Running, "kvm-1", "10.87.0.5"), (vm.State, vm.HostName, Assert.Single(vm.Addresses)));
        Assert.Null(vm.Operation);
        Assert.NotNull(Ok(await Vms.Decision(Ana, Project, vm.Id, Stop)).Decision.Host);

        var machine = Assert.Single(agent.Desired!.Machines);
        Assert.Equal((1, 512, 2), (machine.Vcpus, machine.MemoryMib, Assert.Single(machine.Disks).SizeGib));
        Assert.Equal("plinth", machine.Seed.UserName);
        Assert.Contains(await Audit(), a => a is { Action: "vm.create", Outcome: "done", Actor: "ana", RemoteAddress: "192.0.2.7" });
        Assert.Contains(await Audit(), a => a is { Action: "vm.place", Actor: "Plinth" });
    }

    [Fact]
    public async Task An_image_without_guest_agent_is_up_when_its_domain_runs()
    {
        await Image("bare", agent: false);
        var agent = await Host("kvm-1");
        var operation = Ok(await Vms.Create(Ana, Project, Request("web-1", "bare"), null, Stop));
        await Place();
        await agent.Reconcile(StepKind.Started);
        Assert.Equal(OperationState.Succeeded, (await Newest(operation)).State);
        Assert.Equal(VmState.Running, (await Vm(operation)).State);
    }

    [Fact]
    public async Task Without_room_a_vm_waits_with_the_reason_until_there_is_some()
    {
        await Image();
        var operation = await Create("web-1");
        await Place();
        Assert.Equal((VmState.Waiting, "There is no host yet: join one on the Agents page."), ((await Vm(operation)).State, (await Vm(operation)).StateReason));
        var small = await Host("small", vcpus: 1, memoryMib: 768);
        await Place();
        var waiting = await Vm(operation);
        Assert.Equal(VmState.Waiting, waiting.State);
        Assert.Contains("needs 512 MiB of memory, has 256 MiB free", waiting.StateReason);
        await using (var db = Store.Read()) Assert.Equal(2, await db.Decisions.CountAsync());
        await Place();
        await using (var db = Store.Read()) Assert.Equal(2, await db.Decisions.CountAsync());

        var big = await Host("big");
        await Place();
        await big.Reconcile();
        Assert.Equal((VmState.Running, "big"), ((await Vm(operation)).State, (await Vm(operation)).HostName));
        Assert.Empty((await Directory_.Desired(small.Host, Stop)).Machines);
    }

    [Fact]
    public async Task However_many_wait_for_a_place_the_one_that_fits_gets_it()
    {
        await Image();
        await Host("small", vcpus: 2, memoryMib: 1024);
        for (var i = 0; i < 501; i++) Ok(await Vms.Create(Ana, Project, Request($"big-{i}") with { Flavor = "medium" }, null, Stop));
        var small = Ok(await Vms.Create(Ana, Project, Request("small-1") with { Flavor = "tiny" }, null, Stop));
        await Place();
        Assert.Equal(VmState.Creating, (await Vm(small)).State);
        await using var db = Store.Read();
        Assert.Equal(501, await db.Vms.CountAsync(v => v.State == VmState.Waiting));
        // Once their reasons are up to date, waiting costs no more decisions.
        await Place();
        var decisions = await db.Decisions.CountAsync();
        await Place();
        Assert.Equal(decisions, await db.Decisions.CountAsync());
    }

    [Fact]
    public async Task Stop_start_and_delete()
    {
        var (agent, vm) = await Running();
        var stop = Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(5), null, Stop));
        Assert.Equal(VmState.Stopping, (await Vm(stop)).State);
        await agent.Reconcile();
        Assert.Equal(5, agent.Desired!.Machines[0].StopDeadlineSeconds);
        Assert.Equal(OperationState.Succeeded, (await Newest(stop)).State);
        Assert.Equal((VmState.Stopped, "The guest shut down."), ((await Vm(stop)).State, (await Vm(stop)).StateReason));
        Assert.Equal("vm_stopped", No(await Vms.Stop(Ana, Project, vm.Id, new StopVm(), null, Stop)).Code);

        var start = Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        await agent.Reconcile();
        Assert.Equal(OperationState.Succeeded, (await Newest(start)).State);

        var delete = Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        Assert.Equal(VmState.Deleting, (await Vm(delete)).State);
        await using (var db = Store.Read()) Assert.Equal(1, await db.Allocations.CountAsync());
        Assert.Equal("name_taken", No(await Vms.Create(Ana, Project, Request("web-1"), null, Stop)).Code);
        await agent.Reconcile();
        Assert.Equal(vm.Id, Assert.Single(agent.Desired!.Tombstones).Vm);
        Assert.Equal(OperationState.Succeeded, (await Newest(delete)).State);
        Assert.Equal(VmState.Deleted, (await Vm(delete)).State);
        await using (var db = Store.Read())
        {
            Assert.Equal(0, await db.Allocations.CountAsync());
            Assert.Equal(0, await db.Tombstones.CountAsync());
        }
        Assert.Empty(Ok(await Vms.List(Ana, Project, new VmQuery(), new Window(), Stop)).Items);
        Time.Advance(TimeSpan.FromDays(29));
        await The<Plinth.Web.Workers.Retention>().Pass(Stop);
        await using (var db = Store.Read()) Assert.Equal(1, await db.Decisions.CountAsync());
        Time.Advance(TimeSpan.FromDays(2));
        await The<Plinth.Web.Workers.Retention>().Pass(Stop);
        await using (var db = Store.Read()) Assert.Equal(0, await db.Decisions.CountAsync());
        Ok(await Vms.Create(Ana, Project, Request("web-1"), null, Stop));
        await agent.Reconcile();
        Assert.Empty(agent.Desired!.Tombstones);
    }

    [Fact]
    public async Task Reboot_is_a_stored_command_that_is_answered_or_expires()
    {
        var (agent, vm) = await Running();
        var reboot = Ok(await Vms.Reboot(Ana, Project, vm.Id, new RebootVm(true), null, Stop));
        var (host, command) = Assert.Single(Gateway.Sent);
        Assert.Equal((agent.Host, new RebootMachine(vm.Id, true)), (host, Assert.IsType<RebootMachine>(command.Body)));
        Assert.Equal(command.Id, Assert.Single(await Directory_.PendingCommands(agent.Host, agent.Epoch, Stop)).Id);
        Assert.Equal("operation_under_way", No(await Vms.Reboot(Ana, Project, vm.Id, new RebootVm(), null, Stop)).Code);

        Time.Advance(TimeSpan.FromSeconds(1));
        await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, command.Id, true, "done"), Stop);
        await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, command.Id, false, "again"), Stop);
        Assert.Equal(OperationState.Running, (await Newest(reboot)).State);
        Time.Advance(TimeSpan.FromSeconds(5));
        await agent.Reconcile();
        Assert.Equal(OperationState.Succeeded, (await Newest(reboot)).State);

        var unanswered = Ok(await Vms.Reboot(Ana, Project, vm.Id, new RebootVm(), null, Stop));
        Time.Advance(TimeSpan.FromSeconds(121));
        await Drive();
        var failed = await Newest(unanswered);
        Assert.Equal(OperationState.Failed, failed.State);
        Assert.Contains("did not answer within 120 s", failed.Reason);
        Assert.Equal(VmState.Running, (await Vm(unanswered)).State);
        Assert.Empty(await Directory_.PendingCommands(agent.Host, agent.Epoch, Stop));
    }

    [Theory]
    [InlineData(StepKind.Placed)]
    [InlineData(StepKind.Disk)]
    [InlineData(StepKind.Started)]
    public async Task A_cancelled_create_leaves_nothing_behind(StepKind reached)
    {
        await Image();
        var agent = await Host("kvm-1");
        var create = await Create("web-1");
        await Place();
        await agent.Reconcile(reached);
        Assert.Equal(OperationState.Cancelling, Ok(await Operations.Cancel(Ana, create.Id, Stop)).State);
        Assert.Equal(OperationState.Cancelling, Ok(await Operations.Cancel(Ana, create.Id, Stop)).State);
        await agent.Report();
        Assert.Equal(OperationState.Cancelling, (await Newest(create)).State);
        await agent.Reconcile();
        Assert.Equal(OperationState.Cancelled, (await Newest(create)).State);
        Assert.Equal(VmState.Deleted, (await Vm(create)).State);
        await using (var db = Store.Read()) Assert.Equal(0, await db.Allocations.CountAsync());
        Assert.Equal("too_late", No(await Operations.Cancel(Ana, create.Id, Stop)).Code);
    }

    [Fact]
    public async Task A_create_without_place_is_cancelled_at_once_and_a_finished_one_too_late()
    {
        await Image();
        var create = await Create("web-1");
        Assert.Equal(OperationState.Cancelled, Ok(await Operations.Cancel(Ana, create.Id, Stop)).State);
        Assert.Equal(VmState.Deleted, (await Vm(create)).State);
        await Place();
        Assert.Null((await Vm(create)).Host);
        await Create("web-1");
    }

    [Fact]
    public async Task Delete_while_creating_takes_over()
    {
        await Image();
        var agent = await Host("kvm-1");
        var create = await Create("web-1");
        await Place();
        await agent.Reconcile(StepKind.Disk);
        var delete = Ok(await Vms.Delete(Ana, Project, create.Vm!.Value, true, null, null, Stop));
        var superseded = await Newest(create);
        Assert.Equal(OperationState.Cancelled, superseded.State);
        Assert.StartsWith("Superseded", superseded.Reason);
        await agent.Reconcile();
        Assert.Equal(OperationState.Succeeded, (await Newest(delete)).State);
        Assert.Equal("vm_deleted", No(await Vms.Start(Ana, Project, create.Vm!.Value, null, Stop)).Code);
    }

    [Fact]
    public async Task A_failed_step_fails_the_operation_and_the_vm_keeps_its_place()
    {
        await Image();
        var agent = await Host("kvm-1");
        var create = await Create("web-1");
        await Place();
        await agent.Reconcile(StepKind.Placed);
        agent.Set(create.Vm!.Value, m => m with { Problem = new MachineProblem("disk_full", "The pool default has 1 GiB left, 2 GiB are needed; free some.", StepKind.Disk, true) });
        await agent.Report();
        var failed = await Newest(create);
        Assert.Equal((OperationState.Failed, "The pool default has 1 GiB left, 2 GiB are needed; free some."), (failed.State, failed.Reason));
        Assert.Equal((VmState.Failed, failed.Reason), ((await Vm(create)).State, (await Vm(create)).StateReason));
        await using (var db = Store.Read()) Assert.Equal(1, await db.Allocations.CountAsync());
        Ok(await Vms.Delete(Ana, Project, create.Vm!.Value, true, null, null, Stop));
        await agent.Reconcile();
        await using (var db = Store.Read()) Assert.Equal(0, await db.Allocations.CountAsync());
    }

    [Fact]
    public async Task A_silent_agent_fails_the_step_at_its_deadline()
    {
        await Image();
        var agent = await Host("kvm-1");
        var create = await Create("web-1");
        await Place();
        await agent.Reconcile(StepKind.Disk);
        Time.Advance(TimeSpan.FromSeconds(119));
        await Drive();
        Assert.Equal(OperationState.Running, (await Newest(create)).State);
        Time.Advance(TimeSpan.FromSeconds(2));
        await Drive();
        var failed = await Newest(create);
        Assert.Equal(OperationState.Failed, failed.State);
        Assert.Contains("“Machine defined” was not reached within 2 min", failed.Reason);
        await agent.Reconcile();
        Assert.Equal(VmState.Running, (await Vm(create)).State);
    }

    [Fact]
    public async Task A_shutdown_inside_the_guest_makes_desired_stopped()
    {
        var (agent, vm) = await Running();
        agent.Set(vm.Id, m => m with { Domain = DomainState.Off, Off = OffReason.GuestShutdown });
        await agent.Report(full: false, vm.Id);
        var stopped = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal((VmState.Stopped, "The guest shut down by itself."), (stopped.State, stopped.StateReason));
        var before = agent.Accepted;
        await agent.Reconcile();
        Assert.True(agent.Accepted > before);
        Assert.Equal(DesiredPower.Stopped, Assert.Single(agent.Desired!.Machines).Power);
        Assert.Equal(VmState.Stopped, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }

    [Fact]
    public async Task A_host_restart_starts_its_vms_again()
    {
        var (agent, vm) = await Running();
        agent.Set(vm.Id, m => m with { Domain = DomainState.Off, Off = OffReason.HostRestarted });
        await agent.Report();
        var starting = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal(VmState.Starting, starting.State);
        Assert.Equal("Plinth", Ok(await Operations.Get(Ana, starting.Operation!.Value, Stop)).StartedBy);
        await agent.Reconcile();
        Assert.Equal(VmState.Running, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }

    [Theory]
    [InlineData(StepKind.Accepted)]
    [InlineData(StepKind.Placed)]
    [InlineData(StepKind.Disk)]
    [InlineData(StepKind.Defined)]
    [InlineData(StepKind.Started)]
    public async Task A_console_killed_at_any_step_goes_on_where_it_was(StepKind at)
    {
        await Image();
        var agent = await Host("kvm-1");
        var create = await Create("web-1");
        if (at > StepKind.Accepted) await Place();
        if (at > StepKind.Placed) await agent.Reconcile(at);
        await Restart();
        await Drive();
        await Place();
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal(OperationState.Succeeded, (await Newest(create)).State);
        Assert.Equal(VmState.Running, (await Vm(create)).State);
        await using var db = Store.Read();
        Assert.Equal((1, 1, 1), (await db.Vms.CountAsync(), await db.Allocations.CountAsync(), await db.Operations.CountAsync()));
    }

    [Fact]
    public async Task A_start_can_be_cancelled_and_a_stop_cannot()
    {
        var (agent, vm) = await Running();
        var stop = Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(), null, Stop));
        var no = No(await Operations.Cancel(Ana, stop.Id, Stop));
        Assert.Equal(("no_undo", "“Stop” cannot be cancelled: the guest acts by itself."), (no.Code, no.Message));
        Assert.False((await Newest(stop)).Cancellable);
        await agent.Reconcile();
        var start = Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        Assert.True(start.Cancellable);
        await agent.Reconcile(StepKind.Started);
        Ok(await Operations.Cancel(Ana, start.Id, Stop));
        await agent.Reconcile();
        Assert.Equal(OperationState.Cancelled, (await Newest(start)).State);
        Assert.Equal(VmState.Stopped, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }

    [Fact]
    public async Task A_start_whose_disk_is_lost_fails_at_once_with_the_hosts_own_sentence()
    {
        var (agent, vm) = await Running();
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        var start = Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        await agent.Take();
        agent.Set(vm.Id, m => m with { Problem = new MachineProblem("disk_lost", "The disk of VM web-1 is gone from this host.", StepKind.Disk, Final: true) });
        await agent.Report();
        var failed = await Newest(start);
        Assert.Equal((OperationState.Failed, "The disk of VM web-1 is gone from this host."), (failed.State, failed.Reason));
        Assert.Equal("The disk of VM web-1 is gone from this host.", Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).StateReason);
    }
}
