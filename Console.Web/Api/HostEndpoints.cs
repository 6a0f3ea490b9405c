using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class HostEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var hosts = api.MapGroup("/hosts").WithTags("Hosts");

        hosts.MapGet("", async (HttpContext http, IHosts use, string? q, string? state, string? sort, string? limit, string? cursor, string? offset) =>
                Answers.Ok(await use.List(http.Caller(), new HostQuery(Inputs.Text(q, "q"), Inputs.Text(state, "state"), Inputs.Text(sort, "sort")), Inputs.Window(limit, cursor, offset), http.RequestAborted)))
            .Needs(Permissions.HostRead).Describe<Page<HostView>>("List hosts", "Filters: q, state. Sort: name, joined, with \"-\" in front for descending.");

        hosts.MapGet("/watch", (HttpContext http, IHosts use, Watch watch) => watch.Hosts(http, use)).Needs(Permissions.HostRead).DescribeStream("Watch hosts");

        hosts.MapGet("/{host}", async (HttpContext http, string host, IHosts use) =>
                Answers.Resource(http, await use.Get(http.Caller(), Host(host), http.RequestAborted), h => h.Version))
            .Needs(Permissions.HostRead).Describe<HostView>("Get a host", "Observations carry the time of their receipt.");

        hosts.MapGet("/{host}/metrics", async (HttpContext http, string host, IHosts use, string? range) =>
                Answers.Whole(await use.Metrics(http.Caller(), Host(host), Inputs.Range(range), http.RequestAborted)))
            .Needs(Permissions.HostRead).Describe<Page<SeriesView>>("Metrics of a host", "range: 1m to 35d, for example 6h.");

        hosts.MapGet("/{host}/vms", async (HttpContext http, string host, IHosts use, string? limit, string? offset) =>
                Answers.Ok(await use.Vms(http.Caller(), Host(host), Inputs.Window(limit, null, offset), http.RequestAborted)))
            .Needs(Permissions.HostRead).Describe<Page<VmView>>("Virtual machines on a host", "Of all projects that you may read, by name.");

        hosts.MapPost("/{host}/adopt", async (HttpContext http, string host, IHosts use, JsonBody<Nothing> body) =>
                Answers.Resource(http, await use.Adopt(http.Caller(), Host(host), http.RequestAborted), h => h.Version))
            .Needs(Permissions.HostManage).Describe<HostView>("Adopt a quarantined host", "For a host whose agent is ahead of this console, after a restore from backup.");

        hosts.MapPost("/{host}/retire", async (HttpContext http, string host, IHosts use, JsonBody<Nothing> body) =>
                Answers.Resource(http, await use.Retire(http.Caller(), Host(host), http.RequestAborted), h => h.Version))
            .Needs(Permissions.HostManage).Describe<HostView>("Retire a host", "Refused while VMs are on it. Its certificate is not accepted any more.");
    }

    private static HostId Host(string text) => Inputs.Id<HostId>(text, "host");
}
