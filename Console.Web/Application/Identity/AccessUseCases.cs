using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Identity;

/// <inheritdoc cref="IAccess"/>
internal sealed class AccessUseCases(IConsoleStore store, AccessControl access, Mutations mutations, Lazy<IPrograms> programs) : IAccess
{
    private const long MaxHours = 24 * 365;

    public async Task<Result<IReadOnlyList<RoleView>>> Roles(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        if (await NotAnywhere(db, caller, Permissions.AccessRead, stop) is { } no) return no;
        var own = await db.Roles.OrderBy(r => r.Name).ToListAsync(stop);
        return Result<IReadOnlyList<RoleView>>.Ok([.. Core.Identity.Roles.BuiltIn.Select(r => View(r, true)), .. own.Select(r => View(RoleViews.Role(r), false))]);
    }

    public async Task<Result<RoleView>> CreateRole(Caller caller, CreateRole request, string? idempotencyKey, CancellationToken stop)
    {
        Role? made = null;
        var done = await mutations.Run(caller, Permissions.AccessManage, "role.create", $"role/{Naming.Printable(request.Name)}", Idempotency.Of(caller, idempotencyKey, "role.create", request), async m =>
        {
            var refusals = new RefusalList();
            NameRules.CheckName(refusals, "name", request.Name);
            if (string.IsNullOrWhiteSpace(request.Meaning)) refusals.Invalid("meaning", "required", "Say in a sentence what the role is for: it stands beside it wherever it is given.");
            NameRules.CheckDescription(refusals, "meaning", request.Meaning);
            if (request.Permissions is not { Count: > 0 }) refusals.Invalid("permissions", "required", "A role needs at least one permission.");
            for (var i = 0; i < (request.Permissions?.Count ?? 0); i++)
                if (request.Permissions![i] is not { } p || !Permissions.All.Contains(p) || Permissions.IsOwn(p)) refusals.Invalid($"permissions[{i}]", "unknown_permission", $"There is no permission {RefusalList.Quote(request.Permissions[i] ?? "")} to give.");
            if (Widest(request.Widest) is null) refusals.Invalid("widest", "bad_scope", $"{RefusalList.Quote(request.Widest!)} is no scope; it is platform, organization or project.");
            if (request.Name is { } name && (Core.Identity.Roles.BuiltIn.Any(r => r.Name == name) || await m.Db.Roles.AnyAsync(r => r.Name == name, stop)))
                refusals.Add(Refusal.Conflict("name_taken", $"There is a role named {name} already; choose another name.") with { Field = "name" });
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var row = new RoleRow
            {
                Name = request.Name!, Title = request.Name!.Replace('-', ' '), Meaning = request.Meaning!, Widest = Widest(request.Widest)!.Value, CreatedBy = m.By, CreatedAt = m.Now,
                Permissions = [.. request.Permissions!.Select(p => p!).Distinct().Order(StringComparer.Ordinal)],
            };
            made = RoleViews.Role(row);
            m.Db.Roles.Add(row);
            (m.Target, m.Detail) = ($"role/{row.Name}", string.Join(", ", row.Permissions));
            return Guid.Empty;
        }, stop);
        if (!done.Succeeded) return Result<RoleView>.No(done.Refusals);
        var all = await Roles(caller, stop);
        return all.Succeeded ? all.Value.Single(r => r.Name == request.Name) : View(made!, false);
    }

    public async Task<Result<Done>> DeleteRole(Caller caller, string role, CancellationToken stop)
    {
        var done = await mutations.Run(caller, Permissions.AccessManage, "role.delete", $"role/{Naming.Printable(role)}", async m =>
        {
            if (Core.Identity.Roles.BuiltIn.Any(r => r.Name == role)) return Refusal.Conflict("role_kept", $"The role {role} comes with the console and stays.");
            if (await m.Db.Roles.SingleOrDefaultAsync(r => r.Name == role, stop) is not { } row) return NoRole(role);
            var used = await m.Db.RoleBindings.CountAsync(b => b.Role == role, stop);
            if (used > 0) return Refusal.Conflict("role_in_use", $"The role {role} was given {used} time{(used == 1 ? "" : "s")}; take it away first.");
            m.Db.Roles.Remove(row);
            return Guid.Empty;
        }, stop);
        return done.Succeeded ? Done.Value : Result<Done>.No(done.Refusals);
    }

