using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Pages.Tenants;

/// <summary>People, the roles that they have and where, and forms to invite somebody and to give a role.</summary>
public sealed class PeopleView : LiveView
{
    /// <summary>What the choice of a scope says for the whole platform.</summary>
    public const string Platform = "";

    private const string Unchosen = "-";

    private readonly IAccess _access;
    private readonly ITenancy _tenancy;
    private readonly IElevations _elevations;
    private readonly Dictionary<ElevationId, IReadOnlyList<Refusal>> _decisions = [];
    private IReadOnlyList<Refusal> _answer = [];
    private IReadOnlyList<Refusal> _giveAnswer = [];
    private string _giveKey = Guid.NewGuid().ToString();

    public PeopleView(IAccess access, ITenancy tenancy, IElevations elevations, IChangeFeed feed, Caller caller) : base(caller)
    {
        (_access, _tenancy, _elevations) = (access, tenancy, elevations);
        Listen(feed, change => change.ConcernsRightsOf(caller.Principal) || change.Kind is "project" or "organization" or "elevation", _ => Load());
    }

    public IReadOnlyList<UserView> Users { get; private set; } = [];
    public IReadOnlyList<RoleView> Roles { get; private set; } = [];
    public IReadOnlyList<RoleBindingView> Bindings { get; private set; } = [];
    public IReadOnlyList<(string, string)> Scopes { get; private set; } = [];

    /// <summary>Roles that somebody asked for, for a few hours.</summary>
    public IReadOnlyList<ElevationView> Elevations { get; private set; } = [];

    /// <summary>What is typed as the answer to each.</summary>
    public Dictionary<ElevationId, string> Answers { get; } = [];

    public IReadOnlyList<string> ErrorsOf(ElevationView elevation) => [.. _decisions.GetValueOrDefault(elevation.Id, []).Select(r => r.Message)];

    public async Task Approve(ElevationView elevation) => await Decide(elevation, await _elevations.Approve(Caller, elevation.Id, new DecideElevation(Answers.GetValueOrDefault(elevation.Id)), Stop));

    public async Task Refuse(ElevationView elevation) => await Decide(elevation, await _elevations.Refuse(Caller, elevation.Id, new DecideElevation(Answers.GetValueOrDefault(elevation.Id)), Stop));

    public async Task End(ElevationView elevation) => await Decide(elevation, await _elevations.End(Caller, elevation.Id, Stop));

    private async Task Decide(ElevationView elevation, Result<ElevationView> result)
    {
        _decisions[elevation.Id] = result.Refusals;
        await Load();
    }

    /// <summary>Somewhere they may say who does what; forms are for those.</summary>
    public bool MayGive { get; private set; }

    public string Name { get; set; } = "";
    public string Role { get; set; } = "project-member";
    public string Scope { get; set; } = Unchosen;
    public string Subject { get; set; } = "";
    public string GiveRole { get; set; } = "project-member";
    public string GiveScope { get; set; } = Unchosen;
    public string Hours { get; set; } = "";

    /// <summary>The link of who was invited last; shown this once.</summary>
    public SignInLinkView? Link { get; private set; }

    /// <summary>What an act on a row was answered, where it was refused.</summary>
    public IReadOnlyList<Refusal> ActAnswer { get; private set; } = [];

    public InviteUser Request => new(Text(Name), Role, ScopeChoices.Organization(Scope), ScopeChoices.Project(Scope));
    public BindRole GiveRequest => new(Text(Subject), GiveRole, null, ScopeChoices.Organization(GiveScope), ScopeChoices.Project(GiveScope), long.TryParse(Hours, out var hours) ? hours : null);

    public IReadOnlyList<(string, string)> RoleChoices => [.. Roles.Select(r => (r.Name, r.Title))];
    public IReadOnlyList<(string, string)> SubjectChoices => [("", "Choose somebody"), .. Users.Select(u => (u.Name, u.Name))];

    public string MeaningOf(string role) => Roles.FirstOrDefault(r => r.Name == role)?.Meaning ?? "";

    public IReadOnlyList<string> ErrorsOf(string field) => [.. _answer.Where(r => r.Names(field)).Select(r => r.Message)];
    public IReadOnlyList<string> GiveErrorsOf(string field) => [.. _giveAnswer.Where(r => r.Names(field)).Select(r => r.Message)];
    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => r.Field is not ("name" or "role"))];
    public IReadOnlyList<Refusal> OtherGiveRefusals => [.. _giveAnswer.Where(r => r.Field is not ("subject" or "role" or "hours"))];

    public async Task Invite()
    {
        var made = await _access.Invite(Caller, Request, Stop);
        _answer = made.Refusals;
        if (made.Succeeded) (Link, Name) = (made.Value, "");
        await Load();
    }

    public async Task Give()
    {
        var made = await _access.Bind(Caller, GiveRequest, _giveKey, Stop);
        _giveAnswer = made.Refusals;
        if (made.Succeeded) (Subject, Hours, _giveKey) = ("", "", Guid.NewGuid().ToString());
        await Load();
    }

    public async Task Take(RoleBindingView binding) => await Act(await _access.Unbind(Caller, binding.Id, Stop));

    public async Task Disable(UserView user) => await Act(await _access.Disable(Caller, user.Id, !user.Disabled, Stop));

    public async Task ResetSecondFactor(UserView user) => await Act(await _access.ResetSecondFactor(Caller, user.Id, Stop));

    public async Task NewLink(UserView user)
    {
        var made = await _access.NewLink(Caller, user.Id, Stop);
        if (made.Succeeded) Link = made.Value;
        await Act(made);
    }

    public void ForgetLink() => Link = null;

    private async Task Act<T>(Result<T> result)
    {
        ActAnswer = result.Refusals;
        await Load();
    }

    protected override async Task Read()
    {
        Users = Take(await _access.Users(Caller, Stop)) ?? [];
        if (Refusals.Count > 0) return;
        MayGive = (await _access.Allowed(Caller, Permissions.AccessManage, null, Stop)).Succeeded;
        Elevations = await _elevations.List(Caller, Stop) is { Succeeded: true, Value: { } asked } ? asked : [];
        Roles = Take(await _access.Roles(Caller, Stop)) ?? [];
        Bindings = Take(await _access.Bindings(Caller, new BindingQuery(), Stop)) ?? [];
        Scopes =
        [
            .. await _access.Mine(Caller, Permissions.AccessManage, null, Stop) is { Succeeded: true, Value: [{ Allowed: true }] } ? new[] { (Platform, "the platform") } : [],
            .. await ScopeChoices.Read(_tenancy, Caller, Stop),
        ];
        if (Scopes.All(s => s.Item1 != Scope)) Scope = Scopes.Count > 0 ? Scopes[^1].Item1 : Platform;
        if (Scopes.All(s => s.Item1 != GiveScope)) GiveScope = Scope;
    }

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;
}
