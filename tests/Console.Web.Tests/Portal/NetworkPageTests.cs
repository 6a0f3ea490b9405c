using Bunit;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using MudBlazor.Services;
using Plinth.Core.Network;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;
using Plinth.Web.Live;
using Plinth.Web.Pages.Networks;
using Plinth.Web.Security;

namespace Plinth.Web.Tests.Portal;

/// <summary>The page of a network as it is drawn, over the real application and store.</summary>
public sealed class NetworkPageTests : PortalStage
{
    private BunitContext Browser()
    {
        var context = new BunitContext();
        context.JSInterop.Mode = JSRuntimeMode.Loose;
        context.Services.AddMudServices();
        context.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IChangeFeed>(Live).AddSingleton(The<INetworks>());
        context.Services.AddScoped<CallerSource>().AddScoped<BreadcrumbTrail>();
        context.AddAuthorization().SetAuthorized("ana").SetClaims([.. PrincipalClaims.Identity(Ana.Principal, "test").Claims]);
        return context;
    }

    [Fact]
    public async Task A_port_rule_is_removed_only_after_its_consequence_was_confirmed()
    {
        await using var browser = Browser();
        var shop = Ok(await The<INetworks>().Create(Ana, Project, new CreateNetwork("shop", "10.20.0.0/24", Rules: [new PortRule("tcp", "443", "0.0.0.0/0")]), null, Stop));
        browser.Render<MudPopoverProvider>();
        var dialogs = browser.Render<MudDialogProvider>();
        var page = browser.Render<NetworkDetail>(p => p.Add(x => x.Project, Project).Add(x => x.Id, shop.Id.Value));
        var removing = page.WaitForElement(".facilities button.link-button");
        _ = removing.ClickAsync(new MouseEventArgs());
        dialogs.WaitForAssertion(() => Assert.Contains("New connections from 0.0.0.0/0 to the guests of shop (0) are refused at once", dialogs.Find(".confirm").TextContent));
        Assert.Single(Ok(await The<INetworks>().Get(Ana, Project, shop.Id, Stop)).Rules);
        dialogs.Find(".button-danger-solid").Click();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".facilities button.link-button")));
        Assert.Empty(Ok(await The<INetworks>().Get(Ana, Project, shop.Id, Stop)).Rules);
    }
}