    public async Task<Result<IReadOnlyList<RoleBindingView>>> Bindings(Caller caller, BindingQuery query, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        var bindings = db.RoleBindings.AsQueryable();
        if (!string.IsNullOrEmpty(query.Project))
        {
            var project = await access.Project(db, caller, Permissions.AccessRead, query.Project, stop);
            if (!project.Succeeded) return Result<IReadOnlyList<RoleBindingView>>.No(project.Refusals);
            var (id, organization) = (project.Value.Id, project.Value.Organization);
            bindings = bindings.Where(b => b.Organization == null || (b.Organization == organization && (b.Project == null || b.Project == id)));
        }
        if (!string.IsNullOrEmpty(query.Organization))
        {
            var organization = await access.Organization(db, caller, Permissions.AccessRead, query.Organization, stop);
            if (!organization.Succeeded) return Result<IReadOnlyList<RoleBindingView>>.No(organization.Refusals);
            var id = organization.Value.Id;
            bindings = bindings.Where(b => b.Organization == null || b.Organization == id);
        }
        if (!string.IsNullOrEmpty(query.Subject))
        {
            var subject = await db.Users.Where(u => u.Name == query.Subject).Select(u => (UserId?)u.Id).SingleOrDefaultAsync(stop) is { } named ? named.ToString() : query.Subject;
            bindings = bindings.Where(b => b.Subject == subject);
        }
        if (rights.ReachOf(Permissions.AccessRead).IsEmpty) return rights.Check(Permissions.AccessRead)!;
        var readable = (await bindings.ToListAsync(stop)).Where(b => rights.Has(Permissions.AccessRead, AccessControl.ScopeOf(b.Organization, b.Project))).ToList();
        return Result<IReadOnlyList<RoleBindingView>>.Ok(await Views(db, readable, stop));
    }

    public async Task<Result<RoleBindingView>> Bind(Caller caller, BindRole request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await AtScope(caller, "role.give", request.Organization, request.Project, Idempotency.Of(caller, idempotencyKey, "role.give", request), async (m, scope, where) =>
        {
            var refusals = new RefusalList();
            var subject = await Subject(m.Db, refusals, request.SubjectKind, request.Subject, stop);
            var role = await FindRole(m.Db, refusals, request.Role, scope, stop);
            if (request.Hours is { } hours) SizeRules.Within(refusals, "hours", "hours", hours, 1, MaxHours);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            return await Give(m, role!, scope, where, subject!.Value, request.Hours is { } h ? m.Now.AddHours(h) : null, stop);
        }, stop);
        if (!made.Succeeded) return Result<RoleBindingView>.No(made.Refusals);
        await using var db = store.Read();
        var id = new RoleBindingId(made.Value);
        return await db.RoleBindings.SingleOrDefaultAsync(b => b.Id == id, stop) is { } row ? (await Views(db, [row], stop))[0] : NoBinding(id);
    }

    public async Task<Result<Done>> Unbind(Caller caller, RoleBindingId binding, CancellationToken stop)
    {
        RoleBindingRow? seen;
        await using (var db = store.Read())
        {
            seen = await db.RoleBindings.SingleOrDefaultAsync(b => b.Id == binding, stop);
            var rights = await access.Of(db, caller.Principal, stop);
            if (caller.Principal.Kind == PrincipalKind.Anonymous) return rights.Check(Permissions.AccessManage)!;
            if (seen is null || !rights.Has(Permissions.AccessRead, AccessControl.ScopeOf(seen.Organization, seen.Project))) return NoBinding(binding);
        }
        var done = await AtScope(caller, "role.take", seen.Organization?.ToString(), seen.Project?.ToString(), Result<Idempotency?>.Ok(null), async (m, _, where) =>
        {
            if (await m.Db.RoleBindings.SingleOrDefaultAsync(b => b.Id == binding, stop) is not { } row) return NoBinding(binding);
            if (IsForGood(row) && await IsLastAdmin(m.Db, row.Subject, stop)) return LastAdmin;
            m.Db.RoleBindings.Remove(row);
            (m.Target, m.Detail) = (Target(row), $"{row.Role} on {where}");
            return binding.Value;
        }, stop);
        return done.Succeeded ? Done.Value : Result<Done>.No(done.Refusals);
    }

