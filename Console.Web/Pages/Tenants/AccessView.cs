using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Tenants;

/// <summary>Who may do this, and what may this person do: both as the URL asks.</summary>
public sealed class AccessView : LiveView
{
    private readonly IAccess _access;
    private readonly IAccessQuestions _questions;
    private readonly ITenancy _tenancy;

    public AccessView(IAccess access, IAccessQuestions questions, ITenancy tenancy, IChangeFeed feed, Caller caller, string? permission = null, string? on = null, string? person = null) : base(caller)
    {
        (_access, _questions, _tenancy) = (access, questions, tenancy);
        (Permission, On, Person) = (permission is { Length: > 0 } ? permission : Permissions.VmDelete, on ?? "", person ?? "");
        Listen(feed, change => change.ConcernsRightsOf(caller.Principal) || change.Kind is "project" or "organization", _ => Load());
    }

    /// <summary>As the URL has it: a permission, and "", "o:ID" or "p:ID".</summary>
    public string Permission { get; }
    public string On { get; private set; }
    public string Person { get; }

    public IReadOnlyList<(string, string)> Scopes { get; private set; } = [];
    public IReadOnlyList<(string, string)> People { get; private set; } = [];
    public IReadOnlyList<WhoView> Who { get; private set; } = [];
    public IReadOnlyList<Refusal> WhoRefusals { get; private set; } = [];
    public IReadOnlyList<ReachView> Reach { get; private set; } = [];
    public IReadOnlyList<Refusal> ReachRefusals { get; private set; } = [];

    public static IReadOnlyList<(string, string)> PermissionChoices { get; } = [.. Permissions.All.Where(p => !Permissions.IsOwn(p)).Order(StringComparer.Ordinal).Select(p => (p, p))];

    protected override async Task Read()
    {
        var users = Take(await _access.Users(Caller, Stop));
        if (users is null) return;
        var clients = await _access.Bindings(Caller, new BindingQuery(), Stop) is { Succeeded: true, Value: { } bindings } ? bindings.Where(b => b.SubjectKind == "client").Select(b => b.Subject).Distinct() : [];
        People = [("", "Choose somebody"), .. users.Select(u => (u.Id.ToString(), u.Name)), .. clients.Order(StringComparer.Ordinal).Select(c => (c, $"{c} (API client)"))];
        Scopes =
        [
            .. await _access.Mine(Caller, Permissions.AccessRead, null, Stop) is { Succeeded: true, Value: [{ Allowed: true }] } ? new[] { ("", "the platform") } : [],
            .. await ScopeChoices.Read(_tenancy, Caller, Stop),
        ];
        if (Scopes.All(s => s.Item1 != On) && Scopes.Count > 0) On = Scopes[^1].Item1;
        var who = await _questions.Who(Caller, new WhoQuery(Permission, ScopeChoices.Organization(On), ScopeChoices.Project(On)), Stop);
        (Who, WhoRefusals) = (who.Succeeded ? who.Value! : [], who.Refusals);
        if (Person.Length == 0)
        {
            (Reach, ReachRefusals) = ([], []);
            return;
        }
        var reach = await _questions.Reach(Caller, Person, Stop);
        (Reach, ReachRefusals) = (reach.Succeeded ? reach.Value! : [], reach.Refusals);
    }
}
