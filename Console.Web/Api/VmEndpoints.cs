using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Live;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class VmEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var vms = api.MapGroup("/projects/{project}/vms").WithTags("Virtual machines");

        vms.MapGet("", async (HttpContext http, string project, IVirtualMachines use, string? q, string? state, string? host, string? label, string? sort, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.List(http.Caller(), Inputs.Project(project),
                    new VmQuery(Inputs.Text(q, "q"), Inputs.Text(state, "state"), Inputs.Text(host, "host"), Inputs.Text(label, "label"), Inputs.Text(sort, "sort")),
                    Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<Page<VmView>>("List virtual machines", "Filters: q (part of name, description or label), state (comma-separated), host, label (key or key=value). Sort: name, created, state, host; \"-\" in front for descending.");

        vms.MapPost("", async (HttpContext http, string project, IVirtualMachines use, JsonBody<CreateVm> body) =>
                Answers.Accepted(http, await use.Create(http.Caller(), Inputs.Project(project), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmCreate).Describe<OperationView>("Create a virtual machine", "Answers with the operation to follow. Either flavor, or all of vcpus, memoryMib and diskGib.", StatusCodes.Status202Accepted);

        vms.MapPost("/fit", async (HttpContext http, string project, IVirtualMachines use, JsonBody<CreateVm> body) =>
                Answers.Ok(await use.Fit(http.Caller(), Inputs.Project(project), body.Value, http.RequestAborted)))
            .Needs(Permissions.VmCreate).Describe<FitView>("Ask where a virtual machine would fit", "Checks everything that creating it would check, and does nothing.");

        vms.MapPost("/bulk", async (HttpContext http, string project, IBulkActs use, JsonBody<BulkAct> body) =>
                Answers.Ok(await use.Act(http.Caller(), Inputs.Project(project), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<Page<BulkItemView>>("Start, stop, reboot, delete, restore or label many", "Each VM is asked by itself and has its own answer: accepted with an operation, done, or refused with the reason.");

        vms.MapGet("/watch", (HttpContext http, string project, IVirtualMachines use, Watch watch) => watch.Vms(http, Inputs.Project(project), use))
            .Needs(Permissions.VmRead).DescribeStream("Watch virtual machines");

        vms.MapGet("/{vm}", async (HttpContext http, string project, string vm, IVirtualMachines use) =>
                Answers.Resource(http, await use.Get(http.Caller(), Inputs.Project(project), Vm(vm), http.RequestAborted), v => v.Version))
            .Needs(Permissions.VmRead).Describe<VmView>("Get a virtual machine", "");

        vms.MapPatch("/{vm}", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<UpdateVm> body) =>
                Answers.Resource(http, await use.Update(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), v => v.Version))
            .Needs(Permissions.VmUpdate).Describe<VmView>("Change name, protection, description or labels", "What is absent stays; labels are replaced as a whole. A renamed VM keeps its id, its addresses and the guest's host name; a protected one is not deleted.");

        vms.MapDelete("/{vm}", async (HttpContext http, string project, string vm, IVirtualMachines use, string? atOnce) =>
                Answers.Accepted(http, await use.Delete(http.Caller(), Inputs.Project(project), Vm(vm), Inputs.Flag(atOnce, "atOnce"), Inputs.ExpectedVersion(http), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmDelete).Describe<OperationView>("Delete a virtual machine", "It is stopped and can be restored until restorableUntil; then its disk is removed. With atOnce=true the disk is removed now, which cannot be undone.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/restore", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<Nothing> body) =>
                Answers.Accepted(http, await use.Restore(http.Caller(), Inputs.Project(project), Vm(vm), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmDelete).Describe<OperationView>("Undo a deletion", "Disk, addresses and name are as they were; what was running is started again.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/start", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<Nothing> body) =>
                Answers.Accepted(http, await use.Start(http.Caller(), Inputs.Project(project), Vm(vm), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Start", "", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/stop", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<StopVm> body) =>
                Answers.Accepted(http, await use.Stop(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Stop", "The guest is asked to shut down and switched off at the deadline.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/reboot", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<RebootVm> body) =>
                Answers.Accepted(http, await use.Reboot(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Reboot", "With force, the machine is reset.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/resize", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<ResizeVm> body) =>
                Answers.Accepted(http, await use.Resize(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Change vCPUs or memory", "What is absent stays. vCPUs are added while the machine runs, as far as it was started with room for them; everything else takes effect once it is stopped and started. The step “resized” says which and why.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/rebuild", async (HttpContext http, string project, string vm, IRootDisks use, JsonBody<RebuildVm> body) =>
                Answers.Accepted(http, await use.Rebuild(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.ExpectedVersion(http), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmDelete).Describe<OperationView>("Rebuild from an image", "A fresh root disk from an image, the same one where none is named; absent settings of the guest stay. Name, id, addresses, volumes, place and size are kept; what is on the former root disk, and its snapshots, are lost. A running guest is asked to shut down and switched off at the deadline (0: at once), and started again. Until the new disk stands the VM goes on with its own, and the operation can be cancelled until it was swapped. Refused while the VM is protected.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/clone", async (HttpContext http, string project, string vm, IRootDisks use, JsonBody<CloneVm> body) =>
                Answers.Accepted(http, await use.Clone(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, Inputs.ExpectedVersion(http), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmCreate).Describe<OperationView>("Clone", "A new VM whose root disk is a whole copy of this one's, which has to be stopped, on the same host. Absent fields are as the source has them; name, id, MAC and addresses are its own, and the guest sets itself up anew. Volumes and snapshots are not copied. The source cannot be started, rebuilt or removed until its disk is copied; the operation shows how far that is and can be cancelled.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/pause", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<Nothing> body) =>
                Answers.Accepted(http, await use.Pause(http.Caller(), Inputs.Project(project), Vm(vm), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Pause", "The processors stand still; memory, devices and place are kept.", StatusCodes.Status202Accepted);

        vms.MapPost("/{vm}/resume", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<Nothing> body) =>
                Answers.Accepted(http, await use.Resume(http.Caller(), Inputs.Project(project), Vm(vm), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VmOperate).Describe<OperationView>("Resume", "A paused machine goes on where it was, whoever or whatever paused it.", StatusCodes.Status202Accepted);

        vms.MapGet("/{vm}/decision", async (HttpContext http, string project, string vm, IVirtualMachines use) =>
                Answers.Ok(await use.Decision(http.Caller(), Inputs.Project(project), Vm(vm), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<DecisionView>("Why the machine is where it is", "The record of the placement: candidates with scores, refused hosts with reasons and numbers.");

        vms.MapPost("/{vm}/console", async (HttpContext http, string project, string vm, IVirtualMachines use, JsonBody<OpenVmConsole> body) =>
                Answers.Ok(await use.OpenConsole(http.Caller(), Inputs.Project(project), Vm(vm), body.Value, http.RequestAborted)))
            .Needs(Permissions.VmConsole).Describe<ConsoleTicketView>("Open a console", "kind: serial (the default) or vnc. Answers with a ticket: open a WebSocket on its path within 30 s, as the same principal. Binary frames both ways; of vnc, an RFB stream.");

        vms.MapGet("/{vm}/metrics", async (HttpContext http, string project, string vm, IVirtualMachines use, string? range) =>
                Answers.Whole(await use.Metrics(http.Caller(), Inputs.Project(project), Vm(vm), Inputs.Range(range), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<Page<SeriesView>>("Metrics of a virtual machine", "range: 1m to 35d, for example 6h. Values are null where nothing was measured.");
    }

    private static VmId Vm(string text) => Inputs.Id<VmId>(text, "vm");
}

/// <summary>A request without fields; one that carries some is refused by name.</summary>
internal sealed record Nothing;
