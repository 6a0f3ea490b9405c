using System.Text.Json.Serialization;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Quotas;
using Plinth.Core.Storage;

namespace Plinth.Web.Application;

// What the API returns and the pages show: the same records for both. Times are UTC; the page renders them in the browser's zone.

/// <summary>A virtual machine as people see it.</summary>
/// <param name="Version">Concurrency version: the ETag of the resource.</param>
/// <param name="StateReason">A sentence: why it waits, why it failed, what a state means right now.</param>
/// <param name="Acceleration">How the guest is executed: emulation is labelled everywhere; null before placement.</param>
/// <param name="ObservedAt">Receipt of the last report about this VM; null when none.</param>
/// <param name="Stale">The observation is older than is trusted.</param>
/// <param name="Protected">It is not deleted before this is lifted.</param>
/// <param name="RestorableUntil">It is deleted, and its disk is removed then; null otherwise.</param>
/// <param name="RestoreMinutes">How long it could be restored if it were deleted now; null where its disk would be removed at once.</param>
/// <param name="Trouble">What is wrong beyond its state, with what to do; null where nothing is.</param>
/// <param name="GuestSystem">The guest's operating system in its own words; empty while it is off or has not told.</param>
/// <param name="RunsWith">What it has now, which differs from its size until a resize has taken effect; null while it is off.</param>
public sealed record VmView(
    VmId Id,
    ProjectId Project,
    string ProjectName,
    string Name,
    string Description,
    IReadOnlyDictionary<string, string> Labels,
    VmState State,
    string StateReason,
    ImageId Image,
    string ImageName,
    string? FlavorName,
    Resources Size,
    string StorageClass,
    IReadOnlyList<VmNetworkView> Networks,
    string UserName,
    IReadOnlyList<string> SshKeys,
    HostId? Host,
    string? HostName,
    Acceleration? Acceleration,
    IReadOnlyList<string> Addresses,
    DateTimeOffset? GuestAgentAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? ObservedAt,
    bool Stale,
    OperationId? Operation,
    bool Protected,
    MachineSize? RunsWith,
    DateTimeOffset? RestorableUntil,
    int? RestoreMinutes,
    VmTrouble? Trouble,
    string GuestSystem,
    GuestFirmware Firmware,
    long Version);

/// <param name="Address">From the network's range; null where the host's own DHCP gives one.</param>
/// <param name="Rules">What may come in to this interface from outside its network, beside the network's own rules.</param>
/// <param name="Drops">What the guest sent that was not its own to send, and was dropped.</param>
/// <param name="State">Whether it is being added or removed.</param>
/// <param name="Plugged">The running machine has it; null while the machine is off, or where nothing is known.</param>
/// <param name="SeenAddresses">What the guest agent last said the guest has on it; as old as the VM's observation.</param>
/// <param name="Note">What is to be known about it; empty where all is well.</param>
public sealed record VmNetworkView(
    NetworkId Id, string Name, string Mac, string? Address, IReadOnlyList<PortRule> Rules, IReadOnlyList<InterfaceDrops> Drops, InterfaceState State, bool? Plugged, IReadOnlyList<string> SeenAddresses, string Note);

/// <summary>A snapshot of a VM.</summary>
/// <param name="WithMemory">Its memory was kept: going back goes on from there.</param>
/// <param name="Vcpus">What the machine had then.</param>
/// <param name="StateReason">Why it failed, or what was last tried in vain; empty where all is well.</param>
/// <param name="How">Of a disk in use: what became of the guest's file systems for that moment; empty otherwise.</param>
/// <param name="WhyNotRevert">Why the VM cannot go back to it now; null where it can.</param>
public sealed record SnapshotView(SnapshotId Id, string Name, bool WithMemory, int Vcpus, int MemoryMib, SnapshotState State, string StateReason, string How, DateTimeOffset TakenAt, string TakenBy, string? WhyNotRevert);

/// <summary>What one VM of a bulk act was answered.</summary>
/// <param name="Name">Empty where there is no such VM.</param>
/// <param name="Outcome">"accepted" (with its operation), "done" or "refused" (with code and reason).</param>
public sealed record BulkItemView(VmId Vm, string Name, string Outcome, OperationId? Operation, string? Code, string? Reason);

