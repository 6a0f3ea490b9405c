using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class SnapshotEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var snapshots = api.MapGroup("/projects/{project}/vms/{vm}/snapshots").WithTags("Snapshots");

        snapshots.MapGet("", async (HttpContext http, string project, string vm, ISnapshots use) =>
                Answers.Whole(await use.List(http.Caller(), Inputs.Project(project), Vm(vm), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<Page<SnapshotView>>("List the snapshots of a virtual machine", "Oldest first. whyNotRevert says why the VM cannot go back to one now.");

        snapshots.MapPost("", async (HttpContext http, string project, string vm, ISnapshots use, JsonBody<TakeSnapshot> body) =>
                Answers.Accepted(http, await use.Take(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Take a snapshot", "Of the VM's own disk; of a VM that is on, of its memory too: it stands still meanwhile. With memory=false its memory is left out: the guest is asked to freeze its file systems for a moment and goes on; how that went stands in the snapshot.", StatusCodes.Status202Accepted);

        snapshots.MapPost("/{snapshot}/revert", async (HttpContext http, string project, string vm, string snapshot, ISnapshots use, JsonBody<Nothing> body) =>
                Answers.Accepted(http, await use.Revert(http.Caller(), Inputs.Project(project), Vm(vm), Snapshot(snapshot), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Go back to a snapshot", "The VM is stopped before. With memory, it goes on from there. What was written since is lost.", StatusCodes.Status202Accepted);

        snapshots.MapDelete("/{snapshot}", async (HttpContext http, string project, string vm, string snapshot, ISnapshots use) =>
                Answers.Accepted(http, await use.Remove(http.Caller(), Inputs.Project(project), Vm(vm), Snapshot(snapshot), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Delete a snapshot", "The VM stays as it is.", StatusCodes.Status202Accepted);
    }

    private static VmId Vm(string text) => Inputs.Id<VmId>(text, "vm");

    private static SnapshotId Snapshot(string text) => Inputs.Id<SnapshotId>(text, "snapshot");
}
