using Microsoft.AspNetCore.WebUtilities;
using Plinth.Core.Primitives;

namespace Plinth.Web.Components;

/// <summary>Builds every URL of the portal. What a colleague must see is in the URL.</summary>
public static class PortalUrls
{
    /// <summary>The project that every console comes with.</summary>
    public const string DefaultProject = "default";

    public const string Overview = "/";
    /// <summary>Explains the one-time link, and takes it (<c>?link=…</c>). Plain pages, made where signing in is.</summary>
    public const string SignIn = "/sign-in";
    public const string SignOut = "/sign-out";
    /// <summary>How one signs in, one's sessions and tokens.</summary>
    public const string Account = "/account";
    public const string Agents = "/agents";
    public const string Upkeep = "/upkeep";
    /// <summary>Organizations and projects.</summary>
    public const string Projects = "/projects";
    /// <summary>Who may do what where.</summary>
    public const string People = "/people";
    /// <param name="on">"" for the platform, "o:ID" for an organization, "p:ID" for a project.</param>
    public static string Access(string? permission = null, string? on = null, string? person = null) => With("/people/access", ("permission", permission), ("on", on), ("person", person));

    /// <summary>Answered by the API.</summary>
    public const string Diagnostics = "/api/v1/upkeep/diagnostics";
    public const string Images = "/images";
    public const string Flavors = "/flavors";
    public const string ApiReference = "/docs/api";

    public static string Hosts(string? q = null, string? state = null, string? sort = null, string? columns = null, string? at = null) =>
        With("/hosts", ("q", q), ("state", state), ("sort", sort), ("columns", columns), ("at", at));

    public static string HostsCsv(string? q, string? state, string? sort) => With("/api/v1/hosts.csv", ("q", q), ("state", state), ("sort", sort));

    public static string Host(HostId host, string? tab = null, string? at = null) => With($"/hosts/{host}", ("tab", tab), ("at", at));

    public static string Vms(string project = DefaultProject, string? q = null, string? state = null, string? host = null, string? label = null, string? sort = null, string? columns = null, string? selected = null, string? at = null) =>
        With($"/projects/{Uri.EscapeDataString(project)}/vms", ("q", q), ("state", state), ("host", host), ("label", label), ("sort", sort), ("columns", columns), ("selected", selected), ("at", at));

    public static string VmsCsv(string project, string? q, string? state, string? host, string? label, string? sort) =>
        With($"/api/v1/projects/{Uri.EscapeDataString(project)}/vms.csv", ("q", q), ("state", state), ("host", host), ("label", label), ("sort", sort));

    public static string NewVm(string project = DefaultProject) => $"/projects/{Uri.EscapeDataString(project)}/vms/new";

    public const string StorageClasses = "/storage-classes";

    public static string StorageClass(StorageClassId storageClass) => $"/storage-classes/{storageClass}";

    public static string Networks(string project = DefaultProject) => $"/projects/{Uri.EscapeDataString(project)}/networks";

    public static string Network(string project, NetworkId network) => $"/projects/{Uri.EscapeDataString(project)}/networks/{network}";

    /// <summary>What a project has and may have.</summary>
    public static string Usage(string project = DefaultProject) => $"/projects/{Uri.EscapeDataString(project)}/usage";

    public static string Vm(string project, VmId vm, string? tab = null, string? at = null) =>
        With($"/projects/{Uri.EscapeDataString(project)}/vms/{vm}", ("tab", tab), ("at", at));

    public static string Volumes(string project = DefaultProject, string? q = null, string? state = null, string? host = null, string? vm = null, string? sort = null) =>
        With($"/projects/{Uri.EscapeDataString(project)}/volumes", ("q", q), ("state", state), ("host", host), ("vm", vm), ("sort", sort));

    /// <param name="vm">The VM that it is to be attached to.</param>
    public static string NewVolume(string project = DefaultProject, string? vm = null) => With($"/projects/{Uri.EscapeDataString(project)}/volumes/new", ("vm", vm));

    public static string Volume(string project, VolumeId volume) => $"/projects/{Uri.EscapeDataString(project)}/volumes/{volume}";

    public static string Operations(string? state = null, string? kind = null, string? vm = null) =>
        With("/operations", ("state", state), ("kind", kind), ("vm", vm));

    public static string OperationsCsv(string? state, string? kind, string? vm) => With("/api/v1/operations.csv", ("state", state), ("kind", kind), ("vm", vm));

    public static string Operation(OperationId operation) => $"/operations/{operation}";

    public static string Audit(string? action = null, string? actor = null, string? target = null) =>
        With("/audit", ("action", action), ("actor", actor), ("target", target));

    private static string With(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        foreach (var (name, value) in query)
            if (!string.IsNullOrEmpty(value)) path = QueryHelpers.AddQueryString(path, name, value);
        return path;
    }
}