    public async Task<Result<IReadOnlyList<AccessAnswer>>> Mine(Caller caller, string? permission, string? project, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        if (rights.Check(Permissions.Personal) is { } no) return no;
        if (permission is not null && !Permissions.All.Contains(permission)) return Refusal.Invalid("permission", "unknown_permission", $"There is no permission {RefusalList.Quote(permission)}.");
        var (scope, where) = (Scope.Platform, "the platform");
        if (!string.IsNullOrEmpty(project))
        {
            // Whoever sees the project may ask what they can do in it.
            var found = await access.Seen(db, rights, project, stop);
            if (!found.Succeeded) return Result<IReadOnlyList<AccessAnswer>>.No(found.Refusals);
            (scope, where) = (AccessControl.ScopeOf(found.Value), $"project {found.Value.Name}");
        }
        return Result<IReadOnlyList<AccessAnswer>>.Ok([.. Permissions.All.Where(p => permission is null || p == permission).Select(p =>
            new AccessAnswer(p, where, rights.Has(p, scope), rights.Check(p, scope, where)?.Message ?? rights.Because(p, scope)))]);
    }

    public async Task<Result<ProjectId?>> Allowed(Caller caller, string permission, string? project, CancellationToken stop)
    {
        await using var db = store.Read();
        if (project is not null)
        {
            var owner = await access.Project(db, caller, permission, project, stop);
            return owner.Succeeded ? owner.Value.Id : Result<ProjectId?>.No(owner.Refusals);
        }
        return await NotAnywhere(db, caller, permission, stop) is { } no ? no : Result<ProjectId?>.Ok(null);
    }

    public async Task<Result<IReadOnlyList<OwnRoleView>>> MyRoles(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        if (rights.Check(Permissions.Personal) is { } no) return no;
        return Result<IReadOnlyList<OwnRoleView>>.Ok([.. rights.Grants.Select(g => new OwnRoleView(g.Role.Name, g.Role.Title, g.Role.Meaning, g.Where, g.Until)).OrderBy(g => g.Where, StringComparer.Ordinal).ThenBy(g => g.Role, StringComparer.Ordinal)]);
    }

    public async Task<Result<IReadOnlyList<UserView>>> Users(Caller caller, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        var reach = rights.ReachOf(Permissions.AccessRead);
        if (reach.IsEmpty) return rights.Check(Permissions.AccessRead)!;
        var users = await db.Users.OrderBy(u => u.Name).ToListAsync(stop);
        if (!reach.Everything)
        {
            // Those who have a role in what the caller looks after, and themselves.
            var bound = await db.RoleBindings.Where(b => b.SubjectKind == PrincipalKind.User && b.Organization != null).ToListAsync(stop);
            var known = bound.Where(b => rights.Has(Permissions.AccessRead, AccessControl.ScopeOf(b.Organization, b.Project))).Select(b => b.Subject).Append(caller.Principal.Id).ToHashSet();
            users = [.. users.Where(u => known.Contains(u.Id.ToString()))];
        }
        var asked = (await db.Credentials.Where(c => c.AuthenticatorSince != null).Select(c => c.User).ToListAsync(stop)).ToHashSet();
        return Result<IReadOnlyList<UserView>>.Ok([.. users.Select(u => View(u) with { AsksCode = asked.Contains(u.Id) })]);
    }

    public async Task<Result<SignInLinkView>> Invite(Caller caller, InviteUser request, CancellationToken stop)
    {
        (UserRow User, string Secret)? made = null;
        var done = await AtScope(caller, "user.invite", request.Organization, request.Project, Result<Idempotency?>.Ok(null), async (m, scope, where) =>
        {
            var refusals = new RefusalList();
            NameRules.CheckName(refusals, "name", request.Name);
            var role = await FindRole(m.Db, refusals, request.Role, scope, stop);
            if (request.Name is { } name && await m.Db.Users.AnyAsync(u => u.Name == name, stop)) refusals.Add(Refusal.Conflict("name_taken", $"The name {name} cannot be used; choose another one.") with { Field = "name" });
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var user = new UserRow { Id = UserId.New(m.Now), Name = request.Name!, CreatedAt = m.Now };
            m.Db.Users.Add(user);
            var given = await Give(m, role!, scope, where, (PrincipalKind.User, user.Id.ToString(), user.Name), null, stop);
            if (!given.Succeeded) return given;
            made = (user, await SignInLinks.New(m.Scope, user.Id, SignInLinks.InvitationLifetime));
            (m.Target, m.Detail) = ($"user/{user.Id}", $"{user.Name}: {role!.Title} on {where}");
            return user.Id.Value;
        }, stop);
        return done.Succeeded ? Link(made!.Value.User, made.Value.Secret, made.Value.User.CreatedAt) : Result<SignInLinkView>.No(done.Refusals);
    }