/// <summary>A volume as people see it.</summary>
/// <param name="Version">Concurrency version: the ETag of the resource.</param>
/// <param name="ObservedGib">What the host has now; null before it has made it.</param>
/// <param name="Vm">The VM that it is, or is to be, attached to.</param>
/// <param name="Plugged">The guest sees it now.</param>
/// <param name="Device">Where a Linux guest finds it.</param>
/// <param name="Stale">The observation is older than is trusted.</param>
public sealed record VolumeView(
    VolumeId Id,
    ProjectId Project,
    string ProjectName,
    string Name,
    string Description,
    VolumeState State,
    string StateReason,
    string StorageClass,
    int SizeGib,
    int? ObservedGib,
    HostId? Host,
    string HostName,
    VmId? Vm,
    string? VmName,
    bool Plugged,
    string Device,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt,
    DateTimeOffset? ObservedAt,
    bool Stale,
    OperationId? Operation,
    long Version);

/// <summary>A host with its facts, what is taken, and how old all that is.</summary>
public sealed record HostView(
    HostId Id,
    string Name,
    HostState State,
    string StateReason,
    bool Simulated,
    HostFacts? Facts,
    Resources Capacity,
    Resources Allocated,
    Resources ObservedFree,
    int VmCount,
    bool Connected,
    DateTimeOffset? ReportedAt,
    bool Stale,
    Generation Generation,
    Generation AcceptedGeneration,
    IReadOnlyList<FacilityView> Facilities,
    IReadOnlyList<string> UnknownDomains,
    HostSampleView? Sample,
    DateTimeOffset JoinedAt,
    DateTimeOffset? CertificateExpiresAt,
    long Version);

/// <param name="Drift">What somebody had changed by hand and the agent has put right; empty when nothing was.</param>
public sealed record FacilityView(string Kind, string Name, bool Ready, string Detail, string Drift, DateTimeOffset? DriftAt);

public sealed record HostSampleView(DateTimeOffset At, double CpuPercent, long MemoryUsedMib, long MemoryTotalMib, long DiskUsedMib, long DiskTotalMib, double Load1);

/// <summary>Long work, with its steps as they went.</summary>
/// <param name="Cancellable">False once there is nothing to cancel; the reason is what cancel would answer.</param>
public sealed record OperationView(
    OperationId Id,
    OperationKind Kind,
    ProjectId? Project,
    VmId? Vm,
    string Target,
    OperationState State,
    string Reason,
    IReadOnlyList<OperationStepView> Steps,
    int Percent,
    bool Cancellable,
    string StartedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset? EndedAt,
    DateTimeOffset? Deadline,
    long Version,
    VolumeId? Volume = null);

public sealed record OperationStepView(
    string Name,
    string Title,
    StepState State,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    double? Seconds,
    DateTimeOffset? Deadline,
    int? Percent,
    string Detail,
    string Undo);

public sealed record ImageView(ImageId Id, string Name, string Description, ImageState State, string Format, string Digest, long SizeBytes, int MinDiskGib, int MinMemoryMib, bool HasGuestAgent, string DefaultUser, DateTimeOffset CreatedAt, long Version);

public sealed record FlavorView(FlavorId Id, string Name, string Description, int Vcpus, int MemoryMib, int DiskGib, DateTimeOffset CreatedAt, long Version);

/// <param name="Kind">"host-nat" or "vxlan".</param>
/// <param name="Vni">The VXLAN id; null for a network without a segment.</param>
/// <param name="Taken">Addresses that guests have, of <paramref name="Addresses"/>; null where hosts give them by themselves.</param>
public sealed record NetworkView(
    NetworkId Id, ProjectId Project, string Name, string Description, string Kind, string Cidr, int? Vni, string Gateway, int? Mtu, int Addresses, int? Taken,
    IReadOnlyList<PortRule> Rules, IReadOnlyList<NetworkHostView> Hosts, DateTimeOffset CreatedAt, long Version);

/// <summary>How one host has a network that it should have.</summary>
/// <param name="Conforms">Null while the host has not reported it.</param>
/// <param name="Drift">What was changed there by hand and put right; empty when nothing was.</param>
public sealed record NetworkHostView(HostId? Host, string HostName, int Vms, bool? Conforms, string Detail, string Drift, DateTimeOffset? DriftAt, DateTimeOffset? ReportedAt, bool Stale);

