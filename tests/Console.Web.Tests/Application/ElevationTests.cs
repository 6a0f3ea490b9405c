using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>Roles for a few hours, and who may do what, through the use cases.</summary>
public class ElevationTests : Stage
{
    private static readonly Visitor Laptop = new("192.0.2.8", "Firefox/140.0");

    private IElevations Elevations => The<IElevations>();

    private async Task<Caller> Person(string name, string role, string? organization = null, string? project = null)
    {
        var invited = Ok(await The<IAccess>().Invite(Ana, new InviteUser(name, role, organization, project), Stop));
        return new Caller(Ok(await The<ISignIn>().UseLink(invited.Path.Split("link=")[1], Laptop, Stop)).Person!, "192.0.2.8");
    }

    private async Task<bool> MayCreateOrganizations(Caller who) => (await The<IAccess>().Allowed(who, Permissions.OrganizationManage, null, Stop)).Succeeded;

    [Fact]
    public async Task A_role_is_asked_for_approved_by_a_second_person_and_over_by_itself()
    {
        var (op, admin) = (await Person("op", "platform-operator"), await Person("admin", "platform-admin"));
        Assert.False(await MayCreateOrganizations(op));
        var asked = Ok(await Elevations.Ask(op, new AskForRole("platform-admin", 2, "The disk of kvm-3 is full."), Stop));
        Assert.Equal((ElevationState.Asked, false, true), (asked.State, asked.MayDecide, asked.MayEnd));
        Assert.False(await MayCreateOrganizations(op));
        Assert.Equal("second_person", No(await Elevations.Approve(op, asked.Id, new DecideElevation(), Stop)).Code);
        // A token is no person.
        Assert.Equal("second_person", No(await Elevations.Approve(Bot, asked.Id, new DecideElevation(), Stop)).Code);
        Assert.True(Assert.Single(Ok(await Elevations.List(admin, Stop))).MayDecide);

        var approved = Ok(await Elevations.Approve(admin, asked.Id, new DecideElevation("Be quick."), Stop));
        Assert.Equal((ElevationState.Approved, "admin", Time.GetUtcNow().AddHours(2)), (approved.State, approved.DecidedBy, approved.Until!.Value));
        Assert.True(await MayCreateOrganizations(op));
        Assert.Equal("elevation_closed", No(await Elevations.Approve(admin, asked.Id, new DecideElevation(), Stop)).Code);
        Time.Advance(TimeSpan.FromHours(2));
        Assert.False(await MayCreateOrganizations(op));
        Assert.Equal(ElevationState.Over, Assert.Single(Ok(await Elevations.List(op, Stop))).State);
        var entries = Ok(await The<IAuditLog>().List(Ana, new AuditQuery(), new Window(100), Stop)).Items;
        Assert.Contains(entries, e => e is { Action: "elevation.ask", Actor: "op", Outcome: "done" } && e.Detail.Contains("The disk of kvm-3 is full.", StringComparison.Ordinal));
        Assert.Contains(entries, e => e is { Action: "elevation.approve", Actor: "op", Outcome: "refused" });
        Assert.Contains(entries, e => e is { Action: "elevation.approve", Actor: "admin", Outcome: "done" } && e.Detail.Contains("op: platform admin on the platform until", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_nobody_decides_within_an_hour_is_over_and_what_is_given_back_ends_at_once()
    {
        var (op, admin) = (await Person("op", "platform-operator"), await Person("admin", "platform-admin"));
        var late = Ok(await Elevations.Ask(op, new AskForRole("platform-admin", 1, "Fire."), Stop));
        Time.Advance(Elevation.Patience);
        Assert.Equal("Its time is over.", No(await Elevations.Approve(admin, late.Id, new DecideElevation(), Stop)).Message);

        var asked = Ok(await Elevations.Ask(op, new AskForRole("platform-admin", 1, "Fire."), Stop));
        Assert.Equal("answer", No(await Elevations.Refuse(admin, asked.Id, new DecideElevation(" "), Stop)).Field);
        Assert.Equal(ElevationState.Refused, Ok(await Elevations.Refuse(admin, asked.Id, new DecideElevation("Call me."), Stop)).State);
        var again = Ok(await Elevations.Ask(op, new AskForRole("platform-admin", 1, "Fire."), Stop));
        Ok(await Elevations.Approve(admin, again.Id, new DecideElevation(), Stop));
        Assert.True(await MayCreateOrganizations(op));
        Assert.Equal(ElevationState.Ended, Ok(await Elevations.End(op, again.Id, Stop)).State);
        Assert.False(await MayCreateOrganizations(op));
        // Given for good meanwhile, it stays.
        var kept = Ok(await Elevations.Ask(op, new AskForRole("platform-admin", 1, "Fire."), Stop));
        Ok(await Elevations.Approve(admin, kept.Id, new DecideElevation(), Stop));
        Ok(await The<IAccess>().Bind(admin, new BindRole("op", "platform-admin"), null, Stop));
        Ok(await Elevations.End(op, kept.Id, Stop));
        Assert.True(await MayCreateOrganizations(op));
    }

    [Fact]
    public async Task Nobody_approves_what_they_could_not_give_and_another_tenant_learns_nothing()
    {
        Ok(await The<ITenancy>().CreateOrganization(Ana, new CreateOrganization("acme"), null, Stop));
        Ok(await The<ITenancy>().CreateOrganization(Ana, new CreateOrganization("rivals"), null, Stop));
        Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject("web", "acme"), null, Stop));
        var (viewer, chief, rival) = (await Person("viewer", "project-viewer", project: "web"), await Person("chief", "organization-admin", "acme"), await Person("rival", "organization-admin", "rivals"));
        var high = Ok(await Elevations.Ask(viewer, new AskForRole("platform-admin", 1, "Fire."), Stop));
        Assert.Equal("elevation_not_found", No(await Elevations.Approve(chief, high.Id, new DecideElevation(), Stop)).Code);
        var own = Ok(await Elevations.Ask(viewer, new AskForRole("project-member", 1, "Fire.", Project: "web"), Stop));
        Assert.Equal("elevation_not_found", No(await Elevations.Approve(rival, own.Id, new DecideElevation(), Stop)).Code);
        Assert.Equal("elevation_not_found", No(await Elevations.End(rival, own.Id, Stop)).Code);
        Assert.Empty(Ok(await Elevations.List(rival, Stop)));
        Assert.Equal([own.Id], Ok(await Elevations.List(chief, Stop)).Select(e => e.Id));
        Ok(await Elevations.Approve(chief, own.Id, new DecideElevation(), Stop));
        Assert.True((await The<IAccess>().Allowed(viewer, Permissions.VmCreate, "web", Stop)).Succeeded);
        Assert.Equal("project_not_found", No(await Elevations.Ask(rival, new AskForRole("project-member", 1, "Fire.", Project: "web"), Stop)).Code);
    }

    [Fact]
    public async Task What_is_wrong_is_said_at_its_field()
    {
        var op = await Person("op", "platform-operator");
        Assert.Equal(["hours", "reason", "role"], (await Elevations.Ask(op, new AskForRole("no-such", 9, " "), Stop)).Refusals.Select(r => r.Field).Order());
        Assert.Equal("scope_too_wide", No(await Elevations.Ask(op, new AskForRole("project-member", 1, "Fire."), Stop)).Code);
        for (var i = 0; i < 3; i++) Ok(await Elevations.Ask(op, new AskForRole("platform-admin", 1, "Fire."), Stop));
        Assert.Equal("too_many", No(await Elevations.Ask(op, new AskForRole("platform-admin", 1, "Fire."), Stop)).Code);
    }

    [Fact]
    public async Task The_questions_give_what_the_decision_gives_with_the_role_that_it_comes_from()
    {
        Ok(await The<ITenancy>().CreateOrganization(Ana, new CreateOrganization("acme"), null, Stop));
        foreach (var name in new[] { "web", "data" }) Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject(name, "acme"), null, Stop));
        var (viewer, member, chief) = (await Person("viewer", "project-viewer", project: "web"), await Person("member", "project-member", "acme"), await Person("chief", "organization-admin", "acme"));
        var questions = The<IAccessQuestions>();
        var who = Ok(await questions.Who(chief, new WhoQuery(Permissions.VmDelete, Project: "web"), Stop));
        Assert.Equal(["c-bot", "chief", "member", "u-ana"], who.Select(w => w.SubjectName));
        Assert.Equal("member may vm.delete on project web: project member on organization acme.", who[2].Sentence);
        Assert.Contains("viewer", Ok(await questions.Who(chief, new WhoQuery(Permissions.VmRead, Project: "web"), Stop)).Select(w => w.SubjectName));
        Assert.DoesNotContain("viewer", Ok(await questions.Who(chief, new WhoQuery(Permissions.VmRead, Project: "data"), Stop)).Select(w => w.SubjectName));
        Assert.Equal("permission", No(await questions.Who(chief, new WhoQuery("vm.explode", Project: "web"), Stop)).Field);
        Assert.Equal("forbidden", No(await questions.Who(chief, new WhoQuery(Permissions.VmDelete), Stop)).Code);
        Assert.Equal("forbidden", No(await questions.Who(viewer, new WhoQuery(Permissions.VmDelete, Project: "web"), Stop)).Code);