    public async Task<Result<SignInLinkView>> NewLink(Caller caller, UserId user, CancellationToken stop)
    {
        (UserRow User, string Secret, DateTimeOffset At)? made = null;
        var done = await mutations.Run(caller, Permissions.AccessManage, "user.sign-in-link", $"user/{user}", async m =>
        {
            if (await m.Db.Users.SingleOrDefaultAsync(u => u.Id == user, stop) is not { } row) return NoUser(user);
            if (row.Disabled) return Refusal.Conflict("user_disabled", $"{row.Name} may not sign in; lift that first.");
            if (await WhyNotOver(m, row, stop) is { } no) return no;
            made = (row, await SignInLinks.New(m.Scope, user, SignInLinks.InvitationLifetime), m.Now);
            m.Detail = row.Name;
            return user.Value;
        }, stop);
        return done.Succeeded ? Link(made!.Value.User, made.Value.Secret, made.Value.At) : Result<SignInLinkView>.No(done.Refusals);
    }

    public async Task<Result<UserView>> ResetSecondFactor(Caller caller, UserId user, CancellationToken stop)
    {
        var done = await mutations.Run(caller, Permissions.AccessManage, "user.reset-second-factor", $"user/{user}", async m =>
        {
            if (await m.Db.Users.SingleOrDefaultAsync(u => u.Id == user, stop) is not { } row) return NoUser(user);
            if (await WhyNotOver(m, row, stop) is { } no) return no;
            if (await m.Db.Credentials.SingleOrDefaultAsync(c => c.User == user && c.AuthenticatorSince != null, stop) is not { } credential) return Refusal.Conflict("no_authenticator", $"No code is asked of {row.Name}.");
            (credential.AuthenticatorKey, credential.AuthenticatorSince, credential.RecoveryCodes) = (null, null, []);
            m.Detail = row.Name;
            return user.Value;
        }, stop);
        if (!done.Succeeded) return Result<UserView>.No(done.Refusals);
        await using var db = store.Read();
        return View(await db.Users.SingleAsync(u => u.Id == user, stop));
    }

    public async Task<Result<UserView>> Disable(Caller caller, UserId user, bool disabled, CancellationToken stop)
    {
        var done = await mutations.Run(caller, Permissions.AccessManage, disabled ? "user.disable" : "user.enable", $"user/{user}", async m =>
        {
            if (await m.Db.Users.SingleOrDefaultAsync(u => u.Id == user, stop) is not { } row) return NoUser(user);
            if (disabled && caller.Principal.Id == user.ToString()) return Refusal.Conflict("yourself", "You cannot shut yourself out; somebody else has to.");
            if (disabled && await IsLastAdmin(m.Db, user.ToString(), stop)) return LastAdmin;
            row.Disabled = disabled;
            if (disabled) await Sessions.EndAll(m.Scope, user, null, null);
            m.Detail = row.Name;
            return user.Value;
        }, stop);
        if (!done.Succeeded) return Result<UserView>.No(done.Refusals);
        if (disabled) await programs.Value.RevokeAll(user, stop);
        await using var db = store.Read();
        return View(await db.Users.SingleAsync(u => u.Id == user, stop));
    }

    /// <summary>One change on the platform, an organization or a project, as the request names it.</summary>
    private Task<Result<Guid>> AtScope(Caller caller, string action, string? organization, string? project, Result<Idempotency?> idempotency, Func<Mutation, Scope, string, Task<Result<Guid>>> change, CancellationToken stop)
    {
        const string permission = Permissions.AccessManage;
        if (!string.IsNullOrEmpty(project)) return mutations.In(caller, permission, project, action, "role-binding", idempotency, (m, row) => change(m, AccessControl.ScopeOf(row), $"project {row.Name}"), stop);
        if (!string.IsNullOrEmpty(organization)) return mutations.On(caller, permission, organization, action, "role-binding", idempotency, (m, row) => change(m, Scope.Of(row.Id), $"organization {row.Name}"), stop);
        return mutations.Run(caller, permission, action, "role-binding", idempotency, m => change(m, Scope.Platform, "the platform"), stop);
    }

