using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <inheritdoc cref="IElevations"/>
internal sealed class Elevations(IConsoleStore store, AccessControl access, Mutations mutations, TimeProvider time) : IElevations
{
    private const int MostShown = 50, MostAsked = 3;

    public async Task<Result<IReadOnlyList<ElevationView>>> List(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        if (rights.Check(Permissions.Personal) is { } no) return no;
        var mine = caller.Principal.Person;
        // One's own, and those of others where one reads who may do what.
        var reach = rights.ReachOf(Permissions.AccessRead);
        var (everything, organizations, projects) = (reach.Everything, reach.Organizations.ToArray(), reach.Projects.ToArray());
        var rows = await db.Elevations.Where(e => everything || e.User == mine || (e.Organization != null && organizations.Contains(e.Organization.Value)) || (e.Project != null && projects.Contains(e.Project.Value)))
            .OrderByDescending(e => e.AskedAt).Take(MostShown).ToListAsync(stop);
        return Result<IReadOnlyList<ElevationView>>.Ok(await Views(db, rows, rights, mine, stop));
    }

    public async Task<Result<ElevationView>> Ask(Caller caller, AskForRole request, CancellationToken stop)
    {
        var asked = await mutations.Run(caller, Permissions.Account, "elevation.ask", $"user/{caller.Principal.Id}", async m =>
        {
            var refusals = new RefusalList();
            if (string.IsNullOrWhiteSpace(request.Reason)) refusals.Invalid("reason", "required", "Say what it is for: whoever approves it reads it, and the ledger keeps it.");
            else NameRules.CheckLine(refusals, "reason", request.Reason, "reason");
            SizeRules.Within(refusals, "hours", "hours", request.Hours, 1, Elevation.MostHours);
            var role = await RoleViews.Find(m.Db, request.Role, stop);
            if (role is null) refusals.Invalid("role", "unknown_role", string.IsNullOrEmpty(request.Role) ? "Say which role." : $"There is no role {RefusalList.Quote(request.Role)}.");
            var rights = await access.Of(m.Db, caller.Principal, stop);
            var at = await At(m.Db, rights, request, stop);
            if (!at.Succeeded) return Result<Guid>.No(at.Refusals);
            var (organization, project, where) = at.Value;
            if (role is not null && AccessUseCases.WhyNotThere(role, AccessControl.ScopeOf(organization, project)) is { } misplaced) refusals.Add(misplaced);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var user = caller.Principal.Person;
            var since = m.Now - Elevation.Patience;
            if (await m.Db.Elevations.CountAsync(e => e.User == user && e.State == ElevationState.Asked && e.AskedAt > since, stop) >= MostAsked)
                return Refusal.Conflict("too_many", $"You have asked {MostAsked} times already and nobody has decided; withdraw one, or wait.");
            var row = new ElevationRow { Id = ElevationId.New(m.Now), User = user, Role = role!.Name, Organization = organization, Project = project, Hours = (int)request.Hours!.Value, Reason = request.Reason!.Trim(), AskedAt = m.Now };
            m.Db.Elevations.Add(row);
            (m.Project, m.Target, m.Detail) = (project, $"elevation/{row.Id}", $"{role.Title} on {where} for {row.Hours} h: {row.Reason}");
            return row.Id.Value;
        }, stop);
        return await Answer(caller, asked, stop);
    }

    public Task<Result<ElevationView>> Approve(Caller caller, ElevationId elevation, DecideElevation answer, CancellationToken stop) => Decide(caller, elevation, answer, true, stop);

    public Task<Result<ElevationView>> Refuse(Caller caller, ElevationId elevation, DecideElevation answer, CancellationToken stop) => Decide(caller, elevation, answer, false, stop);

