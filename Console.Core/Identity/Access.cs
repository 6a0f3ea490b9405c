using System.Collections.Frozen;
using Plinth.Core.Primitives;

namespace Plinth.Core.Identity;

/// <summary>A role that somebody has on a scope.</summary>
/// <param name="Until">It counts no more from then on; null: until it is taken away.</param>
/// <param name="Where">The scope as sentences name it: "the platform", "organization acme", "project web".</param>
public sealed record Grant(Role Role, Scope Scope, string Where, DateTimeOffset? Until = null);

/// <summary>Which projects somebody may do something in.</summary>
/// <param name="Everything">All of them, and what belongs to no project.</param>
public sealed record Reach(bool Everything, IReadOnlySet<OrganizationId> Organizations, IReadOnlySet<ProjectId> Projects)
{
    public bool IsEmpty => !Everything && Organizations.Count == 0 && Projects.Count == 0;
}

/// <summary>A token that a person made for a program: it allows what the person may do, and no more than this.</summary>
/// <param name="Most">Null: all that the person may.</param>
public sealed record TokenLimit(string Name, Grant? Most)
{
    /// <summary>What is left of a right of the person's; null for nothing.</summary>
    public Grant? Of(Grant grant)
    {
        if (Most is null) return grant;
        var (scope, where) = Most.Scope.Covers(grant.Scope) ? (grant.Scope, grant.Where) : (Most.Scope, Most.Where);
        return grant.Scope.Covers(scope) ? grant with { Role = grant.Role with { Permissions = grant.Role.Permissions.Intersect(Most.Role.Permissions).ToFrozenSet() }, Scope = scope, Where = where } : null;
    }
}

/// <summary>What a principal may do, from the roles that it has at one moment.</summary>
public sealed class Rights
{
    private readonly Grant[] _grants;
    private readonly TokenLimit? _token;

    /// <param name="grants">Those whose time is over count for nothing.</param>
    /// <param name="token">By which the principal came in, if it was one.</param>
    public Rights(Principal principal, IEnumerable<Grant> grants, DateTimeOffset now, TokenLimit? token = null) =>
        (Principal, _token, _grants) = (principal, token, [.. grants.Where(g => g.Until is not { } until || now < until).Select(g => token is null ? g : token.Of(g)).OfType<Grant>()]);

    public Principal Principal { get; }

    public IReadOnlyList<Grant> Grants => _grants;

    /// <summary>The permission decision, made here and nowhere else. Deny by default.</summary>
    public bool Has(string permission, Scope scope)
    {
        switch (Principal.Kind)
        {
            case PrincipalKind.System: return true;
            case PrincipalKind.User or PrincipalKind.Client: break;
            default: return false;
        }
        if (permission == Permissions.Account) return Principal is { Kind: PrincipalKind.User, Session: not null } && _token is null;
        if (Permissions.IsOwn(permission)) return true;
        foreach (var grant in _grants)
            if (Allows(grant, permission, scope)) return true;
        return false;
    }

    private static bool Allows(Grant grant, string permission, Scope scope) =>
        (grant.Scope.Covers(scope) || (scope.Kind == ScopeKind.Platform && Permissions.IsCatalogue(permission))) && grant.Role.Permissions.Contains(permission);

    /// <summary>Null where it may; otherwise a sentence that says what is needed, where, and what the principal has there.</summary>
    /// <param name="where">The scope as sentences name it.</param>
    public Refusal? Check(string permission, Scope scope, string where) => Has(permission, scope) ? null : Refusal.Forbidden(Principal.Kind switch
    {
        PrincipalKind.Agent => $"This needs {permission}; a host agent has no rights in the API.",
        PrincipalKind.Anonymous => $"This needs {permission}; sign in first.",
        _ when permission == Permissions.Account => $"This needs {permission}, which only people have who are signed in in a browser.",
        _ => $"This needs {permission} on {where}; {What(scope)}.",
    });

    /// <summary>The role that allows what is allowed.</summary>
    public string Because(string permission, Scope scope)
    {
        if (Principal.Kind == PrincipalKind.System) return "The console itself may do everything.";
        if (Permissions.IsOwn(permission)) return "Everybody may do this with what is their own.";
        return GrantOf(permission, scope) is { } grant ? $"You have {grant.Role.Title} on {grant.Where}." : "";
    }

    /// <summary>The grant that allows it, the one that lasts longest; null where none does.</summary>
    public Grant? GrantOf(string permission, Scope scope) => _grants.Where(g => Allows(g, permission, scope)).MaxBy(g => g.Until ?? DateTimeOffset.MaxValue);

    /// <summary>The same for what belongs to the platform.</summary>
    public Refusal? Check(string permission) => Check(permission, Scope.Platform, "the platform");

    /// <summary>Whether the scope exists as far as this principal can tell: it has a role there, whatever that allows.</summary>
    public bool Sees(Scope scope) => Has(Permissions.ProjectRead, scope) || _grants.Any(g => g.Scope.Covers(scope));

    /// <summary>The projects that the permission holds in.</summary>
    public Reach ReachOf(string permission)
    {
        var (organizations, projects) = (new HashSet<OrganizationId>(), new HashSet<ProjectId>());
        if (Has(permission, Scope.Platform)) return new Reach(true, organizations, projects);
        foreach (var grant in _grants.Where(g => g.Role.Permissions.Contains(permission)))
        {
            if (grant.Scope.Project is { } project) projects.Add(project);
            else if (grant.Scope.Organization is { } organization) organizations.Add(organization);
        }
        return new Reach(false, organizations, projects);
    }

    /// <summary>Why this principal may not give the role there: nobody gives more than they have.</summary>
    public Refusal? CheckGiving(Role role, Scope scope, string where)
    {
        if (Check(Permissions.AccessManage, scope, where) is { } no) return no;
        var lacks = role.Permissions.Where(p => !Has(p, scope)).Order(StringComparer.Ordinal).ToList();
        return lacks.Count == 0 ? null : Refusal.Forbidden($"The role {role.Title} holds {string.Join(", ", lacks.Take(3))}{(lacks.Count > 3 ? $" and {lacks.Count - 3} more" : "")}, which you do not have on {where}: nobody gives more than they have.");
    }

    private string What(Scope scope)
    {
        var here = _grants.Where(g => g.Scope.Covers(scope)).Select(g => $"{g.Role.Title} on {g.Where}").Distinct().ToList();
        var most = _token?.Most is { } m ? $", and the token {_token.Name} allows no more than {m.Role.Title} on {m.Where}" : "";
        return (here.Count == 0 ? "you have no role there" : $"you have {string.Join(", ", here)}") + most;
    }
}
