namespace Plinth.Core.Identity;

/// <summary>What can be done to what: <c>area.verb</c>.</summary>
public static class Permissions
{
    public const string HostRead = "host.read", HostManage = "host.manage";
    public const string VmRead = "vm.read", VmCreate = "vm.create", VmUpdate = "vm.update", VmOperate = "vm.operate", VmDelete = "vm.delete", VmConsole = "vm.console";
    public const string VolumeRead = "volume.read", VolumeCreate = "volume.create", VolumeUpdate = "volume.update", VolumeOperate = "volume.operate", VolumeDelete = "volume.delete";
    public const string ImageRead = "image.read", ImageManage = "image.manage";
    public const string NetworkRead = "network.read", NetworkManage = "network.manage";
    public const string StorageRead = "storage.read", StorageManage = "storage.manage";
    public const string FlavorRead = "flavor.read", FlavorManage = "flavor.manage";
    public const string OperationRead = "operation.read", OperationCancel = "operation.cancel";
    public const string AgentJoin = "agent.join";
    public const string AuditRead = "audit.read";
    public const string ConsoleManage = "console.manage";
    /// <summary>The state of the whole platform on one page: numbers and problems.</summary>
    public const string OverviewRead = "overview.read";
    /// <summary>Organizations and projects: seeing them, making and naming them.</summary>
    public const string ProjectRead = "project.read", ProjectManage = "project.manage", OrganizationManage = "organization.manage";
    /// <summary>How much the projects of an organization may have.</summary>
    public const string QuotaManage = "quota.manage";
    /// <summary>Who has which role where; people who sign in.</summary>
    public const string AccessRead = "access.read", AccessManage = "access.manage";
    /// <summary>Preferences and saved views of one's own.</summary>
    public const string Personal = "personal.manage";
    /// <summary>How one signs in oneself, one's sessions and tokens. Of people in a browser only: no token may make another.</summary>
    public const string Account = "account.manage";

    /// <summary>Every permission there is, by name.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        HostRead, HostManage, VmRead, VmCreate, VmUpdate, VmOperate, VmDelete, VmConsole, VolumeRead, VolumeCreate, VolumeUpdate, VolumeOperate, VolumeDelete,
        ImageRead, ImageManage, NetworkRead, NetworkManage, StorageRead, StorageManage, FlavorRead, FlavorManage, OperationRead, OperationCancel, AgentJoin,
        AuditRead, ConsoleManage, OverviewRead, ProjectRead, ProjectManage, OrganizationManage, QuotaManage, AccessRead, AccessManage, Personal, Account,
    ];

    /// <summary>What is the same for all tenants: whoever has it anywhere has it on the platform.</summary>
    public static bool IsCatalogue(string permission) => permission is ImageRead or FlavorRead or StorageRead;

    /// <summary>What belongs to each person alone: no role gives it.</summary>
    public static bool IsOwn(string permission) => permission is Personal or Account;
}