/// <summary>A guest on a network.</summary>
/// <param name="Version">The VM's.</param>
public sealed record NetworkMemberView(VmId Vm, string VmName, string? HostName, string Mac, string Address, IReadOnlyList<PortRule> Rules, long Version);

/// <summary>A storage class as people see it.</summary>
/// <param name="Vms">How many VMs have their root disk in it.</param>
/// <param name="Fits">How many of <paramref name="Hosts"/> have a pool that fits.</param>
public sealed record StorageClassView(
    StorageClassId Id, string Name, string Description, StorageNeeds Needs, IoLimits Limits, int Vms, int Volumes, int Fits, int Hosts, DateTimeOffset CreatedAt, long Version);

/// <summary>How one host stands to a storage class.</summary>
/// <param name="Fits">Its pool can do what the class needs.</param>
/// <param name="Why">A sentence: what the pool is, or what it lacks.</param>
/// <param name="Vms">How many VMs with their root disk in the class are there.</param>
/// <param name="Applied">Whether its disks have the limits that they should have; null where it has no disk of the class.</param>
/// <param name="Drift">Limits that were changed there by hand and put right; empty when none were.</param>
public sealed record StorageClassHostView(
    HostId Host, string HostName, bool Fits, string Why, int Vms, int Volumes, bool? Applied, string Detail, string Drift, DateTimeOffset? DriftAt, DateTimeOffset? ReportedAt, bool Stale);

/// <param name="Organization">Its name.</param>
/// <param name="Vms">Those that are not deleted.</param>
public sealed record ProjectView(ProjectId Id, string Name, string Organization, OrganizationId OrganizationId, string Description, int Vms, DateTimeOffset CreatedAt, long Version);

/// <param name="Projects">How many of its projects the caller sees.</param>
public sealed record OrganizationView(OrganizationId Id, string Name, string Description, int Projects, DateTimeOffset CreatedAt, long Version);

/// <summary>What may be and what is in a project or an organization.</summary>
/// <param name="Version">The project's or the organization's.</param>
public sealed record QuotaView(Guid Id, string Name, IReadOnlyList<QuotaLineView> Lines, long Version);

/// <param name="Resource">"vcpus", "diskGib:fast": what a limit is set by.</param>
/// <param name="Used">In the resource's unit; what is deleted and can still be restored counts.</param>
/// <param name="Limit">Null for none.</param>
/// <param name="Text">"6 of 8".</param>
public sealed record QuotaLineView(string Resource, string Title, long Used, long? Limit, string Text);

/// <param name="Organization">Its limits bind all of its projects together; lines without a limit are for those who see all of it.</param>
/// <param name="MayAsk">The caller may ask for higher limits of the project.</param>
/// <param name="MaySet">The caller sets the project's limits.</param>
/// <param name="MaySetOrganization">The caller sets the organization's limits.</param>
public sealed record ProjectQuotaView(QuotaView Project, QuotaView Organization, bool MayAsk, bool MaySet, bool MaySetOrganization);

/// <summary>A request for a higher quota.</summary>
/// <param name="ProjectName">In its organization.</param>
/// <param name="Wanted">The limits asked for, by resource.</param>
/// <param name="Sentence">"16 vCPU and 32 GiB of memory".</param>
/// <param name="Answer">What whoever decided says about it.</param>
public sealed record QuotaRequestView(
    QuotaRequestId Id, ProjectId Project, string ProjectName, string Organization, IReadOnlyDictionary<string, long> Wanted, string Sentence, string Reason, QuotaRequestState State,
    string RequestedBy, DateTimeOffset CreatedAt, string? DecidedBy, DateTimeOffset? DecidedAt, string Answer, long Version);

/// <param name="BuiltIn">Every console has it, and it cannot be changed.</param>
/// <param name="Widest">"platform", "organization" or "project": the widest scope that it can be given on.</param>
public sealed record RoleView(string Name, string Title, string Meaning, bool BuiltIn, string Widest, IReadOnlyList<string> Permissions);

/// <summary>Somebody has a role somewhere.</summary>
/// <param name="SubjectKind">"user" or "client".</param>
/// <param name="SubjectName">Their name; the id where they are not here any more.</param>
/// <param name="Organization">Its name; null for the platform.</param>
/// <param name="Project">Its name; null for a whole organization and for the platform.</param>
/// <param name="Until">It counts no more from then on; null: until it is taken away.</param>
public sealed record RoleBindingView(
    RoleBindingId Id, string SubjectKind, string Subject, string SubjectName, string Role, string RoleTitle, string? Organization, string? Project, ProjectId? ProjectId, DateTimeOffset? Until, string CreatedBy, DateTimeOffset CreatedAt, long Version);

