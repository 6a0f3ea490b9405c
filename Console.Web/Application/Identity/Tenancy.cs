using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <inheritdoc cref="ITenancy"/>
internal sealed class Tenancy(IConsoleStore store, AccessControl access, Mutations mutations) : ITenancy
{
    /// <summary>What a new project's own network may have: addresses of projects never meet, those of hosts must not.</summary>
    private static readonly string[] FirstNetworkCidrs = ["10.64.0.0/22", "172.24.0.0/22", "192.168.64.0/22"];

    public async Task<Result<IReadOnlyList<OrganizationView>>> Organizations(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        var (rights, mine) = await Mine(db, caller, stop);
        if (!mine.Succeeded) return Result<IReadOnlyList<OrganizationView>>.No(mine.Refusals);
        var projects = (await mine.Value.Of(db.Projects).Where(p => p.DeletedAt == null).ToListAsync(stop)).ToLookup(p => p.Organization);
        var rows = await db.Organizations.Where(o => o.DeletedAt == null).ToListAsync(stop);
        return Result<IReadOnlyList<OrganizationView>>.Ok([.. rows.Where(o => projects.Contains(o.Id) || rights.Sees(Scope.Of(o.Id)))
            .OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => View(o, projects[o.Id].Count()))]);
    }

    public async Task<Result<OrganizationView>> Organization(Caller caller, string organization, CancellationToken stop)
    {
        await using var db = store.Read();
        var (rights, mine) = await Mine(db, caller, stop);
        var found = await access.OrganizationOrPart(db, rights, Permissions.ProjectRead, organization, stop);
        if (!found.Succeeded) return Result<OrganizationView>.No(found.Refusals);
        var id = found.Value.Id;
        return View(found.Value, await mine.Value!.Of(db.Projects).CountAsync(p => p.Organization == id && p.DeletedAt == null, stop));
    }

    public async Task<Result<OrganizationView>> CreateOrganization(Caller caller, CreateOrganization request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await mutations.Run(caller, Permissions.OrganizationManage, "organization.create", "organization", Idempotency.Of(caller, idempotencyKey, "organization.create", request), async m =>
        {
            var refusals = new RefusalList();
            NameRules.CheckName(refusals, "name", request.Name);
            NameRules.CheckDescription(refusals, "description", request.Description);
            if (request.Name is { } name && await m.Db.Organizations.AnyAsync(o => o.Name == name && o.DeletedAt == null, stop)) refusals.Add(Taken("organization", name));
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var row = new OrganizationRow { Id = OrganizationId.New(m.Now), Name = request.Name!, Description = request.Description ?? "", CreatedAt = m.Now };
            m.Db.Organizations.Add(row);
            (m.Target, m.Detail) = ($"organization/{row.Id}", row.Name);
            return row.Id.Value;
        }, stop);
        return made.Succeeded ? await Organization(caller, made.Value.ToString(), stop) : Result<OrganizationView>.No(made.Refusals);
    }

    public async Task<Result<OrganizationView>> UpdateOrganization(Caller caller, string organization, UpdateTenant request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.On(caller, Permissions.OrganizationManage, organization, "organization.update", $"organization/{Naming.Printable(organization)}", Result<Idempotency?>.Ok(null), async (m, row) =>
        {
            if (expectedVersion is { } seen && seen != row.Version) return Refusal.Stale($"The organization has changed since version {seen}; its version is {row.Version}. Read it again.");
            var refusals = new RefusalList();
            if (request.Name is not null) NameRules.CheckName(refusals, "name", request.Name);
            NameRules.CheckDescription(refusals, "description", request.Description);
            if (request.Name is { } name && name != row.Name && await m.Db.Organizations.AnyAsync(o => o.Name == name && o.DeletedAt == null, stop)) refusals.Add(Taken("organization", name));
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            m.Detail = request.Name is { } renamed && renamed != row.Name ? $"{row.Name} -> {renamed}" : row.Name;
            (row.Name, row.Description) = (request.Name ?? row.Name, request.Description ?? row.Description);
            return row.Id.Value;
        }, stop);
        return changed.Succeeded ? await Organization(caller, changed.Value.ToString(), stop) : Result<OrganizationView>.No(changed.Refusals);
    }

    public async Task<Result<Done>> DeleteOrganization(Caller caller, string organization, CancellationToken stop)
    {
        var deleted = await mutations.On(caller, Permissions.OrganizationManage, organization, "organization.delete", $"organization/{Naming.Printable(organization)}", Result<Idempotency?>.Ok(null), async (m, row) =>
        {
            if (row.Id == WellKnown.DefaultOrganization) return Refusal.Conflict("organization_kept", "The organization default comes with the console and stays.");
            var projects = await m.Db.Projects.Where(p => p.Organization == row.Id && p.DeletedAt == null).OrderBy(p => p.Name).Select(p => p.Name).ToListAsync(stop);
            if (projects.Count > 0) return Refusal.Conflict("organization_in_use", $"The organization {row.Name} has {Count(projects.Count, "project")} ({Few(projects)}). Delete them first.");
            m.Db.RoleBindings.RemoveRange(await m.Db.RoleBindings.Where(b => b.Organization == row.Id).ToListAsync(stop));
            row.DeletedAt = m.Now;
            m.Detail = row.Name;
            return row.Id.Value;
        }, stop);
        return deleted.Succeeded ? Done.Value : Result<Done>.No(deleted.Refusals);
    }

    public async Task<Result<IReadOnlyList<ProjectView>>> Projects(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        var (_, mine) = await Mine(db, caller, stop);
        if (!mine.Succeeded) return Result<IReadOnlyList<ProjectView>>.No(mine.Refusals);
        return Result<IReadOnlyList<ProjectView>>.Ok(await Views(db, mine.Value.Of(db.Projects), stop));
    }

    public async Task<Result<ProjectView>> Project(Caller caller, string project, CancellationToken stop)
    {
        await using var db = store.Read();
        var found = await access.Project(db, caller, Permissions.ProjectRead, project, stop);
        return found.Succeeded ? (await Views(db, db.Projects.Where(p => p.Id == found.Value.Id), stop))[0] : Result<ProjectView>.No(found.Refusals);
    }

    public async Task<Result<ProjectView>> CreateProject(Caller caller, CreateProject request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await mutations.On(caller, Permissions.ProjectManage, request.Organization ?? WellKnown.DefaultName, "project.create", "project", Idempotency.Of(caller, idempotencyKey, "project.create", request), async (m, organization) =>
        {
            var refusals = new RefusalList();
            NameRules.CheckName(refusals, "name", request.Name);
            NameRules.CheckDescription(refusals, "description", request.Description);
            if (request.Name is { } name && await m.Db.Projects.AnyAsync(p => p.Organization == organization.Id && p.Name == name && p.DeletedAt == null, stop)) refusals.Add(Taken("project", name));
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var row = new ProjectRow { Id = ProjectId.New(m.Now), Organization = organization.Id, Name = request.Name!, Description = request.Description ?? "", CreatedAt = m.Now };
            var uplinks = (await m.Db.Hosts.Where(h => h.State != HostState.Retired).ToListAsync(stop)).Where(h => h.Facts is { TunnelAddress.Length: > 0 }).Select(h => (h.Name, h.Facts!.TunnelAddress)).ToList();
            if (FirstNetworkCidrs.FirstOrDefault(c => NetworkChecks.Range(c, [], uplinks) is null) is not { } cidr)
                return Refusal.Conflict("no_range", $"Hosts have addresses in each of {string.Join(", ", FirstNetworkCidrs)}, so none of them can be the project's first network.");
            m.Db.Projects.Add(row);
            m.Db.Networks.Add(new NetworkRow
            {
                Id = NetworkId.New(m.Now), Project = row.Id, Name = WellKnown.DefaultName, Description = "The project's first network: its guests reach each other and the world.", Kind = NetworkKind.Vxlan,
                Cidr = cidr, Vni = await Networks.NetworkUseCases.FreeVni(m.Db, stop), CreatedAt = m.Now,
            });
            (m.Project, m.Target, m.Detail) = (row.Id, $"project/{row.Id}", $"{row.Name} in {organization.Name}");
            return row.Id.Value;
        }, stop);
        return made.Succeeded ? await Project(caller, made.Value.ToString(), stop) : Result<ProjectView>.No(made.Refusals);
    }

    public async Task<Result<ProjectView>> UpdateProject(Caller caller, string project, UpdateTenant request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.In(caller, Permissions.ProjectManage, project, "project.update", $"project/{Naming.Printable(project)}", async (m, row) =>
        {
            if (expectedVersion is { } seen && seen != row.Version) return Refusal.Stale($"The project has changed since version {seen}; its version is {row.Version}. Read it again.");
            var refusals = new RefusalList();
            if (request.Name is not null) NameRules.CheckName(refusals, "name", request.Name);
            NameRules.CheckDescription(refusals, "description", request.Description);
            if (request.Name is { } name && name != row.Name && await m.Db.Projects.AnyAsync(p => p.Organization == row.Organization && p.Name == name && p.DeletedAt == null, stop)) refusals.Add(Taken("project", name));
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            m.Detail = request.Name is { } renamed && renamed != row.Name ? $"{row.Name} -> {renamed}" : row.Name;
            (row.Name, row.Description) = (request.Name ?? row.Name, request.Description ?? row.Description);
            return row.Id.Value;
        }, stop);
        return changed.Succeeded ? await Project(caller, changed.Value.ToString(), stop) : Result<ProjectView>.No(changed.Refusals);
    }

    public async Task<Result<Done>> DeleteProject(Caller caller, string project, CancellationToken stop)
    {
        var deleted = await mutations.In(caller, Permissions.ProjectManage, project, "project.delete", $"project/{Naming.Printable(project)}", async (m, row) =>
        {
            if (row.Id == WellKnown.DefaultProject) return Refusal.Conflict("project_kept", "The project default comes with the console and stays.");
            var vms = await m.Db.Vms.Where(v => v.Project == row.Id && v.DeletedAt == null).OrderBy(v => v.Name).Select(v => v.Name).ToListAsync(stop);
            var volumes = await m.Db.Volumes.Where(v => v.Project == row.Id && v.DeletedAt == null).OrderBy(v => v.Name).Select(v => v.Name).ToListAsync(stop);
            var left = new[] { (vms, "VM"), (volumes, "volume") }.Where(l => l.Item1.Count > 0).Select(l => $"{Count(l.Item1.Count, l.Item2)} ({Few(l.Item1)})").ToList();
            if (left.Count > 0) return Refusal.Conflict("project_in_use", $"The project {row.Name} has {string.Join(" and ", left)}. Delete them first; what can still be restored counts.");
            // Its rows stay readable in the past, so the project itself is kept, without anybody in it.
            m.Db.RoleBindings.RemoveRange(await m.Db.RoleBindings.Where(b => b.Project == row.Id).ToListAsync(stop));
            m.Db.Networks.RemoveRange(await m.Db.Networks.Where(n => n.Project == row.Id).ToListAsync(stop));
            row.DeletedAt = m.Now;
            m.Detail = row.Name;
            return row.Id.Value;
        }, stop);
        return deleted.Succeeded ? Done.Value : Result<Done>.No(deleted.Refusals);
    }

    private async Task<(Rights Rights, Result<ProjectFilter> Mine)> Mine(ConsoleDb db, Caller caller, CancellationToken stop)
    {
        var rights = await access.Of(db, caller.Principal, stop);
        return (rights, await access.Projects(db, rights, Permissions.ProjectRead, stop));
    }

    private static async Task<IReadOnlyList<ProjectView>> Views(ConsoleDb db, IQueryable<ProjectRow> projects, CancellationToken stop)
    {
        var rows = await projects.Where(p => p.DeletedAt == null).Select(p => new
        {
            p.Id, p.Name, p.Description, p.CreatedAt, p.Version, p.Organization,
            OrganizationName = db.Organizations.Where(o => o.Id == p.Organization).Select(o => o.Name).First(),
            Vms = db.Vms.Count(v => v.Project == p.Id && v.DeletedAt == null),
        }).ToListAsync(stop);
        return [.. rows.OrderBy(r => r.OrganizationName, StringComparer.Ordinal).ThenBy(r => r.Name, StringComparer.Ordinal)
            .Select(r => new ProjectView(r.Id, r.Name, r.OrganizationName, r.Organization, r.Description, r.Vms, r.CreatedAt, r.Version))];
    }

    private static OrganizationView View(OrganizationRow row, int projects) => new(row.Id, row.Name, row.Description, projects, row.CreatedAt, row.Version);

    private static Refusal Taken(string what, string name) => Refusal.Conflict("name_taken", $"There is {(what[0] == 'o' ? "an" : "a")} {what} named {name} already; choose another name.") with { Field = "name" };

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    private static string Few(List<string> names) => string.Join(", ", names.Take(5)) + (names.Count > 5 ? ", …" : "");
}
