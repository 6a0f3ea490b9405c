using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>Organizations, projects, people and their roles, through the use cases.</summary>
public class TenancyTests : Stage
{
    private ITenancy Tenancy => The<ITenancy>();
    private IAccess Access => The<IAccess>();

    private Task<Caller> Invite(string name, string role, string? organization = null, string? project = null) => Invite(Ana, name, role, organization, project);

    private async Task<Caller> Invite(Caller by, string name, string role, string? organization = null, string? project = null)
    {
        var invited = Ok(await Access.Invite(by, new InviteUser(name, role, organization, project), Stop));
        return new Caller(new Principal(PrincipalKind.User, invited.User.Id.ToString(), name), "192.0.2.8");
    }

    private async Task<ProjectView> Project_(string name, string organization) => Ok(await Tenancy.CreateProject(Ana, new CreateProject(name, organization), null, Stop));

    [Fact]
    public async Task A_project_is_made_renamed_and_deleted_and_comes_with_a_network()
    {
        Ok(await Tenancy.CreateOrganization(Ana, new CreateOrganization("acme", "Road runners"), null, Stop));
        var project = await Project_("web", "acme");
        Assert.Equal(("acme", 0), (project.Organization, project.Vms));
        var network = Assert.Single(Ok(await The<INetworks>().List(Ana, "web", Stop)));
        Assert.Equal(("default", "vxlan"), (network.Name, network.Kind));

        Assert.Equal("name_taken", No(await Tenancy.CreateProject(Ana, new CreateProject("web", "acme"), null, Stop)).Code);
        var renamed = Ok(await Tenancy.UpdateProject(Ana, "web", new UpdateTenant("shop"), project.Version, Stop));
        Assert.Equal(("shop", project.Id), (renamed.Name, renamed.Id));
        Assert.Equal("stale_version", No(await Tenancy.UpdateProject(Ana, "shop", new UpdateTenant("again"), project.Version, Stop)).Code);
        Assert.Equal("organization_in_use", No(await Tenancy.DeleteOrganization(Ana, "acme", Stop)).Code);

        await Image();
        var created = Ok(await Vms.Create(Ana, "shop", Request("web-1"), null, Stop));
        Assert.Contains("1 VM (web-1)", No(await Tenancy.DeleteProject(Ana, "shop", Stop)).Message, StringComparison.Ordinal);
        Ok(await Operations.Cancel(Ana, created.Id, Stop));
        await Drive();
        Ok(await Tenancy.DeleteProject(Ana, "shop", Stop));
        Assert.Equal("project_not_found", No(await Tenancy.Project(Ana, "shop", Stop)).Code);
        Ok(await Tenancy.DeleteOrganization(Ana, "acme", Stop));
    }

    [Fact]
    public async Task What_comes_with_the_console_stays()
    {
        Assert.Equal("project_kept", No(await Tenancy.DeleteProject(Ana, "default", Stop)).Code);
        Assert.Equal("organization_kept", No(await Tenancy.DeleteOrganization(Ana, "default", Stop)).Code);
        Assert.Equal("role_kept", No(await Access.DeleteRole(Ana, "auditor", Stop)).Code);
    }

