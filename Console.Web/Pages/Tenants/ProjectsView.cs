using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Pages.Tenants;

/// <summary>The tree of tenants, as far as the caller sees it, with forms for one more of each.</summary>
public sealed class ProjectsView : LiveView
{
    private readonly ITenancy _tenancy;
    private readonly IAccess _access;
    private readonly IQuotaRequests _requests;
    private IReadOnlyList<Refusal> _answer = [];
    private IReadOnlyList<Refusal> _organizationAnswer = [];

    // One key for one form: pressing twice makes one.
    private string _key = Guid.NewGuid().ToString(), _organizationKey = Guid.NewGuid().ToString();

    public ProjectsView(ITenancy tenancy, IAccess access, IQuotaRequests requests, IChangeFeed feed, Caller caller) : base(caller)
    {
        (_tenancy, _access, _requests) = (tenancy, access, requests);
        Listen(feed, change => change.ConcernsRightsOf(caller.Principal) || change.Kind is "project" or "organization" or "vm" or "quota-request", _ => Load());
    }

    public IReadOnlyList<OrganizationView> Organizations { get; private set; } = [];
    public IReadOnlyList<ProjectView> Projects { get; private set; } = [];

    /// <summary>Somewhere they may make projects; what makes and deletes them is for those.</summary>
    public bool MayManage { get; private set; }

    /// <summary>Requests for more that wait for the caller to decide.</summary>
    public IReadOnlyList<QuotaRequestView> Waiting { get; private set; } = [];

    public string Name { get; set; } = "";
    public string Description { get; set; } = "";
    public string Organization { get; set; } = "";
    public string OrganizationName { get; set; } = "";
    public string OrganizationDescription { get; set; } = "";

    /// <summary>What the last deletion was answered, where it was refused.</summary>
    public IReadOnlyList<Refusal> DeleteAnswer { get; private set; } = [];

    public CreateProject Request => new(Text(Name), Text(Organization) ?? Organizations.FirstOrDefault()?.Name, Text(Description));
    public CreateOrganization OrganizationRequest => new(Text(OrganizationName), Text(OrganizationDescription));

    public IReadOnlyList<(string, string)> OrganizationChoices => [.. Organizations.Select(o => (o.Name, o.Name))];

    public IReadOnlyList<string> ErrorsOf(string field) => [.. _answer.Where(r => r.Names(field)).Select(r => r.Message)];
    public IReadOnlyList<string> OrganizationErrorsOf(string field) => [.. _organizationAnswer.Where(r => r.Names(field)).Select(r => r.Message)];
    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => r.Field is not ("name" or "description" or "organization"))];
    public IReadOnlyList<Refusal> OtherOrganizationRefusals => [.. _organizationAnswer.Where(r => r.Field is not ("name" or "description"))];

    public async Task Add()
    {
        var made = await _tenancy.CreateProject(Caller, Request, _key, Stop);
        _answer = made.Refusals;
        if (made.Succeeded) (Name, Description, _key) = ("", "", Guid.NewGuid().ToString());
        await Load();
    }

    public async Task AddOrganization()
    {
        var made = await _tenancy.CreateOrganization(Caller, OrganizationRequest, _organizationKey, Stop);
        _organizationAnswer = made.Refusals;
        if (made.Succeeded) (OrganizationName, OrganizationDescription, _organizationKey, Organization) = ("", "", Guid.NewGuid().ToString(), made.Value.Name);
        await Load();
    }

    public async Task Delete(ProjectView project)
    {
        DeleteAnswer = (await _tenancy.DeleteProject(Caller, project.Id.ToString(), Stop)).Refusals;
        await Load();
    }

    public async Task Delete(OrganizationView organization)
    {
        DeleteAnswer = (await _tenancy.DeleteOrganization(Caller, organization.Id.ToString(), Stop)).Refusals;
        await Load();
    }

    protected override async Task Read()
    {
        Organizations = Take(await _tenancy.Organizations(Caller, Stop)) ?? [];
        MayManage = (await _access.Allowed(Caller, Permissions.ProjectManage, null, Stop)).Succeeded;
        Waiting = await _requests.Waiting(Caller, Stop) is { Succeeded: true } waiting ? waiting.Value! : [];
        if (Refusals.Count == 0) Projects = Take(await _tenancy.Projects(Caller, Stop)) ?? [];
        if (Organizations.All(o => o.Name != Organization)) Organization = Organizations.FirstOrDefault()?.Name ?? "";
    }

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;
}
