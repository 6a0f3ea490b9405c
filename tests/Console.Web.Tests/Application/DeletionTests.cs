using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Tests.Persistence;
using Plinth.Web.Workers;

namespace Plinth.Web.Tests.Application;

/// <summary>A deletion and its undo: what is kept, for how long, and what ends it.</summary>
public class DeletionTests : Stage
{
    private Task Remove() => The<DeletionDriver>().Pass(Stop);

    private async Task<OperationView> Delete(VmView vm, bool atOnce = false) => Ok(await Vms.Delete(Ana, Project, vm.Id, atOnce, null, null, Stop));

    private async Task<VmView> Get(VmView vm) => Ok(await Vms.Get(Ana, Project, vm.Id, Stop));

    private async Task<AllocationRow?> Place(VmView vm)
    {
        await using var db = Store.Read();
        return await db.Allocations.SingleOrDefaultAsync(a => a.Vm == vm.Id);
    }

    [Fact]
    public async Task What_ran_is_stopped_and_kept_and_runs_again_when_restored()
    {
        var (agent, vm) = await Running();
        Assert.Equal((10, null), (vm.RestoreMinutes, vm.RestorableUntil));
        var delete = await Delete(vm);
        var deleted = await Get(vm);
        Assert.Equal((OperationKind.SoftDeleteVm, VmState.Restorable, Time.GetUtcNow().AddMinutes(10)), (delete.Kind, deleted.State, deleted.RestorableUntil));
        Assert.Equal("Deleted by ana: the machine is stopped and its disk is kept until the time to restore it has run out.", deleted.StateReason);
        await agent.Reconcile();
        // Defined and off, not a tombstone; the guest was asked.
        Assert.Equal((DesiredPower.Stopped, 60), (Assert.Single(agent.Desired!.Machines).Power, agent.Desired.Machines[0].StopDeadlineSeconds));
        Assert.Empty(agent.Desired.Tombstones);
        Assert.Equal(OperationState.Succeeded, (await Newest(delete)).State);
        var place = (await Place(vm))!;
        Assert.Equal((0, 0, vm.Size.DiskGib), (place.Vcpus, place.MemoryMib, place.DiskGib));
        Assert.Equal("name_taken", No(await Vms.Create(Ana, Project, Request("web-1"), null, Stop)).Code);
        Assert.Contains("restore it first", No(await Vms.Start(Ana, Project, vm.Id, null, Stop)).Message);
        Assert.Equal("vm_restorable", No(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Protected: true), null, Stop)).Code);
        Assert.Equal("vm_restorable", No(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop)).Code);

        Time.Advance(TimeSpan.FromMinutes(9));
        await Remove();
        var restore = Ok(await Vms.Restore(Ana, Project, vm.Id, "key-1", Stop));
        Assert.Equal(restore.Id, Ok(await Vms.Restore(Ana, Project, vm.Id, "key-1", Stop)).Id);
        Assert.Equal(VmState.Starting, (await Get(vm)).State);
        await agent.Reconcile();
        Assert.Equal(OperationState.Succeeded, (await Newest(restore)).State);
        var restored = await Get(vm);
        Assert.Equal((VmState.Running, vm.Size, vm.Networks[0].Mac, (DateTimeOffset?)null), (restored.State, restored.Size, restored.Networks[0].Mac, restored.RestorableUntil));
        place = (await Place(vm))!;
        Assert.Equal((vm.Size.Vcpus, vm.Size.MemoryMib, vm.Size.DiskGib), (place.Vcpus, place.MemoryMib, place.DiskGib));
        Assert.Equal("vm_not_deleted", No(await Vms.Restore(Ana, Project, vm.Id, null, Stop)).Code);
        Time.Advance(TimeSpan.FromMinutes(60));
        await Remove();
        Assert.Equal(VmState.Running, (await Get(vm)).State);
        Assert.Equal(["vm.delete", "vm.restore"], (await Audit()).Where(a => a.Action is "vm.delete" or "vm.restore" or "vm.remove" && a.Outcome == "done").Select(a => a.Action));
    }

    [Fact]
    public async Task What_was_stopped_stays_stopped_and_waits_for_no_host()
    {
        var (agent, vm) = await Running();
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        await Delete(vm);
        await agent.Reconcile();
        await agent.Disconnect();
        var restore = Ok(await Vms.Restore(Ana, Project, vm.Id, null, Stop));
        Assert.Equal((OperationState.Succeeded, VmState.Stopped), (restore.State, (await Get(vm)).State));
    }

    [Fact]
    public async Task Its_disk_goes_when_the_time_has_run_out_and_not_before_whatever_restarts()
    {
        var (agent, vm) = await Running();
        await Delete(vm);
        await agent.Reconcile();
        Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        await Restart();
        await Remove();
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal(VmState.Restorable, (await Get(vm)).State);

        // Over, and the console is dead meanwhile: its next start goes on.
        Time.Advance(TimeSpan.FromMinutes(1));
        await Restart();
        Assert.Equal("too_late", No(await Vms.Restore(Ana, Project, vm.Id, null, Stop)).Code);
        await Remove();
        await Remove();
        Assert.Equal(VmState.Deleting, (await Get(vm)).State);
        Assert.Equal("too_late", No(await Vms.Restore(Ana, Project, vm.Id, null, Stop)).Code);
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal(vm.Id, Assert.Single(agent.Desired!.Tombstones).Vm);
        Assert.Equal(VmState.Deleted, (await Get(vm)).State);
        Assert.Null(await Place(vm));
        Assert.Equal([("vm.delete", "ana"), ("vm.remove", "console"), ("vm.removed", "console")],
            (await Audit()).Where(a => a.Action is "vm.delete" or "vm.remove" or "vm.removed").Select(a => (a.Action, a.Actor is "ana" ? "ana" : "console")));
        Ok(await Vms.Create(Ana, Project, Request("web-1"), null, Stop));
    }

    [Fact]
    public async Task At_once_is_at_once_also_for_what_could_still_be_restored()
    {
        var (agent, vm) = await Running();
        Assert.Equal(OperationKind.SoftDeleteVm, (await Delete(vm)).Kind);
        Assert.Equal(OperationKind.DeleteVm, (await Delete(vm, atOnce: true)).Kind);
        Assert.Equal((VmState.Deleting, (DateTimeOffset?)null), ((await Get(vm)).State, (await Get(vm)).RestorableUntil));
        await agent.Reconcile();
        Assert.Equal(VmState.Deleted, (await Get(vm)).State);
    }

    [Fact]
    public async Task What_has_no_disk_yet_goes_at_once()
    {
        await Image();
        var create = await Create("web-1");
        var vm = await Vm(create);
        Assert.Null(vm.RestoreMinutes);
        Assert.Equal(OperationKind.DeleteVm, (await Delete(vm)).Kind);
        Assert.Equal(VmState.Deleted, (await Get(vm)).State);
    }

    [Fact]
    public async Task Memory_that_went_to_others_meanwhile_is_missed_with_numbers_and_waited_for()
    {
        await Image();
        var agent = await Host("kvm-1", vcpus: 8, memoryMib: 2560);
        var vm = await Vm(await Create("web-1"));
        await Place();
        await agent.Reconcile();
        await Delete(vm);
        await agent.Reconcile();
        var other = Ok(await Vms.Create(Ana, Project, new CreateVm("greedy", "mini", Vcpus: 1, MemoryMib: 2048, DiskGib: 4), null, Stop));
        await Place();
        Assert.NotNull((await Vm(other)).Host);

        var no = No(await Vms.Restore(Ana, Project, vm.Id, null, Stop));
        Assert.Equal("no_room", no.Code);
        Assert.Contains("MiB", no.Message);
        Assert.EndsWith("Free room on kvm-1, then restore it.", no.Message);
        Assert.Equal(VmState.Restorable, (await Get(vm)).State);
        await Delete(await Vm(other), atOnce: true);
        await agent.Reconcile();
        Ok(await Vms.Restore(Ana, Project, vm.Id, null, Stop));
    }

    [Fact]
    public async Task A_silent_host_keeps_nobody_from_undoing()
    {
        var (agent, vm) = await Running();
        await Delete(vm);
        await agent.Disconnect();
        Time.Advance(TimeSpan.FromMinutes(2));
        await Watch();
        Ok(await Vms.Restore(Ana, Project, vm.Id, null, Stop));
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal(VmState.Running, (await Get(vm)).State);
    }

    [Fact]
    public async Task Volumes_stay_attached_until_the_disk_is_removed()
    {
        var (agent, vm) = await Running();
        var made = Ok(await Volumes.Create(Ana, Project, new CreateVolume("data", 1, Vm: vm.Name), null, Stop));
        await agent.Reconcile();
        await Delete(vm);
        await agent.Reconcile();
        var volume = Ok(await Volumes.Get(Ana, Project, made.Volume!.Value, Stop));
        Assert.Equal((VolumeState.Attached, vm.Id), (volume.State, volume.Vm));
        Time.Advance(TimeSpan.FromMinutes(10));
        await Remove();
        await agent.Reconcile();
        volume = Ok(await Volumes.Get(Ana, Project, volume.Id, Stop));
        Assert.Equal((VolumeState.Available, (VmId?)null), (volume.State, volume.Vm));
    }

    [Fact]
    public async Task Many_are_deleted_and_restored_together()
    {
        var (agent, vm) = await Running();
        string[] ids = [vm.Id.ToString()];
        var bulk = The<IBulkActs>();
        Assert.Equal("atOnce", No(await bulk.Act(Ana, Project, new BulkAct("stop", ids, AtOnce: true), null, Stop)).Field);
        Assert.Equal("accepted", Assert.Single(Ok(await bulk.Act(Ana, Project, new BulkAct("delete", ids), null, Stop)).Items).Outcome);
        Assert.Equal(1, Ok(await Vms.List(Ana, Project, new VmQuery(State: "restorable"), new Window(), Stop)).Total);
        Assert.Equal("accepted", Assert.Single(Ok(await bulk.Act(Ana, Project, new BulkAct("restore", ids), null, Stop)).Items).Outcome);
        await agent.Reconcile();
        Assert.Equal(VmState.Running, (await Get(vm)).State);
        Ok(await bulk.Act(Ana, Project, new BulkAct("delete", ids, AtOnce: true), null, Stop));
        await agent.Reconcile();
        Assert.Equal(VmState.Deleted, (await Get(vm)).State);
    }

    [Fact]
    public async Task A_protected_one_is_not_deleted_this_way_either()
    {
        var (_, vm) = await Running();
        Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Protected: true), null, Stop));
        Assert.Equal("vm_protected", No(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop)).Code);
    }
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresDeletionTests(PostgresServer server) : DeletionTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}

/// <summary>Switched off: every deletion is for good.</summary>
public sealed class DeletionWithoutUndoTests : Stage
{
    protected override IEnumerable<KeyValuePair<string, string?>> Settings => [new("Plinth:Vms:RestoreMinutes", "0")];

    [Fact]
    public async Task Without_a_window_the_disk_goes_at_once()
    {
        var (agent, vm) = await Running();
        Assert.Null(vm.RestoreMinutes);
        Ok(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop));
        await agent.Reconcile();
        Assert.Equal(VmState.Deleted, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }
}