    public async Task<Result<ElevationView>> End(Caller caller, ElevationId elevation, CancellationToken stop)
    {
        var ended = await mutations.Run(caller, Permissions.Personal, "elevation.end", $"elevation/{elevation}", async m =>
        {
            var rights = await access.Of(m.Db, caller.Principal, stop);
            if (await m.Db.Elevations.SingleOrDefaultAsync(e => e.Id == elevation, stop) is not { } row || (row.User != caller.Principal.Person && !rights.Has(Permissions.AccessRead, ScopeOf(row)))) return NoElevation(elevation);
            // Whoever has it gives it back; others who decide there take it away.
            if (row.User != caller.Principal.Person && rights.Check(Permissions.AccessManage, ScopeOf(row), "where it counts") is { } no) return no;
            var state = Elevation.StateAt(row.State, row.AskedAt, row.Until, m.Now);
            if (state is not (ElevationState.Asked or ElevationState.Approved)) return Closed(state, row);
            // Given for longer since, it is no longer this one's to take away.
            if (row.Binding is { } given && await m.Db.RoleBindings.SingleOrDefaultAsync(b => b.Id == given, stop) is { } binding && binding.Until == row.Until) m.Db.RoleBindings.Remove(binding);
            (row.State, m.Project, m.Detail) = (state == ElevationState.Asked ? ElevationState.Withdrawn : ElevationState.Ended, row.Project, $"{row.Role}: {row.Reason}");
            return elevation.Value;
        }, stop);
        return await Answer(caller, ended, stop);
    }

    private async Task<Result<ElevationView>> Decide(Caller caller, ElevationId elevation, DecideElevation answer, bool approve, CancellationToken stop)
    {
        var decided = await mutations.Run(caller, Permissions.Personal, approve ? "elevation.approve" : "elevation.refuse", $"elevation/{elevation}", async m =>
        {
            var rights = await access.Of(m.Db, caller.Principal, stop);
            if (await m.Db.Elevations.SingleOrDefaultAsync(e => e.Id == elevation, stop) is not { } row || (row.User != caller.Principal.Person && !rights.Has(Permissions.AccessRead, ScopeOf(row)))) return NoElevation(elevation);
            var (scope, where) = (ScopeOf(row), await Where(m.Db, row, stop));
            if (row.User == caller.Principal.Person || rights.Check(Permissions.Account) is not null) return Refusal.Conflict("second_person", "A second person has to decide about this, who is signed in in a browser.");
            var role = await RoleViews.Find(m.Db, row.Role, stop);
            if (role is null) return Refusal.Conflict("role_gone", $"The role {row.Role} is no more.");
            if (rights.CheckGiving(role, scope, where) is { } no) return no;
            var refusals = new RefusalList();
            if (!approve && string.IsNullOrWhiteSpace(answer.Answer)) refusals.Invalid("answer", "required", "Say why it is refused: whoever asked reads it.");
            else NameRules.CheckLine(refusals, "answer", answer.Answer, "answer");
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var state = Elevation.StateAt(row.State, row.AskedAt, row.Until, m.Now);
            if (state != ElevationState.Asked) return Closed(state, row);
            var name = await m.Db.Users.Where(u => u.Id == row.User).Select(u => u.Name).SingleAsync(stop);
            (row.State, row.DecidedBy, row.DecidedAt, row.Answer) = (approve ? ElevationState.Approved : ElevationState.Refused, m.By, m.Now, answer.Answer?.Trim() ?? "");
            if (approve)
            {
                row.Until = m.Now.AddHours(row.Hours);
                var subject = row.User.ToString();
                var binding = await m.Db.RoleBindings.SingleOrDefaultAsync(b => b.SubjectKind == PrincipalKind.User && b.Subject == subject && b.Role == row.Role && b.Organization == row.Organization && b.Project == row.Project, stop);
                if (binding is not null && (binding.Until is null || binding.Until > m.Now)) return Refusal.Conflict("has_role", $"{name} has {role.Title} on {where} already{(binding.Until is { } until ? $", until {until:u}" : "")}.");
                if (binding is null)
                {
                    binding = new RoleBindingRow { Id = RoleBindingId.New(m.Now), SubjectKind = PrincipalKind.User, Subject = subject, Role = row.Role, Organization = row.Organization, Project = row.Project, CreatedBy = m.By, CreatedAt = m.Now };
                    m.Db.RoleBindings.Add(binding);
                }
                (binding.Until, row.Binding) = (row.Until, binding.Id);
            }
            (m.Project, m.Detail) = (row.Project, $"{name}: {role.Title} on {where} {(approve ? $"until {row.Until:u}" : "refused")}: {row.Reason}{(row.Answer.Length > 0 ? $"; {row.Answer}" : "")}");
            return elevation.Value;
        }, stop);
        return await Answer(caller, decided, stop);
    }