    private async Task<Result<Guid>> Give(Mutation m, Role role, Scope scope, string where, (PrincipalKind Kind, string Id, string Name) subject, DateTimeOffset? until, CancellationToken stop)
    {
        if ((await access.Of(m.Db, m.Caller.Principal, stop)).CheckGiving(role, scope, where) is { } no) return no;
        var row = await m.Db.RoleBindings.SingleOrDefaultAsync(b => b.SubjectKind == subject.Kind && b.Subject == subject.Id && b.Role == role.Name && b.Organization == scope.Organization && b.Project == scope.Project, stop);
        if (row is null)
        {
            row = new RoleBindingRow { Id = RoleBindingId.New(m.Now), SubjectKind = subject.Kind, Subject = subject.Id, Role = role.Name, Organization = scope.Organization, Project = scope.Project, CreatedBy = m.By, CreatedAt = m.Now };
            m.Db.RoleBindings.Add(row);
        }
        // An end would come by itself, with nobody left to set another.
        else if (until is not null && IsForGood(row) && await IsLastAdmin(m.Db, row.Subject, stop)) return LastAdmin;
        row.Until = until;
        (m.Target, m.Detail) = (Target(row), $"{role.Title} on {where} to {subject.Name}{(until is { } u ? $", until {u:u}" : "")}");
        return row.Id.Value;
    }

    /// <summary>Why the caller may not decide how this person gets in: whoever does could come in as them. Null where they may.</summary>
    private async Task<Refusal?> WhyNotOver(Mutation m, UserRow user, CancellationToken stop)
    {
        var rights = await access.Of(m.Db, m.Caller.Principal, stop);
        if (m.Caller.Principal.Kind == PrincipalKind.User && rights.Check(Permissions.Account) is not null) return Refusal.Forbidden("How somebody else signs in is decided in a browser or by an API client, and not by a token or program of a person.");
        var subject = user.Id.ToString();
        var theirs = (await access.OfAll(m.Db, m.Db.RoleBindings.Where(b => b.SubjectKind == PrincipalKind.User && b.Subject == subject), stop)).SelectMany(a => a.Rights.Grants);
        return theirs.Select(g => rights.CheckGiving(g.Role, g.Scope, g.Where)).OfType<Refusal>().FirstOrDefault();
    }

    private static Refusal LastAdmin => Refusal.Conflict("last_admin", "This is the last person who may decide who does what on the platform; give somebody else the role platform admin first, without an end.");

    private static bool IsForGood(RoleBindingRow row) => row is { SubjectKind: PrincipalKind.User, Organization: null, Until: null } && row.Role == Core.Identity.Roles.PlatformAdmin.Name;

    /// <summary>Without this person nobody who can sign in would be a platform admin for good.</summary>
    private static async Task<bool> IsLastAdmin(ConsoleDb db, string subject, CancellationToken stop)
    {
        var admins = await db.RoleBindings.Where(b => b.Organization == null && b.Role == Core.Identity.Roles.PlatformAdmin.Name && b.Until == null && b.SubjectKind == PrincipalKind.User).Select(b => b.Subject).ToListAsync(stop);
        if (!admins.Contains(subject)) return false;
        var others = admins.Where(a => a != subject && Guid.TryParse(a, out _)).Select(a => new UserId(Guid.Parse(a))).ToArray();
        return !await db.Users.AnyAsync(u => others.Contains(u.Id) && !u.Disabled, stop);
    }

    private static async Task<(PrincipalKind Kind, string Id, string Name)?> Subject(ConsoleDb db, RefusalList refusals, string? kind, string? subject, CancellationToken stop)
    {
        if (kind is not (null or "" or "user" or "client")) refusals.Invalid("subjectKind", "bad_subject_kind", $"{RefusalList.Quote(kind)} is nothing that has roles; it is user or client.");
        if (string.IsNullOrEmpty(subject))
        {
            refusals.Invalid("subject", "required", "Say who: the name or id of a person, or the id of an API client.");
            return null;
        }
        if (kind == "client") return (PrincipalKind.Client, subject, subject);
        var row = Guid.TryParse(subject, out var id) ? await db.Users.SingleOrDefaultAsync(u => u.Id == new UserId(id), stop) : await db.Users.SingleOrDefaultAsync(u => u.Name == subject, stop);
        if (row is null) refusals.Invalid("subject", "unknown_user", $"There is nobody named {RefusalList.Quote(subject)}.");
        return row is null ? null : (PrincipalKind.User, row.Id.ToString(), row.Name);
    }

