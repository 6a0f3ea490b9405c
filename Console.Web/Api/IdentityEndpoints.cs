using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

/// <summary>Tenants, people, and who may do what.</summary>
internal static class IdentityEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var organizations = api.MapGroup("/organizations").WithTags("Organizations");

        organizations.MapGet("", async (HttpContext http, ITenancy use) => Answers.Whole(await use.Organizations(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.ProjectRead).Describe<Page<OrganizationView>>("List organizations", "Those that you have a role in.");

        organizations.MapPost("", async (HttpContext http, ITenancy use, JsonBody<CreateOrganization> body) =>
                Answers.Created(http, await use.CreateOrganization(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), o => $"{ApiRegistration.Root}/organizations/{o.Id}", o => o.Version))
            .Needs(Permissions.OrganizationManage).Describe<OrganizationView>("Create an organization", "", StatusCodes.Status201Created);

        organizations.MapGet("/{organization}", async (HttpContext http, string organization, ITenancy use) =>
                Answers.Resource(http, await use.Organization(http.Caller(), organization, http.RequestAborted), o => o.Version))
            .Needs(Permissions.ProjectRead).Describe<OrganizationView>("Get an organization", "By name or id.");

        organizations.MapPatch("/{organization}", async (HttpContext http, string organization, ITenancy use, JsonBody<UpdateTenant> body) =>
                Answers.Resource(http, await use.UpdateOrganization(http.Caller(), organization, body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), o => o.Version))
            .Needs(Permissions.OrganizationManage).Describe<OrganizationView>("Change name or description", "What is absent stays.");

        organizations.MapDelete("/{organization}", async (HttpContext http, string organization, ITenancy use) =>
                Answers.NoContent(await use.DeleteOrganization(http.Caller(), organization, http.RequestAborted)))
            .Needs(Permissions.OrganizationManage).Describe("Delete an organization", "Refused while it has projects.");

        var projects = api.MapGroup("/projects").WithTags("Projects");

        projects.MapGet("", async (HttpContext http, ITenancy use) => Answers.Whole(await use.Projects(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.ProjectRead).Describe<Page<ProjectView>>("List projects", "Those that you have a role in.");

        projects.MapPost("", async (HttpContext http, ITenancy use, JsonBody<CreateProject> body) =>
                Answers.Created(http, await use.CreateProject(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), p => $"{ApiRegistration.Root}/projects/{p.Id}", p => p.Version))
            .Needs(Permissions.ProjectManage).Describe<ProjectView>("Create a project", "It comes with a network named default. Project names differ within an organization; where two of yours have one name, use the id.", StatusCodes.Status201Created);

        projects.MapGet("/{project}", async (HttpContext http, string project, ITenancy use) =>
                Answers.Resource(http, await use.Project(http.Caller(), Inputs.Project(project), http.RequestAborted), p => p.Version))
            .Needs(Permissions.ProjectRead).Describe<ProjectView>("Get a project", "By name or id.");

        projects.MapPatch("/{project}", async (HttpContext http, string project, ITenancy use, JsonBody<UpdateTenant> body) =>
                Answers.Resource(http, await use.UpdateProject(http.Caller(), Inputs.Project(project), body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), p => p.Version))
            .Needs(Permissions.ProjectManage).Describe<ProjectView>("Change name or description", "What is absent stays.");

        projects.MapDelete("/{project}", async (HttpContext http, string project, ITenancy use) =>
                Answers.NoContent(await use.DeleteProject(http.Caller(), Inputs.Project(project), http.RequestAborted)))
            .Needs(Permissions.ProjectManage).Describe("Delete a project", "Refused while VMs or volumes are in it. Its networks and the roles given on it go with it; its past stays readable.");

        organizations.MapGet("/{organization}/quota", async (HttpContext http, string organization, IQuotas use) =>
                Answers.Resource(http, await use.OfOrganization(http.Caller(), organization, http.RequestAborted), q => q.Version))
            .Needs(Permissions.ProjectRead).Describe<QuotaView>("Get an organization's quota", "What its projects may have together, and have.");

        organizations.MapPut("/{organization}/quota", async (HttpContext http, string organization, IQuotas use, JsonBody<SetQuota> body) =>
                Answers.Resource(http, await use.SetOrganization(http.Caller(), organization, body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), q => q.Version))
            .Needs(Permissions.OrganizationManage).Describe<QuotaView>("Set an organization's quota", "The limits as a whole. Less than is in use takes nothing away: nothing more is given.");

        projects.MapGet("/{project}/quota", async (HttpContext http, string project, IQuotas use) =>
                Answers.Resource(http, await use.OfProject(http.Caller(), Inputs.Project(project), http.RequestAborted), q => q.Project.Version))
            .Needs(Permissions.ProjectRead).Describe<ProjectQuotaView>("Get a project's quota", "What may be in it, and is; and the limits of its organization, which bind it too.");

        projects.MapPut("/{project}/quota", async (HttpContext http, string project, IQuotas use, JsonBody<SetQuota> body) =>
                Answers.Resource(http, await use.SetProject(http.Caller(), Inputs.Project(project), body.Value, Inputs.ExpectedVersion(http), http.RequestAborted), q => q.Project.Version))
            .Needs(Permissions.QuotaManage).Describe<ProjectQuotaView>("Set a project's quota", "The limits as a whole, by somebody who has quota.manage on its organization. Less than is in use takes nothing away: nothing more is given.");

        var requests = projects.MapGroup("/{project}/quota-requests");

        requests.MapGet("", async (HttpContext http, string project, IQuotaRequests use) => Answers.Whole(await use.OfProject(http.Caller(), Inputs.Project(project), http.RequestAborted)))
            .Needs(Permissions.ProjectRead).Describe<Page<QuotaRequestView>>("List a project's requests for more", "The newest first.");

        requests.MapPost("", async (HttpContext http, string project, IQuotaRequests use, JsonBody<AskForQuota> body) =>
                Answers.Created(http, await use.Ask(http.Caller(), Inputs.Project(project), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), r => $"{ApiRegistration.Root}/projects/{r.Project}/quota-requests", r => r.Version))
            .Needs(Permissions.VmCreate).Describe<QuotaRequestView>("Ask for a higher quota", "It waits for somebody who sets the project's limits.", StatusCodes.Status201Created);

        requests.MapPost("/{request}/grant", async (HttpContext http, string project, string request, IQuotaRequests use, JsonBody<AnswerQuota> body) =>
                Answers.Resource(http, await use.Grant(http.Caller(), Inputs.Project(project), Inputs.Id<QuotaRequestId>(request, "request"), body.Value, http.RequestAborted), r => r.Version))
            .Needs(Permissions.QuotaManage).Describe<QuotaRequestView>("Grant a request for more", "Raises the project's limits to those asked for; what is as high by now stays.");

        requests.MapPost("/{request}/refuse", async (HttpContext http, string project, string request, IQuotaRequests use, JsonBody<AnswerQuota> body) =>
                Answers.Resource(http, await use.Refuse(http.Caller(), Inputs.Project(project), Inputs.Id<QuotaRequestId>(request, "request"), body.Value, http.RequestAborted), r => r.Version))
            .Needs(Permissions.QuotaManage).Describe<QuotaRequestView>("Refuse a request for more", "With an answer that says why.");

        requests.MapDelete("/{request}", async (HttpContext http, string project, string request, IQuotaRequests use) =>
                Answers.Resource(http, await use.Withdraw(http.Caller(), Inputs.Project(project), Inputs.Id<QuotaRequestId>(request, "request"), http.RequestAborted), r => r.Version))
            .Needs(Permissions.VmCreate).Describe<QuotaRequestView>("Withdraw a request for more", "While nobody has decided.");

        api.MapGet("/quota-requests", async (HttpContext http, IQuotaRequests use) => Answers.Whole(await use.Waiting(http.Caller(), http.RequestAborted)))
            .WithTags("Projects").Needs(Permissions.QuotaManage).Describe<Page<QuotaRequestView>>("List requests for more that wait for you", "Of the projects whose limits you set; the oldest first.");

        var roles = api.MapGroup("/roles").WithTags("Access");

        roles.MapGet("", async (HttpContext http, IAccess use) => Answers.Whole(await use.Roles(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.AccessRead).Describe<Page<RoleView>>("List roles", "Named sets of permissions: those that every console has, and own ones.");

        roles.MapPost("", async (HttpContext http, IAccess use, JsonBody<CreateRole> body) =>
                Answers.Created(http, await use.CreateRole(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), r => $"{ApiRegistration.Root}/roles"))
            .Needs(Permissions.AccessManage).Describe<RoleView>("Make a role", "permissions: area.verb, as GET /api/v1/access lists them.", StatusCodes.Status201Created);

        roles.MapDelete("/{role}", async (HttpContext http, string role, IAccess use) => Answers.NoContent(await use.DeleteRole(http.Caller(), role, http.RequestAborted)))
            .Needs(Permissions.AccessManage).Describe("Delete a role", "Refused while somebody has it.");

        var bindings = api.MapGroup("/role-bindings").WithTags("Access");

        bindings.MapGet("", async (HttpContext http, IAccess use, string? organization, string? project, string? subject) =>
                Answers.Whole(await use.Bindings(http.Caller(), new BindingQuery(Inputs.Text(organization, "organization"), Inputs.Text(project, "project"), Inputs.Text(subject, "subject")), http.RequestAborted)))
            .Needs(Permissions.AccessRead).Describe<Page<RoleBindingView>>("Who has which role", "Filters: organization or project (what counts there, from wherever it comes), subject (name or id).");

        bindings.MapPost("", async (HttpContext http, IAccess use, JsonBody<BindRole> body) =>
                Answers.Created(http, await use.Bind(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted), b => $"{ApiRegistration.Root}/role-bindings", b => b.Version))
            .Needs(Permissions.AccessManage).Describe<RoleBindingView>("Give a role", "On a project, an organization, or without either on the platform. Nobody gives more than they have. Given again, the end is set anew.", StatusCodes.Status201Created);

        bindings.MapDelete("/{binding}", async (HttpContext http, string binding, IAccess use) =>
                Answers.NoContent(await use.Unbind(http.Caller(), Inputs.Id<RoleBindingId>(binding, "binding"), http.RequestAborted)))
            .Needs(Permissions.AccessManage).Describe("Take a role away", "Counts at once, on open pages, watches and consoles too.");

        var elevations = api.MapGroup("/elevations").WithTags("Access");

        elevations.MapGet("", async (HttpContext http, IElevations use) => Answers.Whole(await use.List(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.Personal).Describe<Page<ElevationView>>("List roles asked for in an emergency", "Your own, and those of others where you read who may do what; the newest first.");

        elevations.MapPost("", async (HttpContext http, IElevations use, JsonBody<AskForRole> body) =>
                Answers.Created(http, await use.Ask(http.Caller(), body.Value, http.RequestAborted), e => $"{ApiRegistration.Root}/elevations"))
            .Needs(Permissions.Account).Describe<ElevationView>("Ask for a role for a few hours", "With a reason. A second person, who could give the role, has an hour to approve it.", StatusCodes.Status201Created);

        elevations.MapPost("/{elevation}/approve", async (HttpContext http, string elevation, IElevations use, JsonBody<DecideElevation> body) =>
                Answers.Ok(await use.Approve(http.Caller(), Inputs.Id<ElevationId>(elevation, "elevation"), body.Value, http.RequestAborted)))
            .Needs(Permissions.Personal).Describe<ElevationView>("Approve a role for a few hours", "As a second person, who has access.manage there and everything that the role holds.");

        elevations.MapPost("/{elevation}/refuse", async (HttpContext http, string elevation, IElevations use, JsonBody<DecideElevation> body) =>
                Answers.Ok(await use.Refuse(http.Caller(), Inputs.Id<ElevationId>(elevation, "elevation"), body.Value, http.RequestAborted)))
            .Needs(Permissions.Personal).Describe<ElevationView>("Refuse a role for a few hours", "With an answer that says why.");

        elevations.MapPost("/{elevation}/end", async (HttpContext http, string elevation, IElevations use, JsonBody<Nothing> body) =>
                Answers.Ok(await use.End(http.Caller(), Inputs.Id<ElevationId>(elevation, "elevation"), http.RequestAborted)))
            .Needs(Permissions.Personal).Describe<ElevationView>("End a role for a few hours", "Withdraws it, gives it back, or takes it away from somebody.");

        api.MapGet("/access", async (HttpContext http, IAccess use, string? permission, string? project) =>
                Answers.Whole(await use.Mine(http.Caller(), Inputs.Text(permission, "permission"), Inputs.Text(project, "project"), http.RequestAborted)))
            .WithTags("Access").Needs(Permissions.Personal).Describe<Page<AccessAnswer>>("What you may do, and why", "On the platform, or in a project; one permission or all.");

        api.MapGet("/access/who", async (HttpContext http, IAccessQuestions use, string? permission, string? organization, string? project) =>
                Answers.Whole(await use.Who(http.Caller(), new WhoQuery(Inputs.Text(permission, "permission"), Inputs.Text(organization, "organization"), Inputs.Text(project, "project")), http.RequestAborted)))
            .WithTags("Access").Needs(Permissions.AccessRead).Describe<Page<WhoView>>("Who may do this, and why", "permission on a project, an organization, or without either on the platform.");

        api.MapGet("/access/reach", async (HttpContext http, IAccessQuestions use, string? subject) =>
                Answers.Whole(await use.Reach(http.Caller(), Inputs.Text(subject, "subject"), http.RequestAborted)))
            .WithTags("Access").Needs(Permissions.AccessRead).Describe<Page<ReachView>>("What somebody may do where, and why", "subject: name or id of a person, or id of an API client. Of what you may know.");

        api.MapGet("/me/roles", async (HttpContext http, IAccess use) => Answers.Whole(await use.MyRoles(http.Caller(), http.RequestAborted)))
            .WithTags("Personal").Needs(Permissions.Personal).Describe<Page<OwnRoleView>>("Your roles", "What you have now, and where.");

        var users = api.MapGroup("/users").WithTags("People");

        users.MapGet("", async (HttpContext http, IAccess use) => Answers.Whole(await use.Users(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.AccessRead).Describe<Page<UserView>>("List people", "All of them for those who look after the platform; otherwise those who have a role where you look after it.");

        users.MapPost("", async (HttpContext http, IAccess use, JsonBody<InviteUser> body) =>
                Answers.Created(http, await use.Invite(http.Caller(), body.Value, http.RequestAborted), l => $"{ApiRegistration.Root}/users", l => l.User.Version))
            .Needs(Permissions.AccessManage).Describe<SignInLinkView>("Invite somebody", "Makes the person, gives the role, and answers with the link that signs them in once, within three days. It is shown this once.", StatusCodes.Status201Created);

        users.MapPost("/{user}/sign-in-link", async (HttpContext http, string user, IAccess use, JsonBody<Nothing> body) =>
                Answers.Ok(await use.NewLink(http.Caller(), User(user), http.RequestAborted)))
            .Needs(Permissions.AccessManage).Describe<SignInLinkView>("Another sign-in link", "Former ones that were not used stop working.");

        users.MapPost("/{user}/reset-second-factor", async (HttpContext http, string user, IAccess use, JsonBody<Nothing> body) =>
                Answers.Ok(await use.ResetSecondFactor(http.Caller(), User(user), http.RequestAborted)))
            .Needs(Permissions.AccessManage).Describe<UserView>("Ask no code of somebody any more", "For somebody who lost their authenticator app and its recovery codes.");

        users.MapPost("/{user}/disable", async (HttpContext http, string user, IAccess use, JsonBody<Nothing> body) =>
                Answers.Ok(await use.Disable(http.Caller(), User(user), true, http.RequestAborted)))
            .Needs(Permissions.AccessManage).Describe<UserView>("Shut somebody out", "Every session ends at once and none can begin; roles stay for when this is lifted.");

        users.MapPost("/{user}/enable", async (HttpContext http, string user, IAccess use, JsonBody<Nothing> body) =>
                Answers.Ok(await use.Disable(http.Caller(), User(user), false, http.RequestAborted)))
            .Needs(Permissions.AccessManage).Describe<UserView>("Let somebody in again", "");
    }

    private static UserId User(string text) => Inputs.Id<UserId>(text, "user");
}
