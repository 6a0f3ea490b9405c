using System.Text.Json.Serialization;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;

namespace Plinth.Web.Application;

// Requests keep what the caller sent, unjudged: every field nullable, so that validation can name each one that is wrong.

/// <summary>POST /api/v1/projects/{project}/vms. Either <c>flavor</c> or all of <c>vcpus, memoryMib, diskGib</c>.</summary>
/// <param name="Image">Name or id.</param>
/// <param name="Flavor">Name or id.</param>
/// <param name="Networks">Names or ids; absent means the project's <c>default</c>.</param>
/// <param name="Keys">OpenSSH public keys.</param>
/// <param name="Host">Operators may name a host, by name or id.</param>
/// <param name="Firmware">"bios" (the default) or "uefi".</param>
/// <param name="SecureBoot">UEFI starts only what is signed.</param>
/// <param name="Tpm">A TPM 2.0 of its own.</param>
public sealed record CreateVm(
    string? Name,
    string? Image,
    string? Flavor = null,
    long? Vcpus = null,
    long? MemoryMib = null,
    long? DiskGib = null,
    string? Description = null,
    IReadOnlyDictionary<string, string?>? Labels = null,
    string? StorageClass = null,
    IReadOnlyList<string?>? Networks = null,
    string? UserName = null,
    IReadOnlyList<string?>? Keys = null,
    string? UserData = null,
    string? Host = null,
    string? Firmware = null,
    bool? SecureBoot = null,
    bool? Tpm = null);

/// <summary>PATCH …/vms/{vm}: what is absent stays.</summary>
/// <param name="Name">The guest keeps its host name.</param>
/// <param name="Protected">True: it is not deleted before this is false again.</param>
public sealed record UpdateVm(string? Description = null, IReadOnlyDictionary<string, string?>? Labels = null, string? Name = null, bool? Protected = null);

/// <summary>POST /api/v1/agents/upgrade and …/revert.</summary>
/// <param name="Hosts">Names or ids; absent means all that can be taken there.</param>
public sealed record ReplaceAgents(IReadOnlyList<string?>? Hosts = null);

/// <param name="DeadlineSeconds">How long the guest may take, 0–3600; 0 switches off at once. Absent: 60.</param>
public sealed record StopVm(long? DeadlineSeconds = null);

public sealed record RebootVm(bool? Force = null);

/// <param name="Action">"start", "stop", "reboot", "delete", "restore" or "label".</param>
/// <param name="Vms">Ids, at most 500.</param>
/// <param name="Labels">For "label": set where there is a value, taken away where it is null; others stay.</param>
/// <param name="DeadlineSeconds">For "stop": as of a single stop.</param>
/// <param name="AtOnce">For "delete": as of a single delete.</param>
public sealed record BulkAct(string? Action, IReadOnlyList<string?>? Vms, IReadOnlyDictionary<string, string?>? Labels = null, long? DeadlineSeconds = null, bool? AtOnce = null);

/// <summary>What is absent stays.</summary>
public sealed record ResizeVm(long? Vcpus = null, long? MemoryMib = null);

/// <summary>POST …/vms/{vm}/rebuild: what is absent stays as the VM has it.</summary>
/// <param name="Image">Name or id.</param>
/// <param name="UserName">Absent with another image: that image's own, where the VM had the former image's own.</param>
/// <param name="Keys">OpenSSH public keys; an empty list for none.</param>
/// <param name="DeadlineSeconds">How long a running guest may take to shut down, 0–3600; 0 switches it off at once. Absent: 60.</param>
public sealed record RebuildVm(string? Image = null, string? UserName = null, IReadOnlyList<string?>? Keys = null, string? UserData = null, long? DeadlineSeconds = null);