    private static async Task<Role?> FindRole(ConsoleDb db, RefusalList refusals, string? name, Scope scope, CancellationToken stop)
    {
        var role = await RoleViews.Find(db, name, stop);
        if (role is null) refusals.Invalid("role", "unknown_role", string.IsNullOrEmpty(name) ? "Say which role, as GET /api/v1/roles lists them." : $"There is no role {RefusalList.Quote(name)}.");
        else if (WhyNotThere(role, scope) is { } no) refusals.Add(no);
        return role;
    }

    /// <summary>Why the role is not given at a scope of this width; null where it is.</summary>
    public static Refusal? WhyNotThere(Role role, Scope scope) =>
        scope.Kind < role.Widest ? Refusal.Invalid("role", "scope_too_wide", $"The role {role.Title} is given on {(role.Widest == ScopeKind.Project ? "a project" : "an organization or a project")}, not on {(scope.Kind == ScopeKind.Platform ? "the platform" : "an organization")}.")
        : role.Widest == ScopeKind.Platform && scope.Kind != ScopeKind.Platform ? Refusal.Invalid("role", "scope_too_narrow", $"The role {role.Title} is about the platform as a whole: leave organization and project out.") : null;

    private async Task<Refusal?> NotAnywhere(ConsoleDb db, Caller caller, string permission, CancellationToken stop)
    {
        var rights = await access.Of(db, caller.Principal, stop);
        return rights.ReachOf(permission).IsEmpty ? rights.Check(permission) : null;
    }

    private static async Task<IReadOnlyList<RoleBindingView>> Views(ConsoleDb db, IReadOnlyList<RoleBindingRow> rows, CancellationToken stop)
    {
        var users = await db.Users.ToDictionaryAsync(u => u.Id.ToString(), u => u.Name, stop);
        var organizations = await db.Organizations.ToDictionaryAsync(o => o.Id, o => o.Name, stop);
        var projects = await db.Projects.ToDictionaryAsync(p => p.Id, p => p.Name, stop);
        return [.. rows.Select(b => new RoleBindingView(
                b.Id, OperationSteps.Word(b.SubjectKind), b.Subject, users.GetValueOrDefault(b.Subject, b.Subject), b.Role, b.Role.Replace('-', ' '),
                b.Organization is { } o ? organizations.GetValueOrDefault(o) : null, b.Project is { } p ? projects.GetValueOrDefault(p) : null, b.Project, b.Until, b.CreatedBy, b.CreatedAt, b.Version))
            .OrderBy(b => b.Organization is null ? 0 : b.Project is null ? 1 : 2).ThenBy(b => b.SubjectName, StringComparer.Ordinal).ThenBy(b => b.Role, StringComparer.Ordinal)];
    }

    private static SignInLinkView Link(UserRow user, string secret, DateTimeOffset at) => new(View(user), SignInLinks.Path(secret), at + SignInLinks.InvitationLifetime);

    private static UserView View(UserRow row) => new(row.Id, row.Name, row.Disabled, row.CreatedAt, row.LastSignInAt, row.Version);

    private static RoleView View(Role role, bool builtIn) => new(role.Name, role.Title, role.Meaning, builtIn, OperationSteps.Word(role.Widest), [.. role.Permissions.Order(StringComparer.Ordinal)]);

    private static ScopeKind? Widest(string? text) => text switch { null or "" or "project" => ScopeKind.Project, "organization" => ScopeKind.Organization, "platform" => ScopeKind.Platform, _ => null };

    private static string Target(RoleBindingRow row) => $"{OperationSteps.Word(row.SubjectKind)}/{row.Subject}";

    private static Refusal NoRole(string role) => Refusal.NotFound("role_not_found", $"There is no role {RefusalList.Quote(role)}.");

    private static Refusal NoBinding(RoleBindingId id) => Refusal.NotFound("role_binding_not_found", $"There is no role binding {id}.");

    private static Refusal NoUser(UserId id) => Refusal.NotFound("user_not_found", $"There is no person {id}.");
}

/// <summary>Stored roles as the domain has them.</summary>
internal static class RoleViews
{
    /// <summary>The role of that name: one of those that every console has, or one that was made here. Null for none.</summary>
    public static async Task<Role?> Find(ConsoleDb db, string? name, CancellationToken stop) =>
        Core.Identity.Roles.BuiltIn.FirstOrDefault(r => r.Name == name) ?? (NameRules.IsName(name ?? "") && await db.Roles.SingleOrDefaultAsync(r => r.Name == name, stop) is { } own ? Role(own) : null);

    public static Role Role(RoleRow row) => new(row.Name, row.Title, row.Meaning, row.Widest, row.Permissions.ToFrozenSet());
}