/// <summary>A role that the caller has.</summary>
/// <param name="Where">"the platform", "organization acme", "project web".</param>
public sealed record OwnRoleView(string Role, string Title, string Meaning, string Where, DateTimeOffset? Until);

/// <summary>A person who signs in.</summary>
/// <param name="Disabled">Every session has ended, and none can begin.</param>
/// <param name="AsksCode">A code of an app is asked besides their password.</param>
public sealed record UserView(UserId Id, string Name, bool Disabled, DateTimeOffset CreatedAt, DateTimeOffset? LastSignInAt, long Version, bool AsksCode = false);

/// <summary>A role that somebody asked for, for a few hours.</summary>
/// <param name="Where">"the platform", "organization acme", "project web".</param>
/// <param name="Until">When the role ends, once it is approved.</param>
public sealed record ElevationView(
    ElevationId Id, UserId User, string UserName, string Role, string RoleTitle, string Where, int Hours, string Reason, ElevationState State, DateTimeOffset AskedAt,
    string? DecidedBy, DateTimeOffset? DecidedAt, string Answer, DateTimeOffset? Until, bool MayDecide, bool MayEnd);

/// <summary>Somebody who may do what was asked about.</summary>
/// <param name="SubjectKind">"user" or "client".</param>
/// <param name="Where">What the role was given on: "organization acme".</param>
/// <param name="Until">It ends by itself then.</param>
public sealed record WhoView(string SubjectKind, string Subject, string SubjectName, string Role, string RoleTitle, string Where, DateTimeOffset? Until, string Sentence);

/// <summary>What somebody may do at one place.</summary>
/// <param name="Where">"the platform", "organization acme", "project web".</param>
/// <param name="Roles">By which: "project member on organization acme".</param>
public sealed record ReachView(string Where, string? Organization, ProjectId? Project, IReadOnlyList<string> Permissions, IReadOnlyList<string> Roles);

/// <summary>How somebody signs in.</summary>
/// <param name="PasswordSetAt">Null without a password.</param>
/// <param name="AuthenticatorSince">Since when a code is asked besides the password; null: none is.</param>
/// <param name="RecoveryCodes">How many are left.</param>
/// <param name="SignInAgain">Why changes would be refused now; null where they would not.</param>
public sealed record AccountView(UserId Id, string Name, DateTimeOffset? PasswordSetAt, DateTimeOffset? AuthenticatorSince, int RecoveryCodes, IReadOnlyList<PasskeyView> Passkeys, string? SignInAgain)
{
    /// <summary>Nothing but links from others.</summary>
    public bool HasNoWay => PasswordSetAt is null && Passkeys.Count == 0;
}

/// <param name="Synced">It is on other devices of the person too.</param>
public sealed record PasskeyView(PasskeyId Id, string Name, bool Synced, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt);

/// <summary>A browser in which somebody is signed in.</summary>
/// <param name="Method">"passkey", "password", "password and code", "sign-in link".</param>
/// <param name="LastSeenAt">To within five minutes.</param>
/// <param name="EndsAt">At the latest; earlier when it is not used for 12 hours.</param>
/// <param name="Current">The one that asks.</param>
public sealed record SessionView(SessionId Id, string Name, string Method, string? Address, DateTimeOffset CreatedAt, DateTimeOffset? LastSeenAt, DateTimeOffset EndsAt, bool Current);

/// <summary>A token that a person made for a program.</summary>
/// <param name="Role">It allows no more than this role, on <paramref name="Project"/>, <paramref name="Organization"/>, or else the platform; null: all that its owner may.</param>
public sealed record TokenView(SessionId Id, string Name, string? Role, string? Organization, string? Project, DateTimeOffset CreatedAt, DateTimeOffset? LastSeenAt, DateTimeOffset ExpiresAt, bool Expired);

/// <param name="Secret">To be sent as <c>Authorization: Bearer …</c>.</param>
public sealed record NewTokenView(TokenView Token, string Secret);

/// <summary>A program that somebody allowed to act for them.</summary>
/// <param name="EndsAt">It has to be allowed again then.</param>
public sealed record ProgramView(Guid Id, string Name, DateTimeOffset? AllowedAt, DateTimeOffset EndsAt);

