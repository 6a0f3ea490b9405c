using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>A rebuild from request to outcome: what is lost, what stays, what is refused, and what a report decides.</summary>
public class RebuildTests : Stage
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ana@example";

    private IRootDisks Disks => The<IRootDisks>();

    private async Task<OperationView> Rebuild(VmView vm, RebuildVm? request = null) => Ok(await Disks.Rebuild(Ana, Project, vm.Id, request ?? new RebuildVm(), null, null, Stop));

    private async Task<Refusal> Refused(VmView vm, RebuildVm? request = null, long? version = null) => No(await Disks.Rebuild(Ana, Project, vm.Id, request ?? new RebuildVm(), version, null, Stop));

    private async Task<VmView> Get(VmView vm) => Ok(await Vms.Get(Ana, Project, vm.Id, Stop));

    [Fact]
    public async Task What_runs_gets_its_new_disk_and_runs_again_with_all_else_as_it_was()
    {
        var (agent, vm) = await Running();
        await Image("other");
        Ok(await The<ISnapshots>().Take(Ana, Project, vm.Id, new TakeSnapshot("before"), null, Stop));
        foreach (var command in await Directory_.PendingCommands(agent.Host, agent.Epoch, Stop)) await Directory_.CommandResult(agent.Host, new CommandResult(agent.Epoch, command.Id, true, "done"), Stop);
        var data = Ok(await Volumes.Create(Ana, Project, new CreateVolume("data", 1, Vm: vm.Name), null, Stop));
        await agent.Reconcile();
        vm = await Get(vm);

        var request = new RebuildVm("other", Keys: [Key], UserData: "#cloud-config\n", DeadlineSeconds: 30);
        Assert.Equal("stale_version", (await Refused(vm, request, vm.Version - 1)).Code);
        var operation = Ok(await Disks.Rebuild(Ana, Project, vm.Id, request, vm.Version, "key-1", Stop));
        Assert.Equal(operation.Id, Ok(await Disks.Rebuild(Ana, Project, vm.Id, request, vm.Version, "key-1", Stop)).Id);
        Assert.Equal((OperationKind.RebuildVm, true), (operation.Kind, operation.Cancellable));
        Assert.Equal("operation_under_way", No(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop)).Code);
        Assert.Equal("operation_under_way", No(await Vms.Pause(Ana, Project, vm.Id, null, Stop)).Code);
        Assert.Equal("operation_under_way", (await Refused(vm)).Code);
        Assert.Equal("image_in_use", No(await Catalogue.DeleteImage(Ana, (await Images("other")).Id, Stop)).Code);

        // The new disk is made while the VM runs; what is said of it is what it has.
        await agent.Reconcile(StepKind.Disk);
        var wanted = Assert.Single(agent.Desired!.Machines);
        Assert.Equal((2, 30, DesiredPower.Running, "#cloud-config\n", Key), (wanted.DiskGeneration, wanted.StopDeadlineSeconds, wanted.Power, wanted.Seed.UserData, wanted.Seed.SshKeys[0]));
        Assert.Equal((await Images("other")).Digest, wanted.Disks[0].Image!.Digest);
        Assert.Equal((VmState.Running, "mini", 1), ((await Get(vm)).State, (await Get(vm)).ImageName, Ok(await The<ISnapshots>().List(Ana, Project, vm.Id, Stop)).Count));
        await Restart();
        await agent.Connect();
        await agent.Reconcile();

        var end = await Newest(operation);
        Assert.Equal((OperationState.Succeeded, false), (end.State, end.Cancellable));
        Assert.Equal(["accepted", "disk", "shutdown-asked", "stopped", "rebuilt", "started", "guest-agent"], end.Steps.Select(s => s.Name));
        Assert.All(end.Steps, s => Assert.Equal(StepState.Done, s.State));
        var after = await Get(vm);
        Assert.Equal((VmState.Running, "other", vm.Networks[0].Mac, vm.Size, vm.Host), (after.State, after.ImageName, after.Networks[0].Mac, after.Size, after.Host));
        Assert.Equal([Key], after.SshKeys);
        Assert.Empty(Ok(await The<ISnapshots>().List(Ana, Project, vm.Id, Stop)));
        Assert.Equal((VolumeState.Attached, vm.Id), (Ok(await Volumes.Get(Ana, Project, data.Volume!.Value, Stop)) is var v ? (v.State, v.Vm!.Value) : default));
        // What is wished afterwards is what was made: the host has nothing more to do.
        await agent.Take();
        Assert.Equal(wanted with { Seed = wanted.Seed with { SshKeys = [] }, Disks = [], Nics = [] }, agent.Desired!.Machines[0] with { Seed = agent.Desired.Machines[0].Seed with { SshKeys = [] }, Disks = [], Nics = [] });
        Ok(await Catalogue.DeleteImage(Ana, (await Images("mini")).Id, Stop));
        Assert.Equal([("vm.rebuild", "web-1: mini -> other")], (await Audit()).Where(a => a.Action == "vm.rebuild" && a.Outcome == "done").Select(a => (a.Action, a.Detail)));
        Assert.Contains(await Audit(), a => a.Action == "vm.rebuilt");
    }

    [Fact]
    public async Task What_is_off_stays_off_and_what_failed_is_mended()
    {
        var (agent, vm) = await Running();
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        var operation = await Rebuild(vm);
        await agent.Reconcile();
        var end = await Newest(operation);
        Assert.Equal((OperationState.Succeeded, VmState.Stopped), (end.State, (await Get(vm)).State));
        Assert.Equal("It was stopped before it was rebuilt, and stays so.", end.Steps.Single(s => s.Name == "started").Detail);

        Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        await agent.Take();
        agent.Set(vm.Id, m => m with { Problem = new MachineProblem("disk_lost", "The disk is gone.", StepKind.Disk, true) });
        await agent.Report();
        Assert.Equal(VmState.Failed, (await Get(vm)).State);
        agent.Set(vm.Id, m => m with { Problem = null });
        await Rebuild(vm);
        await agent.Reconcile();
        Assert.Equal(VmState.Running, (await Get(vm)).State);
    }

    [Fact]
    public async Task One_that_cannot_be_leaves_the_vm_as_it_was_and_can_be_asked_again_once_that_is_known()
    {
        var (agent, vm) = await Running();
        await Image("broken");
        var operation = await Rebuild(vm, new RebuildVm("broken"));
        await agent.Take();
        agent.Set(vm.Id, m => m with { Problem = new MachineProblem("image_unusable", "The image refers to another file.", StepKind.Disk, true) });
        await agent.Report();
        var end = await Newest(operation);
        Assert.Equal((OperationState.Failed, "The image refers to another file."), (end.State, end.Reason));
        Assert.Equal((VmState.Running, "mini"), ((await Get(vm)).State, (await Get(vm)).ImageName));
        Assert.Equal("rebuild_unsettled", (await Refused(vm)).Code);

        agent.Set(vm.Id, m => m with { Problem = null });
        await agent.Reconcile();
        Assert.Equal(0, agent.Desired!.Machines[0].DiskGeneration);
        Assert.Equal(VmState.Running, (await Get(vm)).State);
        Ok(await Catalogue.DeleteImage(Ana, (await Images("broken")).Id, Stop));
        Assert.Contains(await Audit(), a => a.Action == "vm.rebuild-undone");
        await Rebuild(vm);
        await agent.Reconcile();
        // No number is used twice: what was made in vain may still lie there.
        Assert.Equal(3, agent.Desired!.Machines[0].DiskGeneration);
    }

    [Fact]
    public async Task One_that_is_cancelled_keeps_the_disk_unless_the_host_was_faster()
    {
        var (agent, vm) = await Running();
        await Image("other");
        var cancelled = await Rebuild(vm, new RebuildVm("other"));
        await agent.Reconcile(StepKind.Disk);
        Ok(await Operations.Cancel(Ana, cancelled.Id, Stop));
        await agent.Reconcile();
        Assert.Equal((OperationState.Cancelled, VmState.Running, "mini"), ((await Newest(cancelled)).State, (await Get(vm)).State, (await Get(vm)).ImageName));

        var late = await Rebuild(vm, new RebuildVm("other"));
        await agent.Take();
        var number = agent.Desired!.Machines[0].DiskGeneration;
        Ok(await Operations.Cancel(Ana, late.Id, Stop));
        await agent.Take();
        agent.Set(vm.Id, m => m with { Disk = number, DiskMade = number });
        await agent.Report();
        var end = await Newest(late);
        Assert.Equal(OperationState.Failed, end.State);
        Assert.Contains("too late to cancel", end.Reason);
        Assert.Equal("other", (await Get(vm)).ImageName);
        await agent.Reconcile();
        Assert.Equal((number, VmState.Running), (agent.Desired!.Machines[0].DiskGeneration, (await Get(vm)).State));
        Assert.Equal("too_late", No(await Operations.Cancel(Ana, late.Id, Stop)).Code);
    }

    [Fact]
    public async Task A_host_that_does_not_answer_in_time_decides_by_its_next_report()
    {
        var (agent, vm) = await Running();
        await Image("other");
        var operation = await Rebuild(vm, new RebuildVm("other"));
        await agent.Take();
        Time.Advance(TimeSpan.FromMinutes(31));
        await Drive();
        var end = await Newest(operation);
        Assert.Equal(OperationState.Failed, end.State);
        Assert.Contains("its next report tells", end.Reason);
        // It had done it meanwhile.
        var number = agent.Desired!.Machines[0].PowerGeneration;
        agent.Set(vm.Id, m => m with { Disk = number, DiskMade = number });
        await agent.Report();
        Assert.Equal("other", (await Get(vm)).ImageName);
        await agent.Reconcile();
        Assert.Equal((number, VmState.Running), (agent.Desired!.Machines[0].DiskGeneration, (await Get(vm)).State));
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_with_numbers_and_the_fix()
    {
        var (agent, vm) = await Running();
        var bytes = System.Text.Encoding.UTF8.GetBytes("large");
        var digest = "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
        var large = Ok(await Catalogue.CreateImage(Ana, new CreateImage("large", "", "qcow2", digest, bytes.Length, 400, 1_000_000, true, "plinth"), null, Stop));
        Assert.Equal("image_not_ready", (await Refused(vm, new RebuildVm("large"))).Code);
        Ok(await Catalogue.PutImageContent(Ana, large.Id, new MemoryStream(bytes), Stop));
        var no = (await Disks.Rebuild(Ana, Project, vm.Id, new RebuildVm("large", UserName: "Not A Name", Keys: ["nonsense"], DeadlineSeconds: 9999), null, null, Stop)).Refusals;
        Assert.Equal(["deadlineSeconds", "userName", "keys[0]", "image", "image"], no.Select(r => r.Field));
        Assert.Contains(no, r => r.Message.Contains($"needs a disk of at least 400 GiB; this VM's root disk has {vm.Size.DiskGib} GiB"));
        Assert.Contains(no, r => r.Message.Contains($"this VM has {vm.Size.MemoryMib} MiB. Resize it to 1000000 MiB"));
        Assert.Equal("unknown_image", (await Refused(vm, new RebuildVm("nowhere"))).Code);

        Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Protected: true), null, Stop));
        Assert.Equal("vm_protected", (await Refused(vm)).Code);
        Ok(await Vms.Update(Ana, Project, vm.Id, new UpdateVm(Protected: false), null, Stop));
        Ok(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop));
        Assert.Equal("vm_not_settled", (await Refused(vm)).Code);
        Assert.Equal("vm_not_found", No(await Disks.Rebuild(Ana, Project, VmId.New(Time.GetUtcNow()), new RebuildVm(), null, null, Stop)).Code);
        var waiting = await Vm(await Create("waiting"));
        Assert.Equal("vm_not_settled", (await Refused(waiting)).Code);
    }

    [Fact]
    public async Task A_deletion_at_once_ends_a_rebuild()
    {
        var (agent, vm) = await Running();
        var rebuild = await Rebuild(vm);
        Assert.Equal("operation_under_way", No(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop)).Code);
        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        await agent.Reconcile();
        Assert.Equal((OperationState.Cancelled, VmState.Deleted), ((await Newest(rebuild)).State, (await Get(vm)).State));
    }

    private async Task<ImageView> Images(string name) => Ok(await Catalogue.Images(Ana, new Window(), Stop)).Items.Single(i => i.Name == name);
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresRebuildTests(PostgresServer server) : RebuildTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
