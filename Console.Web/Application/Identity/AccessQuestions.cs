using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Identity;

/// <inheritdoc cref="IAccessQuestions"/>
internal sealed class AccessQuestions(IConsoleStore store, AccessControl access) : IAccessQuestions
{
    public async Task<Result<IReadOnlyList<WhoView>>> Who(Caller caller, WhoQuery query, CancellationToken stop)
    {
        await using var db = store.Read();
        var (scope, where, bindings) = (Scope.Platform, "the platform", db.RoleBindings.Where(b => b.Organization == null));
        if (!string.IsNullOrEmpty(query.Project))
        {
            var project = await access.Project(db, caller, Permissions.AccessRead, query.Project, stop);
            if (!project.Succeeded) return Result<IReadOnlyList<WhoView>>.No(project.Refusals);
            var (id, of) = (project.Value.Id, project.Value.Organization);
            (scope, where, bindings) = (AccessControl.ScopeOf(project.Value), $"project {project.Value.Name}", db.RoleBindings.Where(b => b.Organization == null || (b.Organization == of && (b.Project == null || b.Project == id))));
        }
        else if (!string.IsNullOrEmpty(query.Organization))
        {
            var organization = await access.Organization(db, caller, Permissions.AccessRead, query.Organization, stop);
            if (!organization.Succeeded) return Result<IReadOnlyList<WhoView>>.No(organization.Refusals);
            var id = organization.Value.Id;
            (scope, where, bindings) = (Scope.Of(id), $"organization {organization.Value.Name}", db.RoleBindings.Where(b => b.Organization == null || (b.Organization == id && b.Project == null)));
        }
        else if (await access.Check(db, caller, Permissions.AccessRead, stop) is { } no) return no;
        if (query.Permission is not { Length: > 0 } permission) return Refusal.Invalid("permission", "required", "Say what is to be done, by a permission: vm.delete.");
        if (!Permissions.All.Contains(permission) || Permissions.IsOwn(permission)) return Refusal.Invalid("permission", "unknown_permission", $"There is no permission {RefusalList.Quote(permission)} that anybody is given.");

        // What is the same for all tenants is read by whoever has it anywhere.
        if (scope.Kind == ScopeKind.Platform && Permissions.IsCatalogue(permission)) bindings = db.RoleBindings;
        var names = await Names(db, stop);
        return Result<IReadOnlyList<WhoView>>.Ok([.. (await access.OfAll(db, bindings, stop)).Select(a => (a.Kind, a.Subject, Grant: a.Rights.GrantOf(permission, scope))).Where(a => a.Grant is not null)
            .Select(a => (a.Kind, a.Subject, Name: names.GetValueOrDefault(a.Subject, a.Subject), Grant: a.Grant!)).OrderBy(a => a.Name, StringComparer.Ordinal)
            .Select(a => new WhoView(OperationSteps.Word(a.Kind), a.Subject, a.Name, a.Grant.Role.Name, a.Grant.Role.Title, a.Grant.Where, a.Grant.Until, $"{a.Name} may {permission} on {where}: {a.Grant.Role.Title} on {a.Grant.Where}."))]);
    }

    public async Task<Result<IReadOnlyList<ReachView>>> Reach(Caller caller, string? subject, CancellationToken stop)
    {
        await using var db = store.Read();
        var reader = await access.Of(db, caller.Principal, stop);
        if (reader.ReachOf(Permissions.AccessRead).IsEmpty) return reader.Check(Permissions.AccessRead)!;
        if (string.IsNullOrEmpty(subject)) return Refusal.Invalid("subject", "required", "Say whose reach: the name or id of a person, or the id of an API client.");
        var person = Guid.TryParse(subject, out var guid) ? await db.Users.SingleOrDefaultAsync(u => u.Id == new UserId(guid), stop) : await db.Users.SingleOrDefaultAsync(u => u.Name == subject, stop);
        var id = person?.Id.ToString() ?? subject;
        var rights = (await access.OfAll(db, db.RoleBindings.Where(b => b.Subject == id), stop)).Select(a => a.Rights).FirstOrDefault();
        var organizations = await db.Organizations.Where(o => o.DeletedAt == null).OrderBy(o => o.Name).Select(o => new { o.Id, o.Name }).ToListAsync(stop);
        var projects = await db.Projects.Where(p => p.DeletedAt == null).OrderBy(p => p.Name).Select(p => new { p.Id, p.Name, p.Organization }).ToListAsync(stop);
        List<(Scope Scope, string Where, string? Organization, ProjectId? Project)> all = [(Scope.Platform, "the platform", null, null)];
        foreach (var o in organizations)
        {
            all.Add((Scope.Of(o.Id), $"organization {o.Name}", o.Name, null));
            all.AddRange(projects.Where(p => p.Organization == o.Id).Select(p => (Scope.Of(o.Id, p.Id), $"project {p.Name}", (string?)o.Name, (ProjectId?)p.Id)));
        }
        IReadOnlyList<ReachView> reached = [.. all.Where(a => reader.Has(Permissions.AccessRead, a.Scope)).Select(a =>
        {
            var grants = (rights?.Grants ?? []).Where(g => g.Scope.Covers(a.Scope)).ToList();
            return new ReachView(a.Where, a.Organization, a.Project, [.. Permissions.All.Where(p => grants.Any(g => g.Role.Permissions.Contains(p)))], [.. grants.Select(g => $"{g.Role.Title} on {g.Where}{(g.Until is { } u ? $" until {u:u}" : "")}").Distinct()]);
        }).Where(a => a.Permissions.Count > 0)];
        // Somebody of another tenant is nobody.
        if (reached.Count == 0 && !(person is not null && reader.Has(Permissions.AccessRead, Scope.Platform))) return Refusal.NotFound("subject_not_found", $"There is nobody named {RefusalList.Quote(subject)}.");
        return Result<IReadOnlyList<ReachView>>.Ok(reached);
    }

    private static async Task<Dictionary<string, string>> Names(ConsoleDb db, CancellationToken stop) => await db.Users.ToDictionaryAsync(u => u.Id.ToString(), u => u.Name, stop);
}