/// <param name="Key">To be typed into an app, base32.</param>
/// <param name="Uri">The same for a QR code.</param>
public sealed record AuthenticatorSetupView(string Key, string Uri);

/// <param name="Codes">Each works once in place of a code of the app.</param>
public sealed record RecoveryCodesView(IReadOnlyList<string> Codes);

/// <summary>A sign-in link, shown once.</summary>
/// <param name="Path">To be opened at the address of this console; it signs in once.</param>
public sealed record SignInLinkView(UserView User, string Path, DateTimeOffset ExpiresAt);

/// <summary>Whether the caller may do something, and why not.</summary>
/// <param name="Reason">The sentence that the refusal would carry; of what is allowed, the role that allows it.</param>
public sealed record AccessAnswer(string Permission, string Where, bool Allowed, string Reason);

/// <summary>"Fits on k hosts", asked while a form is filled in. <paramref name="Sentence"/> is the engine's own.</summary>
/// <param name="OverQuota">Why it would be refused however much room there is; empty where it is within all limits.</param>
public sealed record FitView(int Hosts, int OfHosts, string Sentence, IReadOnlyList<ReasonCount> Reasons, IReadOnlyList<string> OverQuota);

/// <summary>The stored decision behind a VM's place.</summary>
public sealed record DecisionView(DecisionId Id, VmId Vm, DateTimeOffset At, PlacementDecision Decision);

/// <summary>Open a WebSocket on <paramref name="Path"/> within 30 s; the ticket works once, for this VM and this caller.</summary>
public sealed record ConsoleTicketView(string Ticket, string Path, DateTimeOffset ExpiresAt);

/// <summary>A join token is shown once, inside the command.</summary>
public sealed record JoinTokenView(JoinTokenId Id, string Description, DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt, HostId? Host, string? HostName);

public sealed record JoinCommandView(JoinTokenView Token, string Command, string Fingerprint);

/// <summary>The agents of all hosts.</summary>
/// <param name="Version">What this server hands out; null, with <paramref name="WhyNone"/>, where it hands out nothing.</param>
/// <param name="Digest">"sha256:" and 64 hex digits.</param>
/// <param name="Newest">The replacement under way, or the last one; null where there was none.</param>
public sealed record AgentFleetView(string? Version, string? Digest, long? SizeBytes, string? WhyNone, IReadOnlyList<AgentView> Items, OperationView? Newest);

/// <summary>A host's agent.</summary>
/// <param name="Version">Null before its first report.</param>
/// <param name="Previous">The version that the host keeps and can go back to; null where there is none.</param>
/// <param name="OnTrial">It is new; the former one goes on where it does not prove itself.</param>
/// <param name="Newer">The version that this server hands out, where it is newer.</param>
/// <param name="WhyNotUpgraded">Why it is not taken there now: goes on after the host's name. Null where it can be.</param>
/// <param name="WhyNotReverted">Why it does not go back now. Null where it can.</param>
/// <param name="Setback">The last version that was put back, with the reason.</param>
/// <param name="Roll">How far it is in the replacement under way, or was in the last one; null where it is not in it.</param>
public sealed record AgentView(
    HostId Host, string HostName, HostState HostState, bool Simulated, bool Connected, string? Version, string? Previous, bool OnTrial, string? Newer,
    string? WhyNotUpgraded, string? WhyNotReverted, string? Setback, AgentRollState? Roll, string? RollDetail);

public sealed record AuditEntryView(long Sequence, DateTimeOffset At, string Actor, string ActorKind, string Action, string Target, ProjectId? Project, string Outcome, string Detail, string? RemoteAddress, string? LeafHash);

/// <summary>A signed statement of the ledger's size and root, in C2SP signed-note form.</summary>
/// <param name="VerifierKey">The public key that verifies <paramref name="Note"/>, in the note's own text form; keep it elsewhere.</param>
public sealed record CheckpointView(long Size, string RootHash, string Note, DateTimeOffset At, string VerifierKey = "");

/// <summary>Something that a search has found.</summary>
/// <param name="Kind">"vm", "volume", "network", "storage-class", "host", "image", "flavor" or "operation".</param>
/// <param name="Project">The project's name, for things that belong to one.</param>
/// <param name="State">The state's word; empty for things without states.</param>
public sealed record SearchHit(string Kind, Guid Id, string? Project, string Name, string Detail, string State);

