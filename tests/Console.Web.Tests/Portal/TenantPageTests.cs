using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;
using Plinth.Web.Live;
using Plinth.Web.Pages.Tenants;
using Plinth.Web.Security;

namespace Plinth.Web.Tests.Portal;

/// <summary>The pages of tenants and people as they are drawn, over the real application and store.</summary>
public sealed class TenantPageTests : PortalStage
{
    private BunitContext Browser(Caller? caller = null)
    {
        var context = new BunitContext();
        context.JSInterop.Mode = JSRuntimeMode.Loose;
        context.Services.AddMudServices();
        context.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IChangeFeed>(Live).AddSingleton(The<ITenancy>()).AddSingleton(The<IAccess>()).AddSingleton(The<IElevations>()).AddSingleton(The<IAccessQuestions>()).AddSingleton(The<IQuotas>()).AddSingleton(The<IQuotaRequests>()).AddSingleton(The<IStorageClasses>());
        context.Services.AddScoped<CallerSource>().AddScoped<BreadcrumbTrail>().AddScoped<PortalScope>();
        context.AddAuthorization().SetAuthorized("ana").SetClaims([.. PrincipalClaims.Identity((caller ?? Ana).Principal, "test").Claims]);
        return context;
    }

    private async Task<Caller> Invited(string name, string role, string project)
    {
        var invited = Ok(await The<IAccess>().Invite(Ana, new InviteUser(name, role, Project: project), Stop));
        return new Caller(new Principal(PrincipalKind.User, invited.User.Id.ToString(), name), null);
    }