    [Fact]
    public async Task Two_tenants_have_projects_of_one_name_and_neither_learns_of_the_other()
    {
        foreach (var name in new[] { "acme", "rivals" }) Ok(await Tenancy.CreateOrganization(Ana, new CreateOrganization(name), null, Stop));
        var ours = await Project_("web", "acme");
        var theirs = await Project_("web", "rivals");
        var bea = await Invite("bea", "project-member", project: ours.Id.ToString());
        var carl = await Invite("carl", "organization-admin", organization: "rivals");

        Assert.Equal(ours.Id, Ok(await Tenancy.Project(bea, "web", Stop)).Id);
        Assert.Equal(theirs.Id, Ok(await Tenancy.Project(carl, "web", Stop)).Id);
        Assert.Equal(["acme"], Ok(await Tenancy.Organizations(bea, Stop)).Select(o => o.Name));
        Assert.Equal("project_not_found", No(await Tenancy.Project(bea, theirs.Id.ToString(), Stop)).Code);
        Assert.Equal("project_ambiguous", No(await Tenancy.Project(Ana, "web", Stop)).Code);

        await Image();
        Ok(await Vms.Create(bea, "web", Request("same-name"), null, Stop));
        Ok(await Vms.Create(carl, "web", Request("same-name"), null, Stop));
        Assert.Single(Ok(await Vms.List(bea, "web", new VmQuery(), new Window(), Stop)).Items);
        Assert.Single(Ok(await Operations.List(bea, new OperationQuery(), new Window(), Stop)).Items);
        Assert.All(Ok(await The<ISearch>().Find(bea, "same-name", 20, Stop)).Items.Where(h => h.Kind == "vm"), h => Assert.Equal("web", h.Project));
        Assert.Single(Ok(await The<ISearch>().Find(bea, "same-name", 20, Stop)).Items, h => h.Kind == "vm");
        // Their own part of the ledger, and nobody else's.
        Assert.All(Ok(await The<IAuditLog>().List(bea, new AuditQuery(), new Window(), Stop)).Items, e => Assert.Equal(ours.Id, e.Project));
    }

    [Fact]
    public async Task Nobody_gives_more_than_they_have_and_a_role_is_given_where_it_belongs()
    {
        Ok(await Tenancy.CreateOrganization(Ana, new CreateOrganization("acme"), null, Stop));
        var web = await Project_("web", "acme");
        var boss = await Invite("boss", "organization-admin", organization: "acme");
        var bea = await Invite("bea", "project-viewer", project: web.Id.ToString());

        Ok(await Access.Bind(boss, new BindRole("bea", "project-member", Project: web.Id.ToString()), null, Stop));
        Assert.Equal("forbidden", No(await Access.Bind(boss, new BindRole("bea", "platform-admin"), null, Stop)).Code);
        Assert.Equal("forbidden", No(await Access.Bind(bea, new BindRole("bea", "project-member", Project: web.Id.ToString()), null, Stop)).Code);
        Assert.Equal("scope_too_narrow", No(await Access.Bind(Ana, new BindRole("bea", "auditor", Project: web.Id.ToString()), null, Stop)).Code);
        Assert.Equal("scope_too_wide", No(await Access.Bind(Ana, new BindRole("bea", "project-member"), null, Stop)).Code);
        Assert.Equal("unknown_user", No(await Access.Bind(Ana, new BindRole("zoe", "project-member", Project: web.Id.ToString()), null, Stop)).Code);

        // Given again it is the same one, with its new end.
        var first = Ok(await Access.Bind(Ana, new BindRole("bea", "project-member", Project: web.Id.ToString(), Hours: 2), null, Stop));
        Assert.Equal(Time.GetUtcNow().AddHours(2), first.Until);
        Assert.Equal(2, Ok(await Access.Bindings(Ana, new BindingQuery(Subject: "bea"), Stop)).Count);
        Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal("forbidden", No(await The<INetworks>().Create(bea, "web", new CreateNetwork("n", "10.1.0.0/24"), null, Stop)).Code);
    }

    [Fact]
    public async Task The_last_who_decides_over_the_platform_keeps_that()
    {
        var bindings = Ok(await Access.Bindings(Ana, new BindingQuery(), Stop));
        var mine = bindings.Single(b => b.Subject == Ana.Principal.Id);
        Assert.Equal("last_admin", No(await Access.Unbind(Ana, mine.Id, Stop)).Code);
        var second = await Invite("second", "platform-admin");
        Ok(await Access.Unbind(Ana, mine.Id, Stop));
        Assert.Equal("forbidden", No(await Access.Users(Ana, Stop)).Code);

        // Neither by an end that is set, nor by somebody whose own time is short.
        Assert.Equal("last_admin", No(await Access.Bind(second, new BindRole("second", "platform-admin", Hours: 1), null, Stop)).Code);
        var brief = await Invite(second, "brief", "platform-operator");
        Ok(await Access.Bind(second, new BindRole("brief", "platform-admin", Hours: 1), null, Stop));
        Assert.Equal("last_admin", No(await Access.Disable(brief, new UserId(Guid.Parse(second.Principal.Id)), true, Stop)).Code);
        // Whoever is shut out is nobody to fall back on.
        var third = await Invite(second, "third", "platform-admin");
        Ok(await Access.Disable(second, new UserId(Guid.Parse(third.Principal.Id)), true, Stop));
        var own = Ok(await Access.Bindings(second, new BindingQuery(Subject: "second"), Stop)).Single();
        Assert.Equal("last_admin", No(await Access.Unbind(brief, own.Id, Stop)).Code);
    }

