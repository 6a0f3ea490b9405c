using Plinth.Core.Primitives;
using Plinth.Core.Quotas;

namespace Plinth.Web.Persistence.Rows;

/// <summary>An organization: it owns projects.</summary>
public sealed class OrganizationRow : IVersioned, ILogged
{
    public required OrganizationId Id { get; set; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    /// <summary>What its projects may have together, by resource (<see cref="Plinth.Core.Quotas.QuotaResources"/>); what is absent has no limit.</summary>
    public IReadOnlyDictionary<string, long> Quota { get; set; } = new Dictionary<string, long>();
    public DateTimeOffset CreatedAt { get; set; }
    /// <summary>Its deleted projects stay readable in the past, and so does its name.</summary>
    public DateTimeOffset? DeletedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Organization;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => this;
}

/// <summary>A project: everything a tenant can own carries its id.</summary>
public sealed class ProjectRow : IVersioned, ILogged
{
    public required ProjectId Id { get; set; }
    public required OrganizationId Organization { get; set; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    /// <summary>What may be in it, as an organization's.</summary>
    public IReadOnlyDictionary<string, long> Quota { get; set; } = new Dictionary<string, long>();
    public DateTimeOffset CreatedAt { get; set; }
    /// <summary>What was in it stays readable in the past.</summary>
    public DateTimeOffset? DeletedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Project;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Id;
    object ILogged.LogDocument => this;
}

/// <summary>Somebody asks for higher limits of a project.</summary>
public sealed class QuotaRequestRow : IVersioned, ILogged
{
    public required QuotaRequestId Id { get; set; }
    public required ProjectId Project { get; set; }
    /// <summary>The limits asked for, by resource.</summary>
    public required IReadOnlyDictionary<string, long> Wanted { get; set; }
    public required string Reason { get; set; }
    public QuotaRequestState State { get; set; }
    public required string RequestedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public string? DecidedBy { get; set; }
    public DateTimeOffset? DecidedAt { get; set; }
    /// <summary>What whoever decided says about it.</summary>
    public string Answer { get; set; } = "";
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.QuotaRequest;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}

/// <summary>What exists from the first start on, under the same ids everywhere.</summary>
public static class WellKnown
{
    public static readonly OrganizationId DefaultOrganization = new(new Guid("01900000-0000-7000-8000-000000000001"));
    public static readonly ProjectId DefaultProject = new(new Guid("01900000-0000-7000-8000-000000000002"));
    public static readonly NetworkId DefaultNetwork = new(new Guid("01900000-0000-7000-8000-000000000003"));
    public static readonly StorageClassId DefaultStorageClass = new(new Guid("01900000-0000-7000-8000-000000000004"));
    public const string DefaultName = "default";
    /// <summary>The same range behind NAT on every host; apart from libvirt's own default (192.168.122.0/24).</summary>
    public const string DefaultNetworkCidr = "10.87.0.0/22";
}
