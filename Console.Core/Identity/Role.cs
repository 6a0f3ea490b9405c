using System.Collections.Frozen;

namespace Plinth.Core.Identity;

/// <summary>A named set of permissions. Its name is what bindings refer to.</summary>
/// <param name="Name">"project-viewer".</param>
/// <param name="Title">"project viewer": as sentences say it.</param>
/// <param name="Meaning">One sentence for those who give it.</param>
/// <param name="Widest">The widest scope that it can be given on.</param>
public sealed record Role(string Name, string Title, string Meaning, ScopeKind Widest, FrozenSet<string> Permissions);

/// <summary>The roles that every console has. They cannot be changed; own ones stand beside them.</summary>
public static class Roles
{
    private static readonly string[] Catalogue = [Permissions.ImageRead, Permissions.FlavorRead, Permissions.StorageRead];

    private static readonly string[] Viewing = [.. Catalogue, Permissions.ProjectRead, Permissions.VmRead, Permissions.VolumeRead, Permissions.NetworkRead, Permissions.OperationRead];

    private static readonly string[] Working =
    [
        .. Viewing, Permissions.VmCreate, Permissions.VmUpdate, Permissions.VmOperate, Permissions.VmDelete, Permissions.VmConsole,
        Permissions.VolumeCreate, Permissions.VolumeUpdate, Permissions.VolumeOperate, Permissions.VolumeDelete, Permissions.NetworkManage, Permissions.OperationCancel, Permissions.AuditRead,
    ];

    public static Role PlatformAdmin { get; } = New("platform-admin", "Everything on this console.", ScopeKind.Platform, [.. Permissions.All.Where(p => !Permissions.IsOwn(p))]);

    public static Role PlatformOperator { get; } = New("platform-operator",
        "Runs hosts, images, storage and the console itself, and starts or stops VMs. Does not open their consoles, change what tenants made, or decide who may do what.", ScopeKind.Platform,
        [
            .. Viewing, Permissions.OverviewRead, Permissions.HostRead, Permissions.HostManage, Permissions.AgentJoin, Permissions.VmOperate, Permissions.ImageManage, Permissions.StorageManage,
            Permissions.FlavorManage, Permissions.OperationCancel, Permissions.AuditRead, Permissions.ConsoleManage,
        ]);

    public static Role Auditor { get; } = New("auditor", "Sees everything and changes nothing.", ScopeKind.Platform,
        [.. Viewing, Permissions.OverviewRead, Permissions.HostRead, Permissions.AuditRead, Permissions.AccessRead]);

    public static Role OrganizationAdmin { get; } = New("organization-admin", "Everything in one organization: its projects, what is in them, their limits, and who may do what there.", ScopeKind.Organization,
        [.. Working, Permissions.ProjectManage, Permissions.QuotaManage, Permissions.AccessRead, Permissions.AccessManage]);

    public static Role ProjectMember { get; } = New("project-member", "Makes, uses and removes what is in a project.", ScopeKind.Organization, [.. Working, Permissions.AccessRead]);

    public static Role ProjectViewer { get; } = New("project-viewer", "Sees what is in a project.", ScopeKind.Organization, Viewing);

    public static Role WallScreen { get; } = New("wall-screen", "Shows the state of the platform on a screen that nobody sits at.", ScopeKind.Platform, [Permissions.OverviewRead]);

    public static IReadOnlyList<Role> BuiltIn { get; } = [PlatformAdmin, PlatformOperator, Auditor, OrganizationAdmin, ProjectMember, ProjectViewer, WallScreen];

    private static Role New(string name, string meaning, ScopeKind widest, IEnumerable<string> permissions) => new(name, name.Replace('-', ' '), meaning, widest, permissions.ToFrozenSet());
}