/// <summary>POST …/vms/{vm}/clone: what is absent is as the source has it.</summary>
/// <param name="DiskGib">No less than the source's.</param>
/// <param name="Networks">Names or ids; addresses are the clone's own in any case.</param>
/// <param name="Keys">OpenSSH public keys; an empty list for none.</param>
public sealed record CloneVm(
    string? Name,
    string? Description = null,
    IReadOnlyDictionary<string, string?>? Labels = null,
    long? Vcpus = null,
    long? MemoryMib = null,
    long? DiskGib = null,
    IReadOnlyList<string?>? Networks = null,
    string? UserName = null,
    IReadOnlyList<string?>? Keys = null,
    string? UserData = null);

/// <summary>POST …/vms/{vm}/snapshots.</summary>
public sealed record TakeSnapshot(string? Name, bool? Memory = null);

/// <param name="Kind">"serial" (absent) or "vnc".</param>
public sealed record OpenVmConsole(string? Kind = null);

/// <summary>POST …/volumes. Without host and VM, the host with the most free disk takes it.</summary>
/// <param name="Vm">Attach it to this VM, on its host.</param>
public sealed record CreateVolume(string? Name, long? SizeGib, string? StorageClass = null, string? Description = null, string? Host = null, string? Vm = null);

/// <summary>PATCH …/volumes/{volume}: what is absent stays.</summary>
public sealed record UpdateVolume(string? Name = null, string? Description = null);

/// <param name="Vm">Name or id of a VM on the volume's host.</param>
public sealed record AttachVolume(string? Vm);

/// <param name="SizeGib">More than now.</param>
public sealed record ResizeVolume(long? SizeGib);

/// <param name="Vm">Name or id of the VM they are attached to.</param>
/// <param name="Sort">"name", "created", "size", with "-" in front for descending.</param>
public sealed record VolumeQuery(string? Q = null, string? State = null, string? Host = null, string? Vm = null, string? Sort = null);

/// <param name="State">Comma-separated state words.</param>
/// <param name="Q">Part of the name, description or a label.</param>
/// <param name="Sort">"name", "created", "state", "host", with "-" in front for descending.</param>
public sealed record VmQuery(string? Q = null, string? State = null, string? Host = null, string? Label = null, string? Sort = null);

public sealed record HostQuery(string? Q = null, string? State = null, string? Sort = null);

public sealed record OperationQuery(string? State = null, string? Vm = null, string? Kind = null, string? Volume = null);

public sealed record AuditQuery(string? Action = null, string? Actor = null, string? Target = null);

/// <param name="List">"vms", "hosts" or "operations".</param>
public sealed record SaveView(string? List, string? Name, string? Query);

/// <summary>POST …/networks.</summary>
/// <param name="Cidr">A private IPv4 range, /16 to /28; its first address is the gateway.</param>
public sealed record CreateNetwork(string? Name, string? Cidr, string? Description = null, IReadOnlyList<PortRule?>? Rules = null);

/// <summary>PATCH …/networks/{network}: what is absent stays; rules are replaced as a whole.</summary>
public sealed record UpdateNetwork(string? Description = null, IReadOnlyList<PortRule?>? Rules = null);

/// <summary>POST …/vms/{vm}/interfaces.</summary>
/// <param name="Network">Name or id of a network of the project that the VM has no interface on.</param>
/// <param name="Address">A free one of its range; absent: the lowest that is free.</param>
/// <param name="Rules">What may come in to it, beside the rules of its network.</param>
public sealed record AddInterface(string? Network, string? Address = null, IReadOnlyList<PortRule?>? Rules = null);

/// <summary>PUT …/vms/{vm}/interfaces/{mac}/rules: what may come in to one interface, beside the rules of its network.</summary>
public sealed record SetInterfaceRules(IReadOnlyList<PortRule?>? Rules = null);

/// <summary>POST /api/v1/storage-classes. Absent needs: any pool. Absent limits: none.</summary>
public sealed record CreateStorageClass(string? Name, string? Description = null, StorageNeeds? Needs = null, IoLimits? Limits = null);

/// <summary>PATCH …/storage-classes/{class}: what is absent stays; limits are replaced as a whole. What a class needs of a pool stays: disks were placed by it.</summary>
public sealed record UpdateStorageClass(string? Description = null, IoLimits? Limits = null);

