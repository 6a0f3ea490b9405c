using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>Snapshots from request to outcome: what is kept, what waits for it, and what is refused.</summary>
public class SnapshotTests : Stage
{
    private ISnapshots Snapshots => The<ISnapshots>();

    private async Task<OperationView> Take(VmView vm, string name) => Ok(await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot(name), null, Stop));

    private async Task<IReadOnlyList<SnapshotView>> List(VmView vm) => Ok(await Snapshots.List(Ana, Project, vm.Id, Stop));

    private async Task<VmView> Get(VmView vm) => Ok(await Vms.Get(Ana, Project, vm.Id, Stop));

    private async Task Answer(FakeAgent agent, bool succeeded = true, string message = "done")
    {
        foreach (var command in await Directory_.PendingCommands(agent.Host, agent.Epoch, Stop))
            await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, command.Id, succeeded, message), Stop);
    }

    private async Task Off(FakeAgent agent, VmView vm)
    {
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
    }

    [Fact]
    public async Task Of_a_running_machine_memory_goes_with_it_and_going_back_runs_on()
    {
        var (agent, vm) = await Running();
        var take = await Take(vm, "before-upgrade");
        var sent = Assert.IsType<SnapshotMachine>(Gateway.Sent[^1].Command.Body);
        Assert.Equal((vm.Id, true), (sent.Vm, sent.WithMemory));
        Assert.Equal(SnapshotState.Taking, Assert.Single(await List(vm)).State);
        // The disk is worked on: all else waits, but for an end at once.
        Assert.Equal("operation_under_way", No(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop)).Code);
        Assert.Equal("operation_under_way", No(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop)).Code);
        await Answer(agent);
        Assert.Equal(OperationState.Succeeded, (await Newest(take)).State);
        var snapshot = Assert.Single(await List(vm));
        Assert.Equal((SnapshotState.Available, true, vm.Size.Vcpus, vm.Size.MemoryMib, "ana"), (snapshot.State, snapshot.WithMemory, snapshot.Vcpus, snapshot.MemoryMib, snapshot.TakenBy));
        Assert.Equal("name_taken", No(await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot("before-upgrade"), null, Stop)).Code);
        Assert.Contains("stop it first", snapshot.WhyNotRevert);
        Assert.Equal("vm_not_stopped", No(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop)).Code);

        await Off(agent, vm);
        var revert = Ok(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, "key-1", Stop));
        Assert.Equal(revert.Id, Ok(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, "key-1", Stop)).Id);
        Assert.Equal(snapshot.Id, Assert.IsType<RevertMachine>(Gateway.Sent[^1].Command.Body).Snapshot);
        await Answer(agent);
        Assert.Equal((OperationState.Succeeded, VmState.Starting), ((await Newest(revert)).State, (await Get(vm)).State));
        await agent.Reconcile();
        // It is wished to run, so nobody stops it again.
        Assert.Equal((DesiredPower.Running, VmState.Running), (agent.Desired!.Machines[0].Power, (await Get(vm)).State));

        var remove = Ok(await Snapshots.Remove(Ana, Project, vm.Id, snapshot.Id, null, Stop));
        await Answer(agent);
        Assert.Equal(OperationState.Succeeded, (await Newest(remove)).State);
        Assert.Empty(await List(vm));
        Assert.Equal("snapshot_not_found", No(await Snapshots.Remove(Ana, Project, vm.Id, snapshot.Id, null, Stop)).Code);
        Assert.Equal(["vm.snapshot", "vm.snapshot-revert", "vm.snapshot-remove"], (await Audit()).Where(a => a.Action.StartsWith("vm.snapshot", StringComparison.Ordinal) && a.Outcome == "done").Select(a => a.Action));
    }

    [Fact]
    public async Task Of_a_machine_that_is_off_the_disk_is_kept_and_it_stays_off()
    {
        var (agent, vm) = await Running();
        await Off(agent, vm);
        await Take(vm, "clean");
        Assert.False(Assert.IsType<SnapshotMachine>(Gateway.Sent[^1].Command.Body).WithMemory);
        await Restart();
        await agent.Connect();
        await Answer(agent);
        var snapshot = Assert.Single(await List(vm));
        Assert.Equal((SnapshotState.Available, (string?)null), (snapshot.State, snapshot.WhyNotRevert));
        Ok(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop));
        await Answer(agent);
        await agent.Reconcile();
        Assert.Equal((DesiredPower.Stopped, VmState.Stopped), (agent.Desired!.Machines[0].Power, (await Get(vm)).State));
    }

    [Fact]
    public async Task Of_a_running_machine_memory_can_be_left_out_and_the_host_says_what_became_of_its_file_systems()
    {
        var (agent, vm) = await Running();
        Ok(await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot("quick", false), null, Stop));
        Assert.False(Assert.IsType<SnapshotMachine>(Gateway.Sent[^1].Command.Body).WithMemory);
        await Answer(agent, message: "The guest froze its 2 file systems for that moment.");
        var snapshot = Assert.Single(await List(vm));
        Assert.Equal((SnapshotState.Available, false, "The guest froze its 2 file systems for that moment.", ""), (snapshot.State, snapshot.WithMemory, snapshot.How, snapshot.StateReason));
        await Off(agent, vm);
        Assert.Null(Assert.Single(await List(vm)).WhyNotRevert);
        Assert.Equal(("memory", "no_memory"), No(await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot("memory", true), null, Stop)) is var no ? (no.Field, no.Code) : default);
        Ok(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop));
        await Answer(agent);
        await agent.Reconcile();
        Assert.Equal((DesiredPower.Stopped, VmState.Stopped), (agent.Desired!.Machines[0].Power, (await Get(vm)).State));
    }

    [Fact]
    public async Task What_was_not_taken_says_why_and_is_deleted_and_what_was_not_undone_can_be_asked_again()
    {
        var (agent, vm) = await Running();
        await Take(vm, "unlucky");
        await Answer(agent, false, "The act was interrupted: the agent was restarted.");
        var failed = Assert.Single(await List(vm));
        Assert.Equal((SnapshotState.Failed, "The act was interrupted: the agent was restarted."), (failed.State, failed.StateReason));
        Assert.Equal(VmState.Running, (await Get(vm)).State);
        Ok(await Snapshots.Remove(Ana, Project, vm.Id, failed.Id, null, Stop));
        await Answer(agent);
        Assert.Empty(await List(vm));

        await Take(vm, "lucky");
        await Answer(agent);
        await Off(agent, vm);
        var snapshot = Assert.Single(await List(vm));
        Ok(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop));
        Time.Advance(TimeSpan.FromMinutes(16));
        await Drive();
        snapshot = Assert.Single(await List(vm));
        Assert.Equal(SnapshotState.Available, snapshot.State);
        Assert.Contains("did not answer within 900 s", snapshot.StateReason);
        Assert.Equal(VmState.Stopped, (await Get(vm)).State);
        Ok(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop));
    }

    [Fact]
    public async Task Volumes_too_many_and_another_size_are_refused_with_numbers()
    {
        var (agent, vm) = await Running();
        await Take(vm, "small");
        await Answer(agent);
        await Off(agent, vm);
        Ok(await Vms.Resize(Ana, Project, vm.Id, new ResizeVm(MemoryMib: vm.Size.MemoryMib * 2), null, Stop));
        await agent.Reconcile();
        var snapshot = Assert.Single(await List(vm));
        Assert.Equal("other_size", No(await Snapshots.Revert(Ana, Project, vm.Id, snapshot.Id, null, Stop)).Code);
        Assert.Contains($"{vm.Size.MemoryMib * 2} MiB. Resize it", snapshot.WhyNotRevert);

        Ok(await Volumes.Create(Ana, Project, new CreateVolume("data", 1, Vm: vm.Name), null, Stop));
        await agent.Reconcile();
        Assert.Contains("has 1 volume attached", No(await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot("with-data"), null, Stop)).Message);
        Assert.Equal("name", No(await Snapshots.Take(Ana, Project, vm.Id, new TakeSnapshot("Not Valid!"), null, Stop)).Field);
    }

    [Fact]
    public void Eight_are_the_most() => Assert.Contains("has 8 snapshots", SnapshotActs.WhyNotTake(VmState.Stopped, 8, 0, GuestFirmware.Default)!.Message);

    [Fact]
    public void What_firmware_remembers_is_not_part_of_a_snapshot() =>
        Assert.Contains("boots with BIOS, TPM 2.0", SnapshotActs.WhyNotTake(VmState.Stopped, 0, 0, new GuestFirmware(Tpm: true))!.Message);
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresSnapshotTests(PostgresServer server) : SnapshotTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
