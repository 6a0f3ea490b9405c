using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class VolumeEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var volumes = api.MapGroup("/projects/{project}/volumes").WithTags("Volumes");

        volumes.MapGet("", async (HttpContext http, string project, IVolumes use, string? q, string? state, string? host, string? vm, string? sort, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.List(http.Caller(), Inputs.Project(project),
                    new VolumeQuery(Inputs.Text(q, "q"), Inputs.Text(state, "state"), Inputs.Text(host, "host"), Inputs.Text(vm, "vm"), Inputs.Text(sort, "sort")),
                    Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.VolumeRead).Describe<Page<VolumeView>>("List volumes", "Filters: q (part of name or description), state (comma-separated), host, vm. Sort: name, created, size; \"-\" in front for descending.");

        volumes.MapPost("", async (HttpContext http, string project, IVolumes use, JsonBody<CreateVolume> body) =>
                Answers.Accepted(http, await use.Create(http.Caller(), Inputs.Project(project), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VolumeCreate).Describe<OperationView>("Create a volume", "Empty, on the named host, on the host of the named vm (and attached to it), or where most disk is free.", StatusCodes.Status202Accepted);

        volumes.MapGet("/watch", (HttpContext http, string project, IVolumes use, Watch watch) => watch.Volumes(http, Inputs.Project(project), use))
            .Needs(Permissions.VolumeRead).DescribeStream("Watch volumes");

        volumes.MapGet("/{volume}", async (HttpContext http, string project, string volume, IVolumes use) =>
                Answers.Resource(http, await use.Get(http.Caller(), Inputs.Project(project), Volume(volume), http.RequestAborted), v => v.Version))
            .Needs(Permissions.VolumeRead).Describe<VolumeView>("Get a volume", "");

        volumes.MapPatch("/{volume}", async (HttpContext http, string project, string volume, IVolumes use, JsonBody<UpdateVolume> body) =>
                Answers.Resource(http, await use.Update(http.Caller(), Inputs.Project(project), Volume(volume), body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), v => v.Version))
            .Needs(Permissions.VolumeUpdate).Describe<VolumeView>("Change name or description", "What is absent stays.");

        volumes.MapDelete("/{volume}", async (HttpContext http, string project, string volume, IVolumes use) =>
                Answers.Accepted(http, await use.Delete(http.Caller(), Inputs.Project(project), Volume(volume), Inputs.ExpectedVersion(http), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VolumeDelete).Describe<OperationView>("Delete a volume and what is on it", "Refused while it is attached. Cannot be undone.", StatusCodes.Status202Accepted);

        volumes.MapPost("/{volume}/attach", async (HttpContext http, string project, string volume, IVolumes use, JsonBody<AttachVolume> body) =>
                Answers.Accepted(http, await use.Attach(http.Caller(), Inputs.Project(project), Volume(volume), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VolumeOperate).Describe<OperationView>("Attach to a VM", "A running guest sees the disk at once, a stopped one from its next start.", StatusCodes.Status202Accepted);

        volumes.MapPost("/{volume}/detach", async (HttpContext http, string project, string volume, IVolumes use, JsonBody<Nothing> body) =>
                Answers.Accepted(http, await use.Detach(http.Caller(), Inputs.Project(project), Volume(volume), Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VolumeOperate).Describe<OperationView>("Detach from its VM", "A running guest is asked to release it; at the deadline it stays attached and the operation fails.", StatusCodes.Status202Accepted);

        volumes.MapPost("/{volume}/resize", async (HttpContext http, string project, string volume, IVolumes use, JsonBody<ResizeVolume> body) =>
                Answers.Accepted(http, await use.Resize(http.Caller(), Inputs.Project(project), Volume(volume), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.VolumeOperate).Describe<OperationView>("Make it larger", "Never smaller. A running guest sees the new size at once.", StatusCodes.Status202Accepted);
    }

    private static VolumeId Volume(string text) => Inputs.Id<VolumeId>(text, "volume");
}
