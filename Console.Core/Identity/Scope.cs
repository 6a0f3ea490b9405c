using Plinth.Core.Primitives;

namespace Plinth.Core.Identity;

/// <summary>How wide a right reaches.</summary>
public enum ScopeKind
{
    /// <summary>Everything: hosts, catalogue, every organization and project.</summary>
    Platform,
    /// <summary>One organization and its projects.</summary>
    Organization,
    /// <summary>One project.</summary>
    Project,
}

/// <summary>Where a right holds: a node of the tree platform → organization → project. What holds at a node holds below it.</summary>
public readonly record struct Scope
{
    private Scope(OrganizationId? organization, ProjectId? project) => (Organization, Project) = (organization, project);

    /// <summary>Null for the platform.</summary>
    public OrganizationId? Organization { get; }

    /// <summary>Null for the platform and for a whole organization.</summary>
    public ProjectId? Project { get; }

    public static Scope Platform => default;

    public static Scope Of(OrganizationId organization) => new(organization, null);

    public static Scope Of(OrganizationId organization, ProjectId project) => new(organization, project);

    public ScopeKind Kind => Project is not null ? ScopeKind.Project : Organization is not null ? ScopeKind.Organization : ScopeKind.Platform;

    /// <summary>This node is <paramref name="other"/> or above it.</summary>
    public bool Covers(Scope other) => (Organization is null || Organization == other.Organization) && (Project is null || Project == other.Project);
}
