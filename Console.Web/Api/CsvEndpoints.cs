using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>The lists as files: filters and sort as the lists themselves.</summary>
internal static class CsvEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/projects/{project}/vms.csv", (HttpContext http, string project, IVirtualMachines use, string? q, string? state, string? host, string? label, string? sort) =>
                CsvExport.Answer(http, "vms.csv", window => use.List(http.Caller(), Inputs.Project(project),
                    new VmQuery(Inputs.Text(q, "q"), Inputs.Text(state, "state"), Inputs.Text(host, "host"), Inputs.Text(label, "label"), Inputs.Text(sort, "sort")), window, http.RequestAborted), Vms))
            .WithTags("Virtual machines").Needs(Permissions.VmRead).DescribeFile("Virtual machines as CSV");

        api.MapGet("/hosts.csv", (HttpContext http, IHosts use, string? q, string? state, string? sort) =>
                CsvExport.Answer(http, "hosts.csv", window => use.List(http.Caller(), new HostQuery(Inputs.Text(q, "q"), Inputs.Text(state, "state"), Inputs.Text(sort, "sort")), window, http.RequestAborted), Hosts))
            .WithTags("Hosts").Needs(Permissions.HostRead).DescribeFile("Hosts as CSV");

        api.MapGet("/operations.csv", (HttpContext http, IOperations use, string? state, string? vm, string? kind) =>
                CsvExport.Answer(http, "operations.csv", window => use.List(http.Caller(), new OperationQuery(Inputs.Text(state, "state"), Inputs.Text(vm, "vm"), Inputs.Text(kind, "kind")), window, http.RequestAborted), Operations))
            .WithTags("Operations").Needs(Permissions.OperationRead).DescribeFile("Operations as CSV");
    }

    private static readonly (string, Func<VmView, string?>)[] Vms =
    [
        ("id", v => v.Id.ToString()), ("name", v => v.Name), ("description", v => v.Description), ("state", v => VmLifecycle.Word(v.State)), ("reason", v => v.StateReason),
        ("host", v => v.HostName), ("image", v => v.ImageName), ("flavor", v => v.FlavorName), ("vcpus", v => v.Size.Vcpus.ToString()), ("memoryMib", v => v.Size.MemoryMib.ToString()), ("diskGib", v => v.Size.DiskGib.ToString()),
        ("storageClass", v => v.StorageClass), ("networks", v => string.Join(' ', v.Networks.Select(n => n.Name))), ("addresses", v => string.Join(' ', v.Addresses)),
        ("labels", v => string.Join(' ', v.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"))),
        ("createdAt", v => CsvExport.Time(v.CreatedAt)), ("observedAt", v => CsvExport.Time(v.ObservedAt)),
    ];

    private static readonly (string, Func<HostView, string?>)[] Hosts =
    [
        ("id", h => h.Id.ToString()), ("name", h => h.Name), ("state", h => OperationSteps.Word(h.State)), ("reason", h => h.StateReason), ("simulated", h => h.Simulated ? "yes" : "no"), ("vms", h => h.VmCount.ToString()),
        ("vcpus", h => h.Capacity.Vcpus.ToString()), ("memoryMib", h => h.Capacity.MemoryMib.ToString()), ("diskGib", h => h.Capacity.DiskGib.ToString()),
        ("vcpusAllocated", h => h.Allocated.Vcpus.ToString()), ("memoryMibAllocated", h => h.Allocated.MemoryMib.ToString()), ("diskGibAllocated", h => h.Allocated.DiskGib.ToString()),
        ("cpu", h => h.Facts?.CpuModel), ("agent", h => h.Facts?.AgentVersion), ("reportedAt", h => CsvExport.Time(h.ReportedAt)), ("joinedAt", h => CsvExport.Time(h.JoinedAt)),
    ];

    private static readonly (string, Func<OperationView, string?>)[] Operations =
    [
        ("id", o => o.Id.ToString()), ("kind", o => OperationSteps.Word(o.Kind)), ("target", o => o.Target), ("vm", o => o.Vm?.ToString()), ("state", o => OperationSteps.Word(o.State)), ("reason", o => o.Reason),
        ("startedBy", o => o.StartedBy), ("createdAt", o => CsvExport.Time(o.CreatedAt)), ("endedAt", o => CsvExport.Time(o.EndedAt)),
    ];
}
