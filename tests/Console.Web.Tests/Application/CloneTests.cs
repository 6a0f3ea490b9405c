using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;
using Plinth.Web.Workers;

namespace Plinth.Web.Tests.Application;

/// <summary>A clone from request to outcome: what is its own, where it goes, and what its source must not do meanwhile.</summary>
public class CloneTests : Stage
{
    private IRootDisks Disks => The<IRootDisks>();

    private async Task<OperationView> Clone(VmView vm, CloneVm request) => Ok(await Disks.Clone(Ana, Project, vm.Id, request, null, null, Stop));

    private async Task<Refusal> Refused(VmView vm, CloneVm request, long? version = null) => No(await Disks.Clone(Ana, Project, vm.Id, request, version, null, Stop));

    private async Task<VmView> Get(VmView vm) => Ok(await Vms.Get(Ana, Project, vm.Id, Stop));

    private async Task<(FakeAgent Agent, VmView Vm)> Stopped(string name = "web-1")
    {
        var (agent, vm) = await Running(name);
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        return (agent, await Get(vm));
    }

    [Fact]
    public async Task A_copy_has_a_name_and_addresses_of_its_own_and_goes_where_its_source_is()
    {
        var (agent, vm) = await Stopped();
        // Emptier, and not allowed.
        await Host("kvm-2", vcpus: 64, memoryMib: 262144);
        var request = new CloneVm("web-2", MemoryMib: vm.Size.MemoryMib * 2);
        Assert.Equal("stale_version", (await Refused(vm, request, vm.Version - 1)).Code);
        var operation = Ok(await Disks.Clone(Ana, Project, vm.Id, request, vm.Version, "key-1", Stop));
        Assert.Equal(operation.Id, Ok(await Disks.Clone(Ana, Project, vm.Id, request, vm.Version, "key-1", Stop)).Id);
        Assert.Equal((OperationKind.CloneVm, true, "web-2"), (operation.Kind, operation.Cancellable, operation.Target));
        await Place();
        var clone = await Vm(operation);
        Assert.Equal((vm.Host, vm.ImageName, vm.Size with { MemoryMib = vm.Size.MemoryMib * 2 }), (clone.Host, clone.ImageName, clone.Size));
        Assert.NotEqual(vm.Networks[0].Mac, clone.Networks[0].Mac);
        var decision = Ok(await Vms.Decision(Ana, Project, clone.Id, Stop)).Decision;
        Assert.Equal("the disk is copied from web-1 on kvm-1, and its storage is not shared between hosts", Assert.Single(Assert.Single(decision.Refused).Refusals).Message);

        await agent.Take();
        var wanted = agent.Desired!.Machines.Single(m => m.Vm == clone.Id);
        Assert.Equal((new DiskSource(vm.Id, "web-1", 0), (ImageReference?)null, "web-2"), (wanted.Disks[0].Source, wanted.Disks[0].Image, wanted.Seed.Hostname));
        agent.Machines[clone.Id] = agent.Nothing(clone.Id) with { Progress = new Progress("copying the disk of web-1", 43, 100) };
        await agent.Report();
        var step = (await Newest(operation)).Steps.Single(s => s.Name == "disk");
        Assert.Equal((43, "copying the disk of web-1"), (step.Percent, step.Detail));

        // The source is left alone until its copy stands.
        var being = No(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        Assert.Equal("vm_being_cloned", being.Code);
        Assert.Contains("copied into web-2", being.Message);
        Assert.Equal("vm_being_cloned", No(await Disks.Rebuild(Ana, Project, vm.Id, new RebuildVm(), null, null, Stop)).Code);
        Assert.Equal("vm_being_cloned", No(await The<ISnapshots>().Take(Ana, Project, vm.Id, new TakeSnapshot("now"), null, Stop)).Code);
        Assert.Equal("vm_being_cloned", No(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop)).Code);
        await Restart();
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal((OperationState.Succeeded, VmState.Running), ((await Newest(operation)).State, (await Get(clone)).State));
        Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        Assert.Equal(["web-2: a copy of web-1, " + $"{clone.Size.Vcpus} vCPU, {clone.Size.MemoryMib} MiB, {clone.Size.DiskGib} GiB"], (await Audit()).Where(a => a.Action == "vm.clone" && a.Outcome == "done").Select(a => a.Detail));

        // A rebuilt clone is a copy no more.
        Ok(await Disks.Rebuild(Ana, Project, clone.Id, new RebuildVm(), null, null, Stop));
        await agent.Reconcile();
        Assert.NotNull(agent.Desired!.Machines.Single(m => m.Vm == clone.Id).Disks[0].Image);
    }

