using Bunit;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using MudBlazor.Services;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Agents;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;
using Plinth.Web.Live;
using Plinth.Web.Security;
using Plinth.Web.Tests.Application;
using Plinth.Web.Workers;

namespace Plinth.Web.Tests.Portal;

/// <summary>The page of the agents as it is drawn, over the real application and store.</summary>
public sealed class AgentsPageTests : PortalStage
{
    private sealed class NoTokens : IAgents
    {
        public Task<Result<Page<JoinTokenView>>> JoinTokens(Caller caller, Window window, CancellationToken stop) => Task.FromResult(Result<Page<JoinTokenView>>.Ok(new Page<JoinTokenView>([], 0, null)));
        public Task<Result<JoinCommandView>> CreateJoinToken(Caller caller, CreateJoinToken request, string? idempotencyKey, CancellationToken stop) => throw new NotSupportedException();
        public Task<Result<Done>> RevokeJoinToken(Caller caller, JoinTokenId token, CancellationToken stop) => throw new NotSupportedException();
    }

    private BunitContext Browser()
    {
        var context = new BunitContext();
        context.JSInterop.Mode = JSRuntimeMode.Loose;
        context.Services.AddMudServices();
        context.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IChangeFeed>(Live).AddSingleton<IAgents>(new NoTokens()).AddSingleton(The<IAgentUpgrades>()).AddSingleton(Operations);
        context.Services.AddScoped<CallerSource>().AddScoped<BreadcrumbTrail>();
        context.AddAuthorization().SetAuthorized("ana").SetClaims([.. PrincipalClaims.Identity(Ana.Principal, "test").Claims]);
        return context;
    }

    [Fact]
    public async Task An_upgrade_is_confirmed_followed_and_cancelled_on_the_page()
    {
        await using var browser = Browser();
        var agent = await Joined("kvm-a", new Resources(8, 16384, 200));
        agent.Executable = new AgentExecutable(null, false, null);
        await agent.Connect();
        await agent.Report();
        await Host("kvm-b");
        Offer.Agent = new OfferedAgent("0.2.0", "sha256:" + new string('a', 64), 14_000_000, "/nowhere");
        browser.Render<MudPopoverProvider>();
        var dialogs = browser.Render<MudDialogProvider>();
        var page = browser.Render<Pages.Agents.Agents>();
        page.WaitForAssertion(() => Assert.Equal("2 hosts: 2 have 0.1.0.", page.Find(".versions-lead").TextContent.Trim()));
        Assert.Contains("newer here: 0.2.0", page.Markup);
        Assert.Contains("Has an agent that cannot replace itself", page.Markup);
        Assert.Contains("/api/v1/agents/upgrade", page.Markup);

        _ = page.Find(".versions-acts .button-primary").ClickAsync(new MouseEventArgs());
        dialogs.WaitForAssertion(() => Assert.Contains("Upgrade 1 agent to 0.2.0?", dialogs.Markup));
        Assert.Null(Ok(await The<IAgentUpgrades>().Fleet(Ana, Stop)).Newest);
        dialogs.Find(".mud-dialog-actions .button-primary").Click();
        page.WaitForAssertion(() => Assert.True(page.Find(".versions-acts .button-primary").HasAttribute("disabled")));
        await The<AgentRolling>().Pass(Stop);
        await Tell();
        page.WaitForAssertion(() => Assert.Contains("kvm-a fetches and verifies 0.2.0; 0 of 1 host done.", page.Find(".versions-newest").TextContent));
        Assert.Contains("Fetches and verifies 0.2.0.", page.Find(".versions-state .second").TextContent);

        page.Find(".versions-newest .link-button").Click();
        page.WaitForAssertion(() => Assert.Contains("Cancelled by ana", page.Find(".versions-newest").TextContent));
        Assert.Equal(OperationState.Cancelling, Ok(await The<IAgentUpgrades>().Fleet(Ana, Stop)).Newest!.State);
    }
}
