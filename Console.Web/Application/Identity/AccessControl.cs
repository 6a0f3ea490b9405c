using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <summary>
/// The one place where use cases ask who may do what. Rights are read at each question, so that what changes counts at once, on every server.
/// What is not there and what is not the caller's get the same answer.
/// </summary>
internal sealed class AccessControl(IConsoleStore store, TimeProvider time)
{
    /// <summary>What the caller may do now.</summary>
    public async Task<Rights> Of(ConsoleDb db, Principal principal, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        if (principal.Kind is not (PrincipalKind.User or PrincipalKind.Client)) return new Rights(principal, [], now);
        var session = principal.Session is { } came ? await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == came, stop) : null;
        // Whoever was signed in is a stranger again.
        if (principal.Session is not null && session?.IsOpen(now) != true) return new Rights(Principal.Anonymous, [], now);
        var bound = await Bound(db, db.RoleBindings.Where(b => b.SubjectKind == principal.Kind && b.Subject == principal.Id), session?.Role, stop);
        return new Rights(principal, bound.Grants.Select(b => b.Grant), now, session is { Kind: SessionKind.Token } ? await Limit(db, session, bound.Own, stop) : null);
    }

    /// <summary>What everybody may do now whom these roles were given to.</summary>
    public async Task<IReadOnlyList<(PrincipalKind Kind, string Subject, Rights Rights)>> OfAll(ConsoleDb db, IQueryable<RoleBindingRow> bindings, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        return [.. (await Bound(db, bindings, null, stop)).Grants.GroupBy(b => (b.Kind, b.Subject), b => b.Grant).Select(g => (g.Key.Kind, g.Key.Subject, new Rights(new Principal(g.Key.Kind, g.Key.Subject, g.Key.Subject), g, now)))];
    }

    /// <summary>Roles that were given, of all who are not shut out, and the roles that were made here, where one of them is needed.</summary>
    private static async Task<(IReadOnlyList<(PrincipalKind Kind, string Subject, Grant Grant)> Grants, IReadOnlyDictionary<string, Role> Own)> Bound(ConsoleDb db, IQueryable<RoleBindingRow> bindings, string? role, CancellationToken stop)
    {
        var bound = await bindings.AsNoTracking().Select(b => new
        {
            b.SubjectKind, b.Subject, b.Role, b.Organization, b.Project, b.Until,
            OrganizationName = db.Organizations.Where(o => o.Id == b.Organization).Select(o => o.Name).FirstOrDefault(),
            ProjectName = db.Projects.Where(p => p.Id == b.Project).Select(p => p.Name).FirstOrDefault(),
        }).ToListAsync(stop);
        var people = bound.Where(b => b.SubjectKind == PrincipalKind.User && Guid.TryParse(b.Subject, out _)).Select(b => new UserId(Guid.Parse(b.Subject))).Distinct().ToArray();
        var shut = people.Length == 0 ? [] : (await db.Users.Where(u => u.Disabled && people.Contains(u.Id)).Select(u => u.Id).ToListAsync(stop)).Select(u => u.ToString()).ToHashSet();
        var own = bound.All(b => BuiltIn.ContainsKey(b.Role)) && (role is null || BuiltIn.ContainsKey(role)) ? [] : await db.Roles.AsNoTracking().ToDictionaryAsync(r => r.Name, RoleViews.Role, stop);
        return
        (
            [
                .. bound.Where(b => !shut.Contains(b.Subject)).Select(b => (Row: b, Role: BuiltIn.GetValueOrDefault(b.Role) ?? own.GetValueOrDefault(b.Role))).Where(b => b.Role is not null)
                    .Select(b => (b.Row.SubjectKind, b.Row.Subject, new Grant(b.Role!, ScopeOf(b.Row.Organization, b.Row.Project), Where(b.Row.OrganizationName, b.Row.ProjectName), b.Row.Until))),
            ],
            own
        );
    }

    // A role that is no more allows nothing.
    private static async Task<TokenLimit> Limit(ConsoleDb db, SessionRow token, IReadOnlyDictionary<string, Role> own, CancellationToken stop) => new(token.Name, token.Role is null ? null : new Grant(
        BuiltIn.GetValueOrDefault(token.Role) ?? own.GetValueOrDefault(token.Role) ?? new Role(token.Role, token.Role, "", ScopeKind.Project, System.Collections.Frozen.FrozenSet<string>.Empty), ScopeOf(token.Organization, token.Project),
        Where(await db.Organizations.Where(o => o.Id == token.Organization).Select(o => o.Name).FirstOrDefaultAsync(stop), await db.Projects.Where(p => p.Id == token.Project).Select(p => p.Name).FirstOrDefaultAsync(stop))));

    /// <summary>Why the caller may not do this to the platform; null where they may.</summary>
    public async Task<Refusal?> Check(ConsoleDb db, Caller caller, string permission, CancellationToken stop) =>
        (await Of(db, caller.Principal, stop)).Check(permission);

    public async Task<Refusal?> Check(Caller caller, string permission, CancellationToken stop)
    {
        await using var db = store.Read();
        return await Check(db, caller, permission, stop);
    }

    /// <summary>What the caller is shown of things that the operator sees whole.</summary>
    public async Task<Veil> Veil(ConsoleDb db, Caller caller, CancellationToken stop) => await Identity.Veil.For(db, await Of(db, caller.Principal, stop), stop);

    /// <summary>Why the caller may not choose a host by <paramref name="host"/>; null where they may, or do not. Which hosts there are is the operator's business.</summary>
    public async Task<Refusal?> Names(ConsoleDb db, Caller caller, string? host, CancellationToken stop) =>
        string.IsNullOrEmpty(host) || await Check(db, caller, Permissions.HostRead, stop) is null ? null : Refusal.Invalid("host", "host_not_chosen", "The host is found for you; leave host out.");

    /// <summary>The project of that name or id, if the caller has this permission there.</summary>
    public async Task<Result<ProjectRow>> Project(ConsoleDb db, Caller caller, string permission, string nameOrId, CancellationToken stop)
    {
        var rights = await Of(db, caller.Principal, stop);
        if (rights.Principal.Kind is PrincipalKind.Anonymous or PrincipalKind.Agent) return rights.Check(permission)!;
        var found = await Seen(db, rights, nameOrId, stop);
        if (!found.Succeeded) return found;
        return rights.Check(permission, ScopeOf(found.Value), $"project {found.Value.Name}") is { } no ? no : found;
    }

    /// <summary>The project of that name or id, if it is there as far as somebody with these rights can tell.</summary>
    public async Task<Result<ProjectRow>> Seen(ConsoleDb db, Rights rights, string nameOrId, CancellationToken stop)
    {
        var named = NameRules.IsName(nameOrId) ? await db.Projects.Where(p => p.Name == nameOrId && p.DeletedAt == null).ToListAsync(stop) : [];
        if (Guid.TryParse(nameOrId, out var id)) named = [.. named, .. await db.Projects.Where(p => p.Id == new ProjectId(id) && p.DeletedAt == null).ToListAsync(stop)];
        var seen = named.Where(p => rights.Sees(ScopeOf(p))).ToList();
        if (seen.Count == 0) return NoProject(nameOrId);
        if (seen.Count > 1)
            return Refusal.Invalid("project", "project_ambiguous", $"{seen.Count} projects of yours are named {nameOrId}, in different organizations: give the id of the one you mean ({string.Join(", ", seen.Select(p => p.Id))}).");
        return seen[0];
    }

    /// <summary>The organization of that name or id, if the caller has this permission there.</summary>
    public async Task<Result<OrganizationRow>> Organization(ConsoleDb db, Caller caller, string permission, string nameOrId, CancellationToken stop)
    {
        var rights = await Of(db, caller.Principal, stop);
        if (rights.Principal.Kind is PrincipalKind.Anonymous or PrincipalKind.Agent) return rights.Check(permission)!;
        var found = await SeenOrganization(db, rights, nameOrId, stop);
        if (!found.Succeeded) return found;
        return rights.Check(permission, Scope.Of(found.Value.Id), $"organization {found.Value.Name}") is { } no ? no : found;
    }

    /// <summary>The organization of that name or id, if it is there as far as somebody with these rights can tell.</summary>
    public async Task<Result<OrganizationRow>> SeenOrganization(ConsoleDb db, Rights rights, string nameOrId, CancellationToken stop)
    {
        var row = NameRules.IsName(nameOrId) ? await db.Organizations.SingleOrDefaultAsync(o => o.Name == nameOrId && o.DeletedAt == null, stop) : null;
        if (row is null && Guid.TryParse(nameOrId, out var id)) row = await db.Organizations.SingleOrDefaultAsync(o => o.Id == new OrganizationId(id) && o.DeletedAt == null, stop);
        if (row is null || !(rights.Sees(Scope.Of(row.Id)) || await SeesOneOf(db, rights, row.Id, stop))) return NoOrganization(nameOrId);
        return row;
    }

    /// <summary>The organization of that name or id, if the caller has this permission there or in one of its projects.</summary>
    public async Task<Result<OrganizationRow>> OrganizationOrPart(ConsoleDb db, Rights rights, string permission, string nameOrId, CancellationToken stop)
    {
        if (rights.Principal.Kind is PrincipalKind.Anonymous or PrincipalKind.Agent) return rights.Check(permission)!;
        var found = await SeenOrganization(db, rights, nameOrId, stop);
        if (!found.Succeeded || rights.Check(permission, Scope.Of(found.Value.Id), $"organization {found.Value.Name}") is not { } no) return found;
        var (id, part) = (found.Value.Id, await Projects(db, rights, permission, stop));
        return part.Succeeded && await part.Value.Of(db.Projects).AnyAsync(p => p.Organization == id && p.DeletedAt == null, stop) ? found : no;
    }

    /// <summary>The projects that the permission holds in; null for all of them and for what belongs to none.</summary>
    public async Task<Result<ProjectFilter>> Projects(ConsoleDb db, Caller caller, string permission, CancellationToken stop) =>
        await Projects(db, await Of(db, caller.Principal, stop), permission, stop);

    public async Task<Result<ProjectFilter>> Projects(ConsoleDb db, Rights rights, string permission, CancellationToken stop)
    {
        var reach = rights.ReachOf(permission);
        if (reach.IsEmpty) return rights.Check(permission)!;
        if (reach.Everything) return new ProjectFilter(null);
        var (organizations, projects) = (reach.Organizations.ToArray(), reach.Projects.ToArray());
        return new ProjectFilter(await db.Projects.Where(p => organizations.Contains(p.Organization) || projects.Contains(p.Id)).Select(p => p.Id).ToArrayAsync(stop));
    }

    public static Scope ScopeOf(ProjectRow project) => Scope.Of(project.Organization, project.Id);

    public static Refusal NoProject(string nameOrId) => Refusal.NotFound("project_not_found", $"There is no project {RefusalList.Quote(nameOrId)}.");

    public static Refusal NoOrganization(string nameOrId) => Refusal.NotFound("organization_not_found", $"There is no organization {RefusalList.Quote(nameOrId)}.");

    // Whoever has a role in one of its projects knows the organization's name.
    private static async Task<bool> SeesOneOf(ConsoleDb db, Rights rights, OrganizationId organization, CancellationToken stop)
    {
        var projects = rights.Grants.Select(g => g.Scope.Project).OfType<ProjectId>().ToArray();
        return projects.Length > 0 && await db.Projects.AnyAsync(p => p.Organization == organization && projects.Contains(p.Id) && p.DeletedAt == null, stop);
    }

    private static IReadOnlyDictionary<string, Role> BuiltIn { get; } = Roles.BuiltIn.ToDictionary(r => r.Name);

    public static Scope ScopeOf(OrganizationId? organization, ProjectId? project) =>
        organization is not { } o ? Scope.Platform : project is { } p ? Scope.Of(o, p) : Scope.Of(o);

    private static string Where(string? organization, string? project) => project is not null ? $"project {project}" : organization is not null ? $"organization {organization}" : "the platform";
}

/// <summary>Which projects a list is about.</summary>
/// <param name="Only">Null for all, and for what belongs to no project.</param>
internal sealed record ProjectFilter(ProjectId[]? Only)
{
    public IQueryable<ProjectRow> Of(IQueryable<ProjectRow> projects) => Only is { } only ? projects.Where(p => only.Contains(p.Id)) : projects;

    public IQueryable<VmRow> Of(IQueryable<VmRow> vms) => Only is { } only ? vms.Where(v => only.Contains(v.Project)) : vms;

    public IQueryable<VolumeRow> Of(IQueryable<VolumeRow> volumes) => Only is { } only ? volumes.Where(v => only.Contains(v.Project)) : volumes;

    public IQueryable<NetworkRow> Of(IQueryable<NetworkRow> networks) => Only is { } only ? networks.Where(n => only.Contains(n.Project)) : networks;

    public IQueryable<OperationRow> Of(IQueryable<OperationRow> operations) => Only is { } only ? operations.Where(o => o.Project != null && only.Contains(o.Project.Value)) : operations;

    public IQueryable<AuditEntryRow> Of(IQueryable<AuditEntryRow> entries) => Only is { } only ? entries.Where(e => e.Project != null && only.Contains(e.Project.Value)) : entries;
}
