using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>The fleet as it was, compared with now.</summary>
internal static class HistoryEndpoints
{
    private const string About = "at: a time with its zone (2026-03-01T12:00:00Z). Rebuilt from the change log; each thing comes as it was, as it is, and with what differs. A moment in the future, before the log or older than it is kept is refused.";

    public static void Map(RouteGroupBuilder api)
    {
        var history = api.MapGroup("/history").WithTags("History");

        history.MapGet("/projects/{project}/vms", async (HttpContext http, string project, IHistory use, string? at, string? q, string? state, string? host, string? label, string? sort, string? limit, string? offset) =>
                Answers.Ok(await use.Vms(http.Caller(), Inputs.Project(project), Inputs.Moment(at, "at"),
                    new VmQuery(Inputs.Text(q, "q"), Inputs.Text(state, "state"), Inputs.Text(host, "host"), Inputs.Text(label, "label"), Inputs.Text(sort, "sort")), Inputs.Window(limit, null, offset), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<PastPage<VmView>>("Virtual machines as they were", About);

        history.MapGet("/projects/{project}/vms/{vm}", async (HttpContext http, string project, string vm, IHistory use, string? at) =>
                Answers.Ok(await use.Vm(http.Caller(), Inputs.Project(project), Inputs.Id<VmId>(vm, "vm"), Inputs.Moment(at, "at"), http.RequestAborted)))
            .Needs(Permissions.VmRead).Describe<Past<VmView>>("A virtual machine as it was", About);

        history.MapGet("/hosts", async (HttpContext http, IHistory use, string? at, string? q, string? state, string? sort, string? limit, string? offset) =>
                Answers.Ok(await use.Hosts(http.Caller(), Inputs.Moment(at, "at"), new HostQuery(Inputs.Text(q, "q"), Inputs.Text(state, "state"), Inputs.Text(sort, "sort")), Inputs.Window(limit, null, offset), http.RequestAborted)))
            .Needs(Permissions.HostRead).Describe<PastPage<HostView>>("Hosts as they were", About);

        history.MapGet("/hosts/{host}", async (HttpContext http, string host, IHistory use, string? at) =>
                Answers.Ok(await use.Host(http.Caller(), Inputs.Id<HostId>(host, "host"), Inputs.Moment(at, "at"), http.RequestAborted)))
            .Needs(Permissions.HostRead).Describe<Past<HostView>>("A host as it was", About);
    }
}
