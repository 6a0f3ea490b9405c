using Plinth.Core.Audit;
using Plinth.Core.Primitives;

namespace Plinth.Web.Application;

// The use cases, as pages, API and hubs call them: permission, validation and audit happen behind these, once.

/// <summary>Life of virtual machines. <c>project</c> is a name or an id everywhere.</summary>
public interface IVirtualMachines
{
    Task<Result<Page<VmView>>> List(Caller caller, string project, VmQuery query, Window window, CancellationToken stop);
    Task<Result<VmView>> Get(Caller caller, string project, VmId vm, CancellationToken stop);
    /// <summary>Everything a create would check, without doing it. Refusals are the same as create's.</summary>
    Task<Result<FitView>> Fit(Caller caller, string project, CreateVm request, CancellationToken stop);
    Task<Result<OperationView>> Create(Caller caller, string project, CreateVm request, string? idempotencyKey, CancellationToken stop);
    Task<Result<VmView>> Update(Caller caller, string project, VmId vm, UpdateVm request, long? expectedVersion, CancellationToken stop);
    Task<Result<OperationView>> Start(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Stop(Caller caller, string project, VmId vm, StopVm request, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Reboot(Caller caller, string project, VmId vm, RebootVm request, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Pause(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Resume(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop);
    /// <summary>Online where the guest can, otherwise from the next start on: the operation's step says which and why.</summary>
    Task<Result<OperationView>> Resize(Caller caller, string project, VmId vm, ResizeVm request, string? idempotencyKey, CancellationToken stop);
    /// <summary>It is stopped and can be restored for a while; then, or with <paramref name="atOnce"/> now, its disk is removed.</summary>
    Task<Result<OperationView>> Delete(Caller caller, string project, VmId vm, bool atOnce, long? expectedVersion, string? idempotencyKey, CancellationToken stop);
    /// <summary>Undoes a deletion: what was running runs again.</summary>
    Task<Result<OperationView>> Restore(Caller caller, string project, VmId vm, string? idempotencyKey, CancellationToken stop);
    /// <summary>Why the caller may not have a console of this VM open any longer; null while they may. Asked of somebody who knows the VM.</summary>
    Task<Refusal?> WhyNoConsole(Caller caller, VmId vm, CancellationToken stop);
    Task<Result<DecisionView>> Decision(Caller caller, string project, VmId vm, CancellationToken stop);
    Task<Result<ConsoleTicketView>> OpenConsole(Caller caller, string project, VmId vm, OpenVmConsole request, CancellationToken stop);
    /// <summary>Names: "cpu", "steal", "memory", "disk-read", "disk-write", "net-receive", "net-transmit".</summary>
    Task<Result<IReadOnlyList<SeriesView>>> Metrics(Caller caller, string project, VmId vm, TimeSpan range, CancellationToken stop);
}

/// <summary>A VM's root disk as a whole.</summary>
public interface IRootDisks
{
    /// <summary>
    /// A fresh root disk from an image. Name, id, addresses, volumes, place and size stay; what is on the former disk, and its snapshots, are lost.
    /// What runs is stopped as a stop does it and started again.
    /// </summary>
    Task<Result<OperationView>> Rebuild(Caller caller, string project, VmId vm, RebuildVm request, long? expectedVersion, string? idempotencyKey, CancellationToken stop);
    /// <summary>
    /// A new VM whose root disk is a whole copy of this one's, which is stopped, on the same host. Name, id and addresses are its own, and its guest sets itself up
    /// anew; volumes and snapshots are not copied.
    /// </summary>
    Task<Result<OperationView>> Clone(Caller caller, string project, VmId vm, CloneVm request, long? expectedVersion, string? idempotencyKey, CancellationToken stop);
}

/// <summary>Snapshots of a VM: its own disk, and its memory where it is on.</summary>
public interface ISnapshots
{
    Task<Result<IReadOnlyList<SnapshotView>>> List(Caller caller, string project, VmId vm, CancellationToken stop);
    Task<Result<OperationView>> Take(Caller caller, string project, VmId vm, TakeSnapshot request, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Revert(Caller caller, string project, VmId vm, SnapshotId snapshot, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Remove(Caller caller, string project, VmId vm, SnapshotId snapshot, string? idempotencyKey, CancellationToken stop);
}

/// <summary>Network interfaces of a VM, which come and go while it runs too.</summary>
public interface IInterfaces
{
    Task<Result<IReadOnlyList<VmNetworkView>>> List(Caller caller, string project, VmId vm, CancellationToken stop);
    /// <param name="expectedVersion">The VM's, as the caller saw it; refused when it has changed since.</param>
    Task<Result<OperationView>> Add(Caller caller, string project, VmId vm, AddInterface request, long? expectedVersion, string? idempotencyKey, CancellationToken stop);
    /// <summary>A running guest is asked to release it. Its address is free once its host reports it gone.</summary>
    Task<Result<OperationView>> Remove(Caller caller, string project, VmId vm, string mac, long? expectedVersion, string? idempotencyKey, CancellationToken stop);
}

/// <summary>One act for many VMs, with an answer for each.</summary>
public interface IBulkActs
{
    Task<Result<Page<BulkItemView>>> Act(Caller caller, string project, BulkAct request, string? idempotencyKey, CancellationToken stop);
}

/// <summary>Volumes: disks of their own. <c>project</c> is a name or an id everywhere.</summary>
public interface IVolumes
{
    Task<Result<Page<VolumeView>>> List(Caller caller, string project, VolumeQuery query, Window window, CancellationToken stop);
    Task<Result<VolumeView>> Get(Caller caller, string project, VolumeId volume, CancellationToken stop);
    Task<Result<OperationView>> Create(Caller caller, string project, CreateVolume request, string? idempotencyKey, CancellationToken stop);
    Task<Result<VolumeView>> Update(Caller caller, string project, VolumeId volume, UpdateVolume request, long? expectedVersion, CancellationToken stop);
    Task<Result<OperationView>> Attach(Caller caller, string project, VolumeId volume, AttachVolume request, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Detach(Caller caller, string project, VolumeId volume, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Resize(Caller caller, string project, VolumeId volume, ResizeVolume request, string? idempotencyKey, CancellationToken stop);
    Task<Result<OperationView>> Delete(Caller caller, string project, VolumeId volume, long? expectedVersion, string? idempotencyKey, CancellationToken stop);
}

public interface IHosts
{
    Task<Result<Page<HostView>>> List(Caller caller, HostQuery query, Window window, CancellationToken stop);
    Task<Result<HostView>> Get(Caller caller, HostId host, CancellationToken stop);
    /// <summary>Names: "cpu", "memory", "disk", "load".</summary>
    Task<Result<IReadOnlyList<SeriesView>>> Metrics(Caller caller, HostId host, TimeSpan range, CancellationToken stop);
    /// <summary>What is on it, of all projects that the caller may read, by name.</summary>
    Task<Result<Page<VmView>>> Vms(Caller caller, HostId host, Window window, CancellationToken stop);
    /// <summary>Take a quarantined host whose agent is ahead of this console (restored from a backup): its generation is adopted, explicitly.</summary>
    Task<Result<HostView>> Adopt(Caller caller, HostId host, CancellationToken stop);
    /// <summary>Refused while VMs are on the host. Its certificate is not accepted any more.</summary>
    Task<Result<HostView>> Retire(Caller caller, HostId host, CancellationToken stop);
}

/// <summary>
/// The fleet as it was, rebuilt from the change log, and compared with now. A moment in the future, before the log or older than it
/// is kept is refused. Heartbeats are not logged: ages of observations are those of the last logged change.
/// </summary>
public interface IHistory
{
    Task<Result<PastPage<VmView>>> Vms(Caller caller, string project, DateTimeOffset at, VmQuery query, Window window, CancellationToken stop);
    Task<Result<Past<VmView>>> Vm(Caller caller, string project, VmId vm, DateTimeOffset at, CancellationToken stop);
    Task<Result<PastPage<HostView>>> Hosts(Caller caller, DateTimeOffset at, HostQuery query, Window window, CancellationToken stop);
    Task<Result<Past<HostView>>> Host(Caller caller, HostId host, DateTimeOffset at, CancellationToken stop);
}

public interface IOperations
{
    Task<Result<Page<OperationView>>> List(Caller caller, OperationQuery query, Window window, CancellationToken stop);
    Task<Result<OperationView>> Get(Caller caller, OperationId operation, CancellationToken stop);
    Task<Result<OperationView>> Cancel(Caller caller, OperationId operation, CancellationToken stop);
}

public interface ICatalogue
{
    Task<Result<Page<ImageView>>> Images(Caller caller, Window window, CancellationToken stop);
    Task<Result<ImageView>> Image(Caller caller, ImageId image, CancellationToken stop);
    Task<Result<ImageView>> CreateImage(Caller caller, CreateImage request, string? idempotencyKey, CancellationToken stop);
    /// <summary>Takes the bytes, checks size and digest, and only then makes the image ready.</summary>
    Task<Result<ImageView>> PutImageContent(Caller caller, ImageId image, Stream content, CancellationToken stop);
    Task<Result<Done>> DeleteImage(Caller caller, ImageId image, CancellationToken stop);
    Task<Result<Page<FlavorView>>> Flavors(Caller caller, Window window, CancellationToken stop);
    Task<Result<FlavorView>> CreateFlavor(Caller caller, CreateFlavor request, string? idempotencyKey, CancellationToken stop);
    Task<Result<Done>> DeleteFlavor(Caller caller, FlavorId flavor, CancellationToken stop);
}

/// <summary>Storage classes: what disks may ask of a pool, and how much they may do.</summary>
public interface IStorageClasses
{
    Task<Result<IReadOnlyList<StorageClassView>>> List(Caller caller, CancellationToken stop);
    Task<Result<StorageClassView>> Get(Caller caller, StorageClassId storageClass, CancellationToken stop);
    /// <summary>Every host with the reason why its pool fits or not, and how its disks keep to the limits.</summary>
    Task<Result<IReadOnlyList<StorageClassHostView>>> Hosts(Caller caller, StorageClassId storageClass, CancellationToken stop);
    Task<Result<StorageClassView>> Create(Caller caller, CreateStorageClass request, string? idempotencyKey, CancellationToken stop);
    /// <summary>Other limits reach running guests at once.</summary>
    Task<Result<StorageClassView>> Update(Caller caller, StorageClassId storageClass, UpdateStorageClass request, long? expectedVersion, CancellationToken stop);
    /// <summary>Refused while disks are in it.</summary>
    Task<Result<Done>> Delete(Caller caller, StorageClassId storageClass, CancellationToken stop);
}

/// <summary>The networks of a project, on the hosts that have guests on them.</summary>
public interface INetworks
{
    Task<Result<IReadOnlyList<NetworkView>>> List(Caller caller, string project, CancellationToken stop);
    Task<Result<NetworkView>> Get(Caller caller, string project, NetworkId network, CancellationToken stop);
    Task<Result<IReadOnlyList<NetworkMemberView>>> Members(Caller caller, string project, NetworkId network, CancellationToken stop);
    Task<Result<NetworkView>> Create(Caller caller, string project, CreateNetwork request, string? idempotencyKey, CancellationToken stop);
    Task<Result<NetworkView>> Update(Caller caller, string project, NetworkId network, UpdateNetwork request, long? expectedVersion, CancellationToken stop);
    /// <summary>Refused while VMs are on it.</summary>
    Task<Result<Done>> Delete(Caller caller, string project, NetworkId network, CancellationToken stop);
    /// <param name="expectedVersion">The VM's, as the caller saw it; refused when it has changed since.</param>
    Task<Result<Done>> SetInterfaceRules(Caller caller, string project, VmId vm, string mac, SetInterfaceRules request, long? expectedVersion, CancellationToken stop);
}

/// <summary>The tree of tenants: organizations and their projects. Both are named by name or id everywhere.</summary>
public interface ITenancy
{
    /// <summary>Those that the caller has a role in.</summary>
    Task<Result<IReadOnlyList<OrganizationView>>> Organizations(Caller caller, CancellationToken stop);
    Task<Result<OrganizationView>> Organization(Caller caller, string organization, CancellationToken stop);
    Task<Result<OrganizationView>> CreateOrganization(Caller caller, CreateOrganization request, string? idempotencyKey, CancellationToken stop);
    Task<Result<OrganizationView>> UpdateOrganization(Caller caller, string organization, UpdateTenant request, long? expectedVersion, CancellationToken stop);
    /// <summary>Refused while it has projects.</summary>
    Task<Result<Done>> DeleteOrganization(Caller caller, string organization, CancellationToken stop);
    /// <summary>Those that the caller has a role in.</summary>
    Task<Result<IReadOnlyList<ProjectView>>> Projects(Caller caller, CancellationToken stop);
    Task<Result<ProjectView>> Project(Caller caller, string project, CancellationToken stop);
    /// <summary>It comes with a network of its own.</summary>
    Task<Result<ProjectView>> CreateProject(Caller caller, CreateProject request, string? idempotencyKey, CancellationToken stop);
    Task<Result<ProjectView>> UpdateProject(Caller caller, string project, UpdateTenant request, long? expectedVersion, CancellationToken stop);
    /// <summary>Refused while VMs or volumes are in it. Its past stays readable.</summary>
    Task<Result<Done>> DeleteProject(Caller caller, string project, CancellationToken stop);
}

/// <summary>How much projects and organizations have and may have.</summary>
public interface IQuotas
{
    /// <summary>Of the project, and of its organization as far as that binds it.</summary>
    Task<Result<ProjectQuotaView>> OfProject(Caller caller, string project, CancellationToken stop);
    Task<Result<QuotaView>> OfOrganization(Caller caller, string organization, CancellationToken stop);
    /// <summary>Limits are replaced as a whole. Less than is in use takes nothing away: nothing more is given.</summary>
    Task<Result<ProjectQuotaView>> SetProject(Caller caller, string project, SetQuota request, long? expectedVersion, CancellationToken stop);
    Task<Result<QuotaView>> SetOrganization(Caller caller, string organization, SetQuota request, long? expectedVersion, CancellationToken stop);
}

/// <summary>Requests for higher quotas, and the decisions about them.</summary>
public interface IQuotaRequests
{
    /// <summary>Those of a project, the newest first.</summary>
    Task<Result<IReadOnlyList<QuotaRequestView>>> OfProject(Caller caller, string project, CancellationToken stop);
    /// <summary>Those that wait for the caller to decide, the oldest first.</summary>
    Task<Result<IReadOnlyList<QuotaRequestView>>> Waiting(Caller caller, CancellationToken stop);
    Task<Result<QuotaRequestView>> Ask(Caller caller, string project, AskForQuota request, string? idempotencyKey, CancellationToken stop);
    /// <summary>Raises the limits; those that are as high by now, or gone, stay.</summary>
    Task<Result<QuotaRequestView>> Grant(Caller caller, string project, QuotaRequestId request, AnswerQuota answer, CancellationToken stop);
    Task<Result<QuotaRequestView>> Refuse(Caller caller, string project, QuotaRequestId request, AnswerQuota answer, CancellationToken stop);
    Task<Result<QuotaRequestView>> Withdraw(Caller caller, string project, QuotaRequestId request, CancellationToken stop);
}

/// <summary>Who may do what where, and why.</summary>
public interface IAccess
{
    Task<Result<IReadOnlyList<RoleView>>> Roles(Caller caller, CancellationToken stop);
    Task<Result<RoleView>> CreateRole(Caller caller, CreateRole request, string? idempotencyKey, CancellationToken stop);
    /// <summary>Refused while somebody has it.</summary>
    Task<Result<Done>> DeleteRole(Caller caller, string role, CancellationToken stop);
    /// <summary>Roles that were given, of the scopes that the caller may read: by scope (what counts there, from wherever it comes) or by person.</summary>
    Task<Result<IReadOnlyList<RoleBindingView>>> Bindings(Caller caller, BindingQuery query, CancellationToken stop);
    /// <summary>Nobody gives more than they have.</summary>
    Task<Result<RoleBindingView>> Bind(Caller caller, BindRole request, string? idempotencyKey, CancellationToken stop);
    /// <summary>Counts at once. The last who can give roles on the platform keeps theirs.</summary>
    Task<Result<Done>> Unbind(Caller caller, RoleBindingId binding, CancellationToken stop);
    /// <summary>Whether the caller may do this, and why: every permission there is, or one.</summary>
    Task<Result<IReadOnlyList<AccessAnswer>>> Mine(Caller caller, string? permission, string? project, CancellationToken stop);
    /// <summary>
    /// Whether the caller may do this now: in the project, or without one wherever they may; asked again while something stays open. The project's id, where there is one.
    /// </summary>
    Task<Result<ProjectId?>> Allowed(Caller caller, string permission, string? project, CancellationToken stop);
    /// <summary>The roles that the caller has now.</summary>
    Task<Result<IReadOnlyList<OwnRoleView>>> MyRoles(Caller caller, CancellationToken stop);
    Task<Result<IReadOnlyList<UserView>>> Users(Caller caller, CancellationToken stop);
    /// <summary>A new person with a role, and the link that signs them in once.</summary>
    Task<Result<SignInLinkView>> Invite(Caller caller, InviteUser request, CancellationToken stop);
    /// <summary>Another link for somebody who is here already; former ones stop working.</summary>
    Task<Result<SignInLinkView>> NewLink(Caller caller, UserId user, CancellationToken stop);
    /// <summary>For somebody who lost app and recovery codes: no code is asked of them any more, until they set up another.</summary>
    Task<Result<UserView>> ResetSecondFactor(Caller caller, UserId user, CancellationToken stop);
    /// <summary>Ends every session of the person at once, and lets none begin, or lifts that.</summary>
    Task<Result<UserView>> Disable(Caller caller, UserId user, bool disabled, CancellationToken stop);
}

/// <summary>Answers about who may do what, for those who look after it.</summary>
public interface IAccessQuestions
{
    /// <summary>Everybody who may do this there, and by which role; the platform where neither organization nor project is named.</summary>
    Task<Result<IReadOnlyList<WhoView>>> Who(Caller caller, WhoQuery query, CancellationToken stop);
    /// <summary>Where a person or API client may do what, and by which roles, as far as the caller may know.</summary>
    Task<Result<IReadOnlyList<ReachView>>> Reach(Caller caller, string? subject, CancellationToken stop);
}

/// <summary>Roles for a few hours, when something burns: asked for with a reason, approved by a second person, over by themselves (break-glass).</summary>
public interface IElevations
{
    /// <summary>The caller's own, and those of others where the caller reads who may do what; the newest first.</summary>
    Task<Result<IReadOnlyList<ElevationView>>> List(Caller caller, CancellationToken stop);
    Task<Result<ElevationView>> Ask(Caller caller, AskForRole request, CancellationToken stop);
    /// <summary>By somebody else, who could give the role themselves.</summary>
    Task<Result<ElevationView>> Approve(Caller caller, ElevationId elevation, DecideElevation answer, CancellationToken stop);
    Task<Result<ElevationView>> Refuse(Caller caller, ElevationId elevation, DecideElevation answer, CancellationToken stop);
    /// <summary>Withdraws it, gives the role back, or takes it away.</summary>
    Task<Result<ElevationView>> End(Caller caller, ElevationId elevation, CancellationToken stop);
}

/// <summary>The caller's own account: how they sign in, where they are signed in, tokens for programs. Changing how needs a sign-in of the last minutes.</summary>
public interface IAccount
{
    Task<Result<AccountView>> Get(Caller caller, CancellationToken stop);
    /// <summary>Ends the caller's other sessions.</summary>
    Task<Result<AccountView>> SetPassword(Caller caller, SetPassword request, CancellationToken stop);
    /// <summary>And the authenticator app with it. Needs the password.</summary>
    Task<Result<AccountView>> RemovePassword(Caller caller, string? current, CancellationToken stop);
    /// <summary>A key for an app; it counts once a code of it has been given.</summary>
    Task<Result<AuthenticatorSetupView>> BeginAuthenticator(Caller caller, CancellationToken stop);
    /// <summary>From now on a code is asked besides the password. The recovery codes are shown this once.</summary>
    Task<Result<RecoveryCodesView>> ConfirmAuthenticator(Caller caller, string? code, CancellationToken stop);
    /// <summary>In place of those that are left.</summary>
    Task<Result<RecoveryCodesView>> NewRecoveryCodes(Caller caller, CancellationToken stop);
    Task<Result<AccountView>> RemoveAuthenticator(Caller caller, CancellationToken stop);
    /// <summary>Whether the sign-in is fresh enough to change how one signs in, or to let a program act for oneself.</summary>
    Task<Result<Done>> MayChange(Caller caller, CancellationToken stop);
    /// <param name="passkey">Checked by whoever asked the browser for it.</param>
    Task<Result<AccountView>> AddPasskey(Caller caller, string? name, StoredPasskey passkey, CancellationToken stop);
    Task<Result<AccountView>> RemovePasskey(Caller caller, PasskeyId passkey, CancellationToken stop);
    /// <summary>Browsers in which the caller is signed in; this one first.</summary>
    Task<Result<IReadOnlyList<SessionView>>> Sessions(Caller caller, CancellationToken stop);
    /// <summary>Signs a browser out, or revokes a token; open pages, watches and consoles of it end too.</summary>
    Task<Result<Done>> EndSession(Caller caller, SessionId session, CancellationToken stop);
    Task<Result<Done>> EndOtherSessions(Caller caller, CancellationToken stop);
    Task<Result<IReadOnlyList<TokenView>>> Tokens(Caller caller, CancellationToken stop);
    /// <summary>The secret is shown this once.</summary>
    Task<Result<NewTokenView>> CreateToken(Caller caller, CreateToken request, CancellationToken stop);
    /// <summary>Programs that the caller has allowed to act for them.</summary>
    Task<Result<IReadOnlyList<ProgramView>>> Programs(Caller caller, CancellationToken stop);
    Task<Result<Done>> RevokeProgram(Caller caller, Guid program, CancellationToken stop);
    /// <summary>Somebody else's, for those who look after the platform.</summary>
    Task<Result<IReadOnlyList<SessionView>>> SessionsOf(Caller caller, UserId user, CancellationToken stop);
    /// <summary>Every session, token and program of somebody.</summary>
    Task<Result<Done>> EndSessionsOf(Caller caller, UserId user, CancellationToken stop);
}

public interface IAgents
{
    Task<Result<Page<JoinTokenView>>> JoinTokens(Caller caller, Window window, CancellationToken stop);
    Task<Result<JoinCommandView>> CreateJoinToken(Caller caller, CreateJoinToken request, string? idempotencyKey, CancellationToken stop);
    Task<Result<Done>> RevokeJoinToken(Caller caller, JoinTokenId token, CancellationToken stop);
}

/// <summary>Agents that are replaced from here, host after host; each keeps the version it came from.</summary>
public interface IAgentUpgrades
{
    /// <summary>The version that this server hands out, what every host has, and the newest replacement.</summary>
    Task<Result<AgentFleetView>> Fleet(Caller caller, CancellationToken stop);
    /// <summary>Takes agents to the version that is handed out. Never to an older one than they have.</summary>
    Task<Result<OperationView>> Upgrade(Caller caller, ReplaceAgents request, string? idempotencyKey, CancellationToken stop);
    /// <summary>Takes agents back to the previous version, which each host has kept.</summary>
    Task<Result<OperationView>> Revert(Caller caller, ReplaceAgents request, string? idempotencyKey, CancellationToken stop);
}

public interface IAuditLog
{
    Task<Result<Page<AuditEntryView>>> List(Caller caller, AuditQuery query, Window window, CancellationToken stop);
    /// <summary>The newest signed checkpoint; null while the ledger is empty.</summary>
    Task<Result<CheckpointView?>> Checkpoint(Caller caller, CancellationToken stop);
    /// <summary>Hashes from the entry's leaf to the root of the checkpoint of that size, base64.</summary>
    Task<Result<IReadOnlyList<string>>> InclusionProof(Caller caller, long sequence, long size, CancellationToken stop);
    Task<Result<IReadOnlyList<string>>> ConsistencyProof(Caller caller, long from, long to, CancellationToken stop);
    /// <summary>The whole ledger, line by line, up to a fresh checkpoint; <c>plinth-console audit verify</c> judges it offline.</summary>
    Task<Result<IAsyncEnumerable<string>>> Export(Caller caller, CancellationToken stop);
    /// <summary>Hashes of a tile (C2SP tlog-tiles), 32 bytes each; null where there is none of that width.</summary>
    Task<Result<byte[]?>> Tile(Caller caller, TileAddress tile, CancellationToken stop);
    /// <summary>The entries of a tile as they are hashed, each after its length in two bytes.</summary>
    Task<Result<byte[]?>> TileEntries(Caller caller, TileAddress tile, CancellationToken stop);
    /// <summary>The newest checkpoint, as a signed note; empty while there is none. It says how long the ledger is and nothing of what is in it.</summary>
    Task<string> PublicCheckpoint(CancellationToken stop);
}

/// <summary>One search over everything that has a name.</summary>
public interface ISearch
{
    /// <summary>Things whose name, description or labels hold all words of <paramref name="q"/>, or that have this id; best first, of what the caller may read.</summary>
    Task<Result<Page<SearchHit>>> Find(Caller caller, string? q, int limit, CancellationToken stop);
}

/// <summary>What belongs to the caller alone: how the portal looks, and the lists they want to see again.</summary>
public interface IPersonal
{
    /// <summary>Every choice there is with its value; a default where nothing was chosen.</summary>
    Task<Result<IReadOnlyDictionary<string, string>>> Preferences(Caller caller, CancellationToken stop);
    Task<Result<IReadOnlyDictionary<string, string>>> Prefer(Caller caller, string key, string? value, CancellationToken stop);
    /// <param name="list">"vms", "hosts", "operations"; null for all.</param>
    Task<Result<IReadOnlyList<SavedViewView>>> Views(Caller caller, string? list, CancellationToken stop);
    /// <summary>A view of the same list and name is replaced.</summary>
    Task<Result<SavedViewView>> SaveView(Caller caller, SaveView request, CancellationToken stop);
    Task<Result<Done>> DeleteView(Caller caller, SavedViewId view, CancellationToken stop);
}

public interface IOverview
{
    Task<Result<OverviewView>> Get(Caller caller, CancellationToken stop);
}

/// <summary>The console itself, as those who run it need it.</summary>
public interface IUpkeep
{
    Task<Result<UpkeepView>> Get(Caller caller, CancellationToken stop);
    /// <summary>Versions, settings without secrets, checks, counts, facts of hosts, recent log.</summary>
    Task<Result<DiagnosticsView>> Diagnostics(Caller caller, CancellationToken stop);
}