    private async Task<Result<(OrganizationId? Organization, ProjectId? Project, string Where)>> At(ConsoleDb db, Rights rights, AskForRole request, CancellationToken stop)
    {
        if (!string.IsNullOrEmpty(request.Project))
        {
            var project = await access.Seen(db, rights, request.Project, stop);
            return project.Succeeded ? (project.Value.Organization, project.Value.Id, $"project {project.Value.Name}") : Result<(OrganizationId?, ProjectId?, string)>.No([.. project.Refusals.Select(r => r with { Field = "project" })]);
        }
        if (string.IsNullOrEmpty(request.Organization)) return ((OrganizationId?)null, (ProjectId?)null, "the platform");
        var organization = await access.SeenOrganization(db, rights, request.Organization, stop);
        return organization.Succeeded ? (organization.Value.Id, null, $"organization {organization.Value.Name}") : Result<(OrganizationId?, ProjectId?, string)>.No([.. organization.Refusals.Select(r => r with { Field = "organization" })]);
    }

    private async Task<Result<ElevationView>> Answer(Caller caller, Result<Guid> of, CancellationToken stop)
    {
        if (!of.Succeeded) return Result<ElevationView>.No(of.Refusals);
        await using var db = store.Read();
        var id = new ElevationId(of.Value);
        return (await Views(db, await db.Elevations.Where(e => e.Id == id).ToListAsync(stop), await access.Of(db, caller.Principal, stop), caller.Principal.Person, stop))[0];
    }

    private async Task<IReadOnlyList<ElevationView>> Views(ConsoleDb db, IReadOnlyList<ElevationRow> rows, Rights rights, UserId reader, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var users = await db.Users.ToDictionaryAsync(u => u.Id, u => u.Name, stop);
        var views = new List<ElevationView>();
        foreach (var e in rows)
        {
            var state = Elevation.StateAt(e.State, e.AskedAt, e.Until, now);
            views.Add(new ElevationView(e.Id, e.User, users.GetValueOrDefault(e.User, ""), e.Role, e.Role.Replace('-', ' '), await Where(db, e, stop), e.Hours, e.Reason, state, e.AskedAt, e.DecidedBy, e.DecidedAt, e.Answer, e.Until,
                MayDecide: state == ElevationState.Asked && e.User != reader && rights.Has(Permissions.AccessManage, ScopeOf(e)),
                MayEnd: state is ElevationState.Asked or ElevationState.Approved && (e.User == reader || rights.Has(Permissions.AccessManage, ScopeOf(e)))));
        }
        return views;
    }

    private static async Task<string> Where(ConsoleDb db, ElevationRow row, CancellationToken stop) =>
        row.Project is { } p ? $"project {await db.Projects.Where(r => r.Id == p).Select(r => r.Name).FirstOrDefaultAsync(stop)}"
        : row.Organization is { } o ? $"organization {await db.Organizations.Where(r => r.Id == o).Select(r => r.Name).FirstOrDefaultAsync(stop)}" : "the platform";

    private static Scope ScopeOf(ElevationRow row) => AccessControl.ScopeOf(row.Organization, row.Project);

    private static Refusal Closed(ElevationState state, ElevationRow row) => Refusal.Conflict("elevation_closed", state == ElevationState.Over ? "Its time is over." : $"It was {state.ToString().ToLowerInvariant()} already{(row.DecidedBy is { } by ? $" by {by}" : "")}.");

    private static Refusal NoElevation(ElevationId id) => Refusal.NotFound("elevation_not_found", $"There is no elevation {id}.");
}