        var reach = Ok(await questions.Reach(chief, "viewer", Stop));
        Assert.Equal(["project web"], reach.Select(r => r.Where));
        Assert.Contains(Permissions.VmRead, reach[0].Permissions);
        Assert.Equal(["project viewer on project web"], reach[0].Roles);
        Assert.Equal(["organization acme", "project data", "project web"], Ok(await questions.Reach(chief, member.Principal.Id, Stop)).Select(r => r.Where));
        // Of an admin of the platform they learn what holds with them, and no more.
        Assert.DoesNotContain("the platform", Ok(await questions.Reach(chief, "c-bot", Stop)).Select(r => r.Where));
        Assert.Equal("subject_not_found", No(await questions.Reach(chief, "nobody-here", Stop)).Code);
    }

    [Fact]
    public async Task Who_is_shut_out_can_do_nothing_and_a_role_that_is_over_counts_for_nothing()
    {
        var op = await Person("op", "platform-operator");
        Ok(await The<IAccess>().Bind(Ana, new BindRole("op", "platform-admin", Hours: 1), null, Stop));
        var questions = The<IAccessQuestions>();
        Assert.Contains("op", Ok(await questions.Who(Ana, new WhoQuery(Permissions.OrganizationManage), Stop)).Select(w => w.SubjectName));
        Time.Advance(TimeSpan.FromHours(1));
        Assert.DoesNotContain("op", Ok(await questions.Who(Ana, new WhoQuery(Permissions.OrganizationManage), Stop)).Select(w => w.SubjectName));
        Assert.Contains("op", Ok(await questions.Who(Ana, new WhoQuery(Permissions.HostRead), Stop)).Select(w => w.SubjectName));
        Ok(await The<IAccess>().Disable(Ana, new UserId(Guid.Parse(op.Principal.Id)), true, Stop));
        Assert.DoesNotContain("op", Ok(await questions.Who(Ana, new WhoQuery(Permissions.HostRead), Stop)).Select(w => w.SubjectName));
        Assert.Empty(Ok(await questions.Reach(Ana, "op", Stop)));
    }
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresElevationTests(PostgresServer server) : ElevationTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
