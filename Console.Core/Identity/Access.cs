using Plinth.Core.Primitives;

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
    /// <summary>Preferences and saved views of one's own.</summary>
    public const string Personal = "personal.manage";
}

/// <summary>The permission decision, made here and nowhere else. Deny by default: people and API clients have full rights
/// on this console, agents and strangers none.</summary>
public static class Access
{
    public static Refusal? Check(Principal principal, string permission) => principal.Kind switch
    {
        PrincipalKind.User or PrincipalKind.Client or PrincipalKind.System => null,
        PrincipalKind.Agent => Refusal.Forbidden($"needs {permission}; a host agent has no rights in the API"),
        _ => Refusal.Forbidden($"needs {permission}; sign in first"),
    };
}