public sealed record CreateFlavor(string? Name, string? Description, long? Vcpus, long? MemoryMib, long? DiskGib);

/// <summary>Names an image whose bytes follow by PUT …/content. The digest is checked when they have arrived.</summary>
public sealed record CreateImage(string? Name, string? Description, string? Format, string? Digest, long? SizeBytes, long? MinDiskGib, long? MinMemoryMib, bool? HasGuestAgent, string? DefaultUser);

/// <param name="ValidMinutes">1–1440; absent: 60.</param>
public sealed record CreateJoinToken(string? Description = null, long? ValidMinutes = null);

public sealed record CreateOrganization(string? Name, string? Description = null);

/// <param name="Organization">Name or id; absent means <c>default</c>.</param>
public sealed record CreateProject(string? Name, string? Organization = null, string? Description = null);

/// <summary>PATCH of an organization or a project: what is absent stays.</summary>
public sealed record UpdateTenant(string? Name = null, string? Description = null);

/// <summary>PUT of an organization's or a project's quota: the limits as a whole.</summary>
/// <param name="Limits">By resource: vms, vcpus, memoryMib, diskGib, networks, addresses, and diskGib: with the name of a storage class. What is absent or null has no limit.</param>
public sealed record SetQuota(IReadOnlyDictionary<string, long?>? Limits);

/// <summary>POST …/quota-requests: asks those who set a project's limits for higher ones.</summary>
/// <param name="Limits">The wanted limits by resource: those to be raised, each higher than it is.</param>
/// <param name="Reason">What it is for: whoever decides reads it.</param>
public sealed record AskForQuota(IReadOnlyDictionary<string, long?>? Limits, string? Reason);

/// <summary>POST …/grant and …/refuse.</summary>
/// <param name="Answer">A word to whoever asked; needed where it is refused.</param>
public sealed record AnswerQuota(string? Answer = null);

/// <param name="Widest">"platform", "organization" or "project" (the default): the widest scope that it can be given on.</param>
public sealed record CreateRole(string? Name, string? Meaning, IReadOnlyList<string?>? Permissions, string? Widest = null);

/// <summary>Gives somebody a role. Without organization and project it counts on the whole platform.</summary>
/// <param name="Subject">Name or id of a person, or id of an API client.</param>
/// <param name="SubjectKind">"user" (the default) or "client".</param>
/// <param name="Organization">Name or id.</param>
/// <param name="Project">Name or id.</param>
/// <param name="Hours">It ends by itself after so long; absent: never.</param>
public sealed record BindRole(string? Subject, string? Role, string? SubjectKind = null, string? Organization = null, string? Project = null, long? Hours = null);

/// <summary>A new person, and the first role that they have.</summary>
public sealed record InviteUser(string? Name, string? Role, string? Organization = null, string? Project = null);

/// <summary>A role for a few hours, in an emergency.</summary>
/// <param name="Hours">1 to 8, from when it is approved.</param>
public sealed record AskForRole(string? Role, long? Hours, string? Reason, string? Organization = null, string? Project = null);

public sealed record DecideElevation(string? Answer = null);

/// <summary>What is to be done where; the platform where neither is named.</summary>
public sealed record WhoQuery(string? Permission, string? Organization = null, string? Project = null);

/// <summary>Filters of the list of roles given.</summary>
public sealed record BindingQuery(string? Organization = null, string? Project = null, string? Subject = null);

/// <param name="Current">The password that the caller has, if there is one.</param>
public sealed record SetPassword(string? Password, string? Current = null);

/// <summary>A token for a program, of the caller's own.</summary>
/// <param name="Days">Until it expires.</param>
/// <param name="Role">It is to allow no more than this role; null: all that the caller may.</param>
/// <param name="Project">Where; without it and <paramref name="Organization"/> everywhere that the caller may.</param>
public sealed record CreateToken(string? Name, long? Days, string? Role = null, string? Organization = null, string? Project = null);