    [Fact]
    public async Task A_project_is_added_by_its_form_and_what_is_wrong_stands_at_its_field()
    {
        await using var browser = Browser();
        var page = browser.Render<Projects>();
        page.WaitForElement("#project-name").Input("Not Valid!");
        page.Find("form").Submit();
        page.WaitForElement("#project-name-error");
        page.WaitForAssertion(() => page.Find("#project-name").Input("web"));
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("web", page.FindAll("td a.primary").Select(a => a.TextContent)));
        Assert.Contains(Ok(await The<ITenancy>().Projects(Ana, Stop)), p => p.Name == "web");
    }

    [Fact]
    public async Task Somebody_is_invited_and_their_link_is_shown_once()
    {
        Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject("web"), null, Stop));
        await using var browser = Browser();
        var page = browser.Render<People>();
        page.WaitForElement("#invite-name").Input("bea");
        page.FindAll("form")[0].Submit();
        page.WaitForAssertion(() => Assert.Contains("/sign-in?link=", page.Find("#invitation").TextContent));
        page.WaitForAssertion(() => Assert.Contains("project member", page.Find("table").TextContent));
        page.Find(".notice button").Click();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("#invitation")));
    }

    [Fact]
    public async Task Limits_are_set_where_use_is_shown_and_a_wrong_one_stands_at_its_field()
    {
        var web = Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject("web"), null, Stop));
        await using var browser = Browser();
        var page = browser.Render<Usage>(p => p.Add(u => u.Project, "web"));
        page.WaitForElement("#limits-vcpus").Input("-4");
        page.FindAll("form")[0].Submit();
        page.WaitForElement("#limits-vcpus-error");
        // Found and touched in one turn: a drawing between the two takes the handler away.
        await page.InvokeAsync(() => page.Find("#limits-vcpus").Input("8"));
        await page.InvokeAsync(() => page.Find("#limits-diskGib-default").Input("100"));
        await page.InvokeAsync(() => page.FindAll("form")[0].Submit());
        page.WaitForAssertion(() => Assert.Contains("0 of 8", page.Find("#project-quota").ParentElement!.ParentElement!.TextContent, StringComparison.Ordinal));
        Assert.Empty(page.FindAll("#limits-vcpus-error"));
        Assert.Equal("8", page.Find("#limits-vcpus").GetAttribute("value"));
        Assert.Equal(100, Ok(await The<IQuotas>().OfProject(Ana, "web", Stop)).Project.Lines.Single(l => l.Resource == "diskGib:default").Limit);

        // Who does not set them sees what is used of what.
        var bea = await Invited("bea", "project-member", web.Id.ToString());
        await using var hers = Browser(bea);
        var seen = hers.Render<Usage>(p => p.Add(u => u.Project, "web"));
        seen.WaitForAssertion(() => Assert.Contains("0 of 8", seen.Markup, StringComparison.Ordinal));
        Assert.Empty(seen.FindAll("#limits-vcpus"));

        // She asks for more; whoever sets the limits sees that, and grants it by a click.
        seen.Find("#ask-vcpus").Input("16");
        await seen.InvokeAsync(() => seen.FindAll("form")[0].Submit());
        seen.WaitForElement("#ask-reason-error");
        Assert.Equal("16", seen.Find("#ask-vcpus").GetAttribute("value"));
        await seen.InvokeAsync(() => seen.Find("#ask-reason").Input("The shop opens."));
        await seen.InvokeAsync(() => seen.FindAll("form")[0].Submit());
        seen.WaitForAssertion(() => Assert.Contains("Waits for an answer", seen.Markup, StringComparison.Ordinal));
        await Tell();
        page.WaitForAssertion(() => Assert.Contains("The shop opens.", page.Markup, StringComparison.Ordinal));
        // Who refuses says why; what is being typed outlives what changes meanwhile.
        await page.InvokeAsync(() => page.Find("#limits-vms").Input("7"));
        await page.InvokeAsync(() => page.FindAll("button").Single(b => b.TextContent == "Refuse").Click());
        page.WaitForAssertion(() => Assert.Contains("Say why it is refused", page.Markup, StringComparison.Ordinal));
        await page.InvokeAsync(() => page.FindAll("button").Single(b => b.TextContent == "Grant").Click());
        page.WaitForAssertion(() => Assert.Contains("0 of 16", page.Markup, StringComparison.Ordinal));
        Assert.Equal("7", page.Find("#limits-vms").GetAttribute("value"));
        Assert.Equal("16", page.Find("#limits-vcpus").GetAttribute("value"));
        await Tell();
        seen.WaitForAssertion(() => Assert.Contains("0 of 16", seen.Markup, StringComparison.Ordinal));
        seen.WaitForAssertion(() => Assert.Contains("Granted", seen.Markup, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_menu_offers_what_the_person_may_reach_and_changes_with_their_roles()
    {
        var web = Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject("web"), null, Stop));
        var bea = await Invited("bea", "project-member", web.Id.ToString());
        await using var browser = Browser(bea);
        var menu = browser.Render<NavigationList>(p => p.Add(n => n.Label, "Main"));
        menu.WaitForAssertion(() => Assert.Contains("/projects/web/vms", menu.FindAll("a").Select(a => a.GetAttribute("href"))));
        Assert.DoesNotContain("/hosts", menu.FindAll("a").Select(a => a.GetAttribute("href")));
        Assert.DoesNotContain("/upkeep", menu.FindAll("a").Select(a => a.GetAttribute("href")));

        var epoch = browser.Services.GetRequiredService<PortalScope>().Epoch;
        Ok(await The<IAccess>().Bind(Ana, new BindRole("bea", "platform-operator"), null, Stop));
        await Tell();
        menu.WaitForAssertion(() => Assert.Contains("/hosts", menu.FindAll("a").Select(a => a.GetAttribute("href"))));
        Assert.Equal(epoch + 1, browser.Services.GetRequiredService<PortalScope>().Epoch);
    }

    [Fact]
    public async Task Who_may_not_see_people_is_told_why()
    {
        var web = Ok(await The<ITenancy>().CreateProject(Ana, new CreateProject("web"), null, Stop));
        var dan = await Invited("dan", "project-viewer", web.Id.ToString());
        await using var browser = Browser(dan);
        var page = browser.Render<People>();
        page.WaitForAssertion(() => Assert.Contains("needs access.read on the platform", page.Find("[role=alert]").TextContent));
        Assert.Empty(page.FindAll("form"));
    }
}