/// <summary>A list as its owner wants to see it again.</summary>
/// <param name="Query">What stands behind the question mark of the list's URL.</param>
public sealed record SavedViewView(SavedViewId Id, string List, string Name, string Query, DateTimeOffset CreatedAt);

/// <summary>One thing as it was.</summary>
/// <param name="Version">The version of the change log that held then.</param>
/// <param name="Now">As it is; null where it is gone without a trace.</param>
/// <param name="Since">When it had become what it was then.</param>
/// <param name="Before">Its change before that; null where there is none.</param>
/// <param name="After">Its next change; null where there is none.</param>
public sealed record Past<T>(DateTimeOffset At, long Version, T Then, T? Now, IReadOnlyList<Difference> Differences, DateTimeOffset Since, DateTimeOffset? Before, DateTimeOffset? After);

/// <summary>A window of a list as it was. <paramref name="Total"/> is the true number under the filters; the last two count without them.</summary>
public sealed record PastPage<T>(DateTimeOffset At, long Version, IReadOnlyList<PastItem<T>> Items, long Total, long AllThen, long AllNow);

public sealed record PastItem<T>(T Then, T? Now, IReadOnlyList<Difference> Differences);

/// <summary>"State": "running" then, "stopped" now.</summary>
public sealed record Difference(string What, string Then, string Now);

public sealed record OverviewView(
    int Hosts, int HostsReady, int HostsLost,
    int Vms, int VmsRunning, int VmsStopped, int VmsFailed, int VmsWaiting, int VmsLost,
    Resources Capacity, Resources Allocated,
    IReadOnlyList<ProblemView> Problems,
    IReadOnlyList<OperationView> RecentOperations,
    bool AnySimulated, bool AnyEmulated);

/// <summary>Something that is wrong now, worst first. <paramref name="Severity"/> "error" or "warning"; <paramref name="Href"/> leads to the thing.</summary>
public sealed record ProblemView(string Severity, string Title, string Detail, string Href, DateTimeOffset Since);

/// <summary>One metric of one thing, evenly spaced; null where nothing was measured (never interpolated).</summary>
public sealed record SeriesView(string Name, string Unit, DateTimeOffset From, int StepSeconds, IReadOnlyList<double?> Values, DateTimeOffset? NewestAt);

public enum SelfCheckState { Ok, Warning, Error }

/// <summary>One thing that the console watches about itself: how it stands, with numbers, and what to do where it is not well.</summary>
/// <param name="Since">When it last changed its state, as far as this start of the console knows.</param>
public sealed record SelfCheckView(string Name, string Title, SelfCheckState State, string Sentence, string Remedy, DateTimeOffset Since);

/// <summary>One server of this console.</summary>
/// <param name="Here">The one that answers.</param>
/// <param name="SeenAt">Its last sign of life.</param>
/// <param name="Silent">Too long ago: it is probably down, or cut off from the database.</param>
/// <param name="Images">Null until it has looked, and where only one server can be.</param>
public sealed record ServerView(ServerId Id, string Name, string PortalUrl, string HubUrl, string Version, bool Here, bool Leads, DateTimeOffset? LeadsSince, DateTimeOffset StartedAt, DateTimeOffset SeenAt, bool Silent, ServerImagesView? Images);

/// <summary>The bytes of images on one server.</summary>
/// <param name="Held">Ready images that it has.</param>
/// <param name="Lacking">Ready images that it does not have: until it does, hosts get them from other servers only.</param>
/// <param name="Reason">What it does about those, or why it cannot; null where it lacks none.</param>
public sealed record ServerImagesView(int Held, int Lacking, string? Reason);

/// <summary>How the console itself is.</summary>
/// <param name="Servers">All that serve this console's database, by name.</param>
/// <param name="CheckedAt">The look that the checks are of; null until the first one after a start.</param>
/// <param name="Checks">Empty until then.</param>
public sealed record UpkeepView(string Version, DateTimeOffset? CheckedAt, IReadOnlyList<SelfCheckView> Checks, IReadOnlyList<ServerView> Servers);

/// <summary>A zip archive for those who look into a fault; nothing in it is secret.</summary>
public sealed record DiagnosticsView(string FileName, byte[] Content);
