using Plinth.Core.Identity;
using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Rows;

/// <summary>A role that was made here, beside those that every console has.</summary>
public sealed class RoleRow : IVersioned
{
    public required string Name { get; set; }
    public required string Title { get; set; }
    public required string Meaning { get; set; }
    public ScopeKind Widest { get; set; }
    public IReadOnlyList<string> Permissions { get; set; } = [];
    public string CreatedBy { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public long Version { get; set; }
}

/// <summary>Somebody has a role on the platform, an organization or a project.</summary>
public sealed class RoleBindingRow : IVersioned, ILogged
{
    public required RoleBindingId Id { get; set; }
    /// <summary>A person or an API client.</summary>
    public required PrincipalKind SubjectKind { get; set; }
    /// <summary>The id of the person or client.</summary>
    public required string Subject { get; set; }
    public required string Role { get; set; }
    /// <summary>Null for the whole platform.</summary>
    public OrganizationId? Organization { get; set; }
    /// <summary>Null for a whole organization and for the platform.</summary>
    public ProjectId? Project { get; set; }
    /// <summary>It counts no more from then on; null: until it is taken away.</summary>
    public DateTimeOffset? Until { get; set; }
    public string CreatedBy { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.RoleBinding;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}

/// <summary>Somebody asked for a role for a few hours.</summary>
public sealed class ElevationRow : IVersioned, ILogged
{
    public required ElevationId Id { get; set; }
    public required UserId User { get; set; }
    public required string Role { get; set; }
    /// <summary>Null for the whole platform.</summary>
    public OrganizationId? Organization { get; set; }
    /// <summary>Null for a whole organization and for the platform.</summary>
    public ProjectId? Project { get; set; }
    public int Hours { get; set; }
    public required string Reason { get; set; }
    public ElevationState State { get; set; }
    public DateTimeOffset AskedAt { get; set; }
    public string? DecidedBy { get; set; }
    public DateTimeOffset? DecidedAt { get; set; }
    /// <summary>What whoever decided says about it.</summary>
    public string Answer { get; set; } = "";
    /// <summary>The role that was given.</summary>
    public RoleBindingId? Binding { get; set; }
    public DateTimeOffset? Until { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Elevation;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}
