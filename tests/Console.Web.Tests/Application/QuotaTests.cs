using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Plinth.Core.Identity;
using Plinth.Core.Quotas;
using Plinth.Web.Application;
using Plinth.Web.Persistence;
using Plinth.Web.Tests.Persistence;

namespace Plinth.Web.Tests.Application;

/// <summary>Limits of projects and organizations, through everything that takes something.</summary>
public class QuotaTests : Stage
{
    private IQuotas Quotas => The<IQuotas>();

    private async Task<(ProjectView Web, ProjectView Data)> Acme()
    {
        Ok(await The<ITenancy>().CreateOrganization(Ana, new CreateOrganization("acme"), null, Stop));
        var web = Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject("web", "acme"), null, Stop));
        return (web, Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject("data", "acme"), null, Stop)));
    }

    private async Task<ProjectQuotaView> Limit(string project, params (string Resource, long Limit)[] limits) =>
        Ok(await Quotas.SetProject(Ana, project, new SetQuota(limits.ToDictionary(l => l.Resource, l => (long?)l.Limit)), null, Stop));

    private async Task LimitAcme(params (string Resource, long Limit)[] limits) =>
        Ok(await Quotas.SetOrganization(Ana, "acme", new SetQuota(limits.ToDictionary(l => l.Resource, l => (long?)l.Limit)), null, Stop));

    private async Task<long> Used(string project, string resource) => Ok(await Quotas.OfProject(Ana, project, Stop)).Project.Lines.Single(l => l.Resource == resource).Used;

    private static CreateVm Sized(string name, long vcpus = 1, long memoryMib = 512, long diskGib = 2) => new(name, "mini", Vcpus: vcpus, MemoryMib: memoryMib, DiskGib: diskGib);

    [Fact]
    public async Task Fifty_at_once_get_exactly_as_much_as_there_is()
    {
        await Acme();
        await Image();
        await LimitAcme((QuotaResources.Vcpus, 14));
        await Limit("web", (QuotaResources.Vcpus, 10), (QuotaResources.Vms, 7));
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => Vms.Create(i % 2 == 0 ? Ana : Bot, i % 2 == 0 ? "web" : "data", Sized($"vm-{i}", vcpus: 2), null, Stop))));
        // 2 vCPU each: 14 of the organization is 7, of which at most 5 in web.
        Assert.Equal(7, answers.Count(a => a.Succeeded));
        Assert.InRange(await Used("web", QuotaResources.Vcpus), 0, 10);
        Assert.Equal(14, await Used("web", QuotaResources.Vcpus) + await Used("data", QuotaResources.Vcpus));
        Assert.All(answers.Where(a => !a.Succeeded), a => Assert.All(a.Refusals, r => Assert.Equal("quota_exceeded", r.Code)));
    }

    [Fact]
    public async Task Whatever_takes_something_is_refused_with_the_level_and_the_numbers_and_leaves_nothing()
    {
        await Acme();
        var agent = await Host("h1");
        await Image();
        var created = Ok(await Vms.Create(Ana, "web", Sized("one"), null, Stop));
        await Place();
        await agent.Reconcile();
        await Drive();
        var vm = created.Vm!.Value;
        await Limit("web", (QuotaResources.Vms, 1), (QuotaResources.Vcpus, 2), (QuotaResources.MemoryMib, 1024), (QuotaResources.DiskGib, 5), (QuotaResources.Networks, 1));

        var over = No(await Vms.Create(Ana, "web", Sized("two"), null, Stop));
        Assert.Equal("Project web may have 1 VM and has 1; this asks for 1, 1 too much. Remove something there, or have the limit raised by an admin of organization acme.", over.Message);
        Assert.Equal([over.Message], Ok(await Vms.Fit(Ana, "web", Sized("two"), Stop)).OverQuota.Take(1));
        Assert.StartsWith("Project web may have 2 vCPU and has 1; this asks for 2, 1 too much.", No(await Vms.Resize(Ana, "web", vm, new ResizeVm(3, null), null, Stop)).Message, StringComparison.Ordinal);
        Assert.StartsWith("Project web may have 1 network and has 1;", No(await The<INetworks>().Create(Ana, "web", new CreateNetwork("more", "10.9.0.0/24"), null, Stop)).Message, StringComparison.Ordinal);
        Assert.StartsWith("Project web may have 5 GiB of disk and has 2 GiB; this asks for 4 GiB, 1 GiB too much.", No(await Volumes.Create(Ana, "web", new CreateVolume("v", 4), null, Stop)).Message, StringComparison.Ordinal);

        var volume = Ok(await Volumes.Create(Ana, "web", new CreateVolume("v", 3), null, Stop)).Volume!.Value;
        await agent.Reconcile();
        await Drive();
        Assert.Equal("quota_exceeded", No(await Volumes.Resize(Ana, "web", volume, new ResizeVolume(4), null, Stop)).Code);
        Assert.Equal(5, await Used("web", QuotaResources.DiskGib));
        Assert.Equal((1, 1), (await Used("web", QuotaResources.Vms), await Used("web", QuotaResources.Addresses)));

        await Limit("web", (QuotaResources.Addresses, 1));
        Ok(await The<INetworks>().Create(Ana, "web", new CreateNetwork("more", "10.9.0.0/24"), null, Stop));
        Assert.StartsWith("Project web may have 1 address and has 1;", No(await The<IInterfaces>().Add(Ana, "web", vm, new AddInterface("more"), null, null, Stop)).Message, StringComparison.Ordinal);

        // What is deleted for good is free again.
        await Limit("web", (QuotaResources.Vms, 1));
        Ok(await Vms.Delete(Ana, "web", vm, true, null, null, Stop));
        await agent.Reconcile();
        await Drive();
        Assert.Equal(0, await Used("web", QuotaResources.Vms));
        Ok(await Vms.Create(Ana, "web", Sized("two"), null, Stop));
    }

    [Fact]
    public async Task What_can_still_be_restored_counts()
    {
        await Acme();
        var agent = await Host("h1");
        await Image();
        var created = Ok(await Vms.Create(Ana, "web", Sized("one"), null, Stop));
        await Place();
        await agent.Reconcile();
        await Drive();
        Ok(await Vms.Delete(Ana, "web", created.Vm!.Value, false, null, null, Stop));
        Assert.Equal(1, await Used("web", QuotaResources.Vms));
        Assert.Equal(2, await Used("web", QuotaResources.DiskGib));
    }

    [Fact]
    public async Task A_console_from_before_there_were_quotas_counts_what_it_has()
    {
        await Image();
        Ok(await Vms.Create(Ana, "default", Sized("one", vcpus: 2, memoryMib: 768, diskGib: 3), null, Stop));
        await using (var db = Store.Read())
        {
            var before = db.Database.GetMigrations().TakeWhile(m => !m.EndsWith("_Quotas", StringComparison.Ordinal)).Last();
            await db.GetService<IMigrator>().MigrateAsync(before);
            await db.GetService<IMigrator>().MigrateAsync();
        }
        Assert.Equal((2, 768, 3), (await Used("default", QuotaResources.Vcpus), await Used("default", QuotaResources.MemoryMib), await Used("default", QuotaResources.DiskGib)));
    }

    [Fact]
    public async Task Limits_come_from_above()
    {
        var (web, _) = await Acme();
        var boss = await Invite("boss", "organization-admin", "acme", null);
        var chief = await Invite("chief", "organization-admin", null, web.Id.ToString());
        var bea = await Invite("bea", "project-member", null, web.Id.ToString());
        var few = new SetQuota(new Dictionary<string, long?> { [QuotaResources.Vms] = 2 });

        Assert.Equal("This needs quota.manage on organization acme; you have no role there.", No(await Quotas.SetProject(chief, "web", few, null, Stop)).Message);
        Assert.Equal("forbidden", No(await Quotas.SetProject(bea, "web", few, null, Stop)).Code);
        Assert.Equal("forbidden", No(await Quotas.SetOrganization(boss, "acme", few, null, Stop)).Code);
        var set = Ok(await Quotas.SetProject(boss, "web", few, web.Version, Stop));
        Assert.Equal("0 of 2", set.Project.Lines.Single(l => l.Resource == QuotaResources.Vms).Text);
        Assert.Equal("stale_version", No(await Quotas.SetProject(boss, "web", few, web.Version, Stop)).Code);
        Assert.True(set.MaySet);
        Assert.False(set.MaySetOrganization);

        // A member learns of the organization only what binds their project.
        var seen = Ok(await Quotas.OfProject(bea, "web", Stop));
        Assert.Empty(seen.Organization.Lines);
        Assert.False(seen.MaySet);
        await LimitAcme((QuotaResources.Networks, 9));
        Assert.Equal("2 of 9", Assert.Single(Ok(await Quotas.OfProject(bea, "web", Stop)).Organization.Lines).Text);
        Assert.Equal("2 of 9", Assert.Single(Ok(await Quotas.OfOrganization(bea, "acme", Stop)).Lines).Text);
        Assert.True(Ok(await Quotas.OfOrganization(boss, "acme", Stop)).Lines.Count > 1);
        Ok(await The<ITenancy>().CreateOrganization(Ana, new CreateOrganization("rivals"), null, Stop));
        Assert.Equal("organization_not_found", No(await Quotas.OfOrganization(bea, "rivals", Stop)).Code);
    }

    [Fact]
    public async Task A_tenant_asks_for_more_and_whoever_sets_the_limits_decides()
    {
        var (web, data) = await Acme();
        var requests = The<IQuotaRequests>();
        var boss = await Invite("boss", "organization-admin", "acme", null);
        var chief = await Invite("chief", "organization-admin", null, web.Id.ToString());
        var bea = await Invite("bea", "project-member", null, web.Id.ToString());
        var carl = await Invite("carl", "project-member", null, data.Id.ToString());
        AskForQuota more(long vcpus, string? reason = "The shop opens.") => new(new Dictionary<string, long?> { [QuotaResources.Vcpus] = vcpus }, reason);

        Assert.Equal(("limits.vcpus", "no_limit"), (No(await requests.Ask(bea, "web", more(9), null, Stop)).Field, No(await requests.Ask(bea, "web", more(9), null, Stop)).Code));
        await Limit("web", (QuotaResources.Vcpus, 8));
        Assert.Equal("reason", No(await requests.Ask(bea, "web", more(16, " "), null, Stop)).Field);
        Assert.Equal("The reason has a control character or broken Unicode in it; use plain text on one line.", No(await requests.Ask(bea, "web", more(16, "a\nb"), null, Stop)).Message);
        Assert.Equal("vCPU: project web may have 8 already; ask for more than that, or leave it out.", No(await requests.Ask(bea, "web", more(8), null, Stop)).Message);
        var asked = Ok(await requests.Ask(bea, "web", more(16), "once", Stop));
        Assert.Equal(asked.Id, Ok(await requests.Ask(bea, "web", more(16), "once", Stop)).Id);

        // Only those above decide, and nobody else learns of it.
        Assert.Equal("forbidden", No(await requests.Grant(bea, "web", asked.Id, new AnswerQuota(), Stop)).Code);
        Assert.Equal("forbidden", No(await requests.Grant(chief, "web", asked.Id, new AnswerQuota(), Stop)).Code);
        Assert.Empty(Ok(await requests.Waiting(chief, Stop)));
        Assert.Equal("project_not_found", No(await requests.OfProject(carl, "web", Stop)).Code);
        Assert.Equal("request_not_found", No(await requests.Withdraw(carl, "data", asked.Id, Stop)).Code);
        Assert.Equal(asked.Id, Assert.Single(Ok(await requests.Waiting(boss, Stop))).Id);

        var granted = Ok(await requests.Grant(boss, "web", asked.Id, new AnswerQuota("Good luck."), Stop));
        Assert.Equal((QuotaRequestState.Granted, "boss", "Good luck."), (granted.State, granted.DecidedBy, granted.Answer));
        Assert.Equal(16, Ok(await Quotas.OfProject(bea, "web", Stop)).Project.Lines.Single(l => l.Resource == QuotaResources.Vcpus).Limit);
        Assert.Equal("The request was granted already by boss.", No(await requests.Refuse(boss, "web", asked.Id, new AnswerQuota("No."), Stop)).Message);
        Assert.Empty(Ok(await requests.Waiting(boss, Stop)));
        // The ledger has the reasons of both.
        var told = Ok(await The<IAuditLog>().List(bea, new AuditQuery(), new Window(), Stop)).Items.Where(e => e.Target == $"quota-request/{asked.Id}").Select(e => e.Detail).ToList();
        Assert.Contains("web: 16 vCPU; The shop opens.", told);
        Assert.Contains("web: 16 vCPU; Good luck.", told);

        Time.Advance(TimeSpan.FromSeconds(1));
        var second = Ok(await requests.Ask(bea, "web", more(64), null, Stop));
        Assert.Equal(("answer", "Say why it is refused: whoever asked reads it."), (No(await requests.Refuse(boss, "web", second.Id, new AnswerQuota(), Stop)).Field, No(await requests.Refuse(boss, "web", second.Id, new AnswerQuota(" "), Stop)).Message));
        Assert.Equal(QuotaRequestState.Withdrawn, Ok(await requests.Withdraw(bea, "web", second.Id, Stop)).State);
        Assert.Equal([second.Id, asked.Id], Ok(await requests.OfProject(bea, "web", Stop)).Select(r => r.Id));
        for (var i = 0; i < 10; i++) Ok(await requests.Ask(bea, "web", more(100 + i), null, Stop));
        Assert.Equal("too_many", No(await requests.Ask(bea, "web", more(200), null, Stop)).Code);
    }

    private async Task<Caller> Invite(string name, string role, string? organization, string? project)
    {
        var invited = Ok(await The<IAccess>().Invite(Ana, new InviteUser(name, role, organization, project), Stop));
        return new Caller(new Principal(PrincipalKind.User, invited.User.Id.ToString(), name), "192.0.2.8");
    }

    [Fact]
    public async Task Disk_is_limited_by_its_class_too_and_a_lower_limit_takes_nothing_away()
    {
        await Acme();
        await Host("h1");
        await Image();
        Ok(await Vms.Create(Ana, "web", Sized("one", diskGib: 6), null, Stop));
        var over = await Limit("web", (QuotaResources.DiskOf("default"), 4));
        Assert.Equal("6 GiB of 4 GiB, 2 GiB over", over.Project.Lines.Single(l => l.Resource == QuotaResources.DiskOf("default")).Text);
        Assert.StartsWith("Project web may have 4 GiB of disk of class default and has 6 GiB;", No(await Volumes.Create(Ana, "web", new CreateVolume("v", 1), null, Stop)).Message, StringComparison.Ordinal);
        Assert.Equal("limits.diskGib:none", No(await Quotas.SetProject(Ana, "web", new SetQuota(new Dictionary<string, long?> { ["diskGib:none"] = 1 }), null, Stop)).Field);
        Assert.Equal("limits", No(await Quotas.SetProject(Ana, "web", new SetQuota(null), null, Stop)).Field);
    }
}

/// <summary>The same on the other engine.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresQuotaTests(PostgresServer server) : QuotaTests
{
    protected override async Task<DatabaseSettings> NewDatabase() => DatabaseSettings.Postgres(await server.NewDatabase());
}