    [Fact]
    public async Task A_role_of_ones_own_holds_what_it_names()
    {
        var role = Ok(await Access.CreateRole(Ana, new CreateRole("starter", "Starts and stops.", ["vm.operate", "vm.read", "project.read"]), null, Stop));
        Assert.Equal(["project.read", "vm.operate", "vm.read"], role.Permissions);
        var web = await Project_("web", "default");
        var dan = await Invite("dan", "starter", project: web.Id.ToString());
        Ok(await Vms.List(dan, "web", new VmQuery(), new Window(), Stop));
        Assert.Contains("needs vm.create on project web; you have starter on project web", No(await Vms.Create(dan, "web", Request("x"), null, Stop)).Message, StringComparison.Ordinal);
        Assert.Equal("role_in_use", No(await Access.DeleteRole(Ana, "starter", Stop)).Code);
        Assert.Equal("unknown_permission", No(await Access.CreateRole(Ana, new CreateRole("odd", "?", ["vm.fly"]), null, Stop)).Code);
    }

    [Fact]
    public async Task A_tenant_learns_of_a_networks_state_and_of_no_address_beneath_it()
    {
        await Image();
        var agent = await Host("kvm-1");
        var web = await Project_("web", "default");
        var bea = await Invite("bea", "project-member", project: web.Id.ToString());
        var created = Ok(await Vms.Create(bea, "web", Request("x"), null, Stop));
        await Place();
        await agent.Reconcile();
        var network = Assert.Single(Ok(await The<INetworks>().List(bea, "web", Stop)));
        var on = Assert.Single(network.Hosts);
        Assert.Equal((null, "a host", 1), (on.Host, on.HostName, on.Vms));
        Assert.Equal("kvm-1", Assert.Single(Ok(await The<INetworks>().List(Ana, "web", Stop))[0].Hosts).HostName);
        Assert.DoesNotContain("kvm-1", string.Join(' ', Ok(await Operations.Get(bea, created.Id, Stop)).Steps.Select(s => s.Detail)));
        Assert.Contains("kvm-1", string.Join(' ', Ok(await Operations.Get(Ana, created.Id, Stop)).Steps.Select(s => s.Detail)));
        Assert.Contains("found for you", No(await Vms.Create(bea, "web", Request("y") with { Host = "kvm-1" }, null, Stop)).Message);
    }

    [Fact]
    public async Task Every_refusal_of_a_tenant_is_in_the_ledger_and_says_why()
    {
        var web = await Project_("web", "default");
        var bea = await Invite("bea", "project-viewer", project: web.Id.ToString());
        await Vms.Create(bea, "web", Request("x"), null, Stop);
        var entry = (await Audit())[^1];
        Assert.Equal(("vm.create", AuditOutcomes.Refused, "bea"), (entry.Action, entry.Outcome, entry.Actor));
        Assert.Contains("needs vm.create on project web; you have project viewer on project web", entry.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_one_may_do_is_told_with_its_reason()
    {
        var web = await Project_("web", "default");
        var bea = await Invite("bea", "project-viewer", project: web.Id.ToString());
        var answers = Ok(await Access.Mine(bea, null, "web", Stop)).ToDictionary(a => a.Permission);
        Assert.Equal((true, "You have project viewer on project web."), (answers["vm.read"].Allowed, answers["vm.read"].Reason));
        Assert.Equal((false, "This needs vm.delete on project web; you have project viewer on project web."), (answers["vm.delete"].Allowed, answers["vm.delete"].Reason));
        Assert.Equal(["project viewer"], Ok(await Access.MyRoles(bea, Stop)).Select(r => r.Title));
    }
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresTenancyTests(PostgresServer server) : TenancyTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