    [Fact]
    public async Task One_that_is_cancelled_leaves_nothing_and_lets_its_source_go()
    {
        var (agent, vm) = await Stopped();
        var operation = await Clone(vm, new CloneVm("web-2"));
        await Place();
        await agent.Take();
        Ok(await Operations.Cancel(Ana, operation.Id, Stop));
        Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        await agent.Reconcile();
        Assert.Equal(OperationState.Cancelled, (await Newest(operation)).State);
        Assert.Equal(VmState.Deleted, (await Vm(operation)).State);
        Ok(await Vms.Create(Ana, Project, Request("web-2"), null, Stop));
    }

    [Fact]
    public async Task A_source_whose_time_has_run_out_is_removed_once_its_copy_stands()
    {
        var (agent, vm) = await Stopped();
        var operation = await Clone(vm, new CloneVm("web-2"));
        await Place();
        Ok(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop));
        Time.Advance(TimeSpan.FromMinutes(11));
        await The<DeletionDriver>().Pass(Stop);
        Assert.Equal(VmState.Restorable, (await Get(vm)).State);
        await agent.Reconcile();
        Assert.Equal(OperationState.Succeeded, (await Newest(operation)).State);
        await The<DeletionDriver>().Pass(Stop);
        await agent.Reconcile();
        Assert.Equal(VmState.Deleted, (await Get(vm)).State);
    }

    [Fact]
    public async Task A_source_that_became_another_machine_fails_its_clone_with_the_reason()
    {
        var (agent, vm) = await Stopped();
        var operation = await Clone(vm, new CloneVm("web-2"));
        await Place();
        await agent.Take();
        var clone = await Vm(operation);
        agent.Machines[clone.Id] = agent.Nothing(clone.Id) with { Problem = new MachineProblem("source_changed", "The VM web-1 was rebuilt since this clone was asked for.", StepKind.Disk, true) };
        await agent.Report();
        Assert.Equal((OperationState.Failed, VmState.Failed), ((await Newest(operation)).State, (await Get(clone)).State));
        Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_numbers_and_the_fix()
    {
        var (agent, vm) = await Running();
        var running = await Refused(vm, new CloneVm("web-2"));
        Assert.Equal("vm_not_stopped", running.Code);
        Assert.Contains("Stop it first", running.Message);
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        Assert.Equal(("name", "name_taken"), await Refused(vm, new CloneVm("web-1")) is var taken ? (taken.Field, taken.Code) : default);
        Assert.Equal("name", (await Refused(vm, new CloneVm(null))).Field);
        var small = await Refused(vm, new CloneVm("web-2", DiskGib: vm.Size.DiskGib - 1));
        Assert.Equal(("diskGib", "disk_too_small"), (small.Field, small.Code));
        Assert.Contains($"{vm.Size.DiskGib} GiB or more", small.Message);
        Assert.Equal("networks[0]", (await Refused(vm, new CloneVm("web-2", Networks: ["nowhere"]))).Field);
        var full = await Refused(vm, new CloneVm("web-2", MemoryMib: 1_000_000));
        Assert.Equal((RefusalKind.NoCapacity, "no_room"), (full.Kind, full.Code));
        Assert.Contains("has to be on kvm-1, where the disk of web-1 is", full.Message);
        Assert.Contains("needs 977 GiB of memory, has", full.Message);
        Assert.Equal("vm_not_found", No(await Disks.Clone(Ana, Project, VmId.New(Time.GetUtcNow()), new CloneVm("web-2"), null, null, Stop)).Code);
        var waiting = await Vm(await Create("waiting"));
        Assert.Equal("vm_not_settled", (await Refused(waiting, new CloneVm("web-2"))).Code);
    }
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresCloneTests(PostgresServer server) : CloneTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
