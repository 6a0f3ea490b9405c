using Bunit;
using Bunit.TestDoubles;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;
using Plinth.Web.Live;
using Plinth.Web.Security;

namespace Plinth.Web.Tests.Portal;

/// <summary>The account page as it is drawn, over the real application and store.</summary>
public sealed class AccountPageTests : PortalStage
{
    private static readonly Visitor Laptop = new("192.0.2.8", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), Phone = new("192.0.2.9", "Mozilla/5.0 (iPhone) Safari/604.1");

    private async Task<Caller> SignedIn(Visitor visitor)
    {
        var users = Ok(await The<IAccess>().Users(Ana, Stop));
        var link = users.FirstOrDefault(u => u.Name == "bea") is { } known ? Ok(await The<IAccess>().NewLink(Bot, known.Id, Stop)) : Ok(await The<IAccess>().Invite(Ana, new InviteUser("bea", "project-member", Project: Project), Stop));
        return new Caller(Ok(await The<ISignIn>().UseLink(link.Path.Split("link=")[1], visitor, Stop)).Person!, null);
    }

    private BunitContext Browser(Caller caller)
    {
        var context = new BunitContext();
        context.JSInterop.Mode = JSRuntimeMode.Loose;
        context.Services.AddMudServices();
        context.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IChangeFeed>(Live).AddSingleton(The<ITenancy>()).AddSingleton(The<IAccess>()).AddSingleton(The<IAccount>()).AddSingleton(The<ISignIn>()).AddSingleton(The<IElevations>()).AddLogging();
        context.Services.AddScoped<CallerSource>().AddScoped<BreadcrumbTrail>().AddScoped<PortalScope>().AddScoped<SessionKeeper>();
        context.AddAuthorization().SetAuthorized("bea").SetClaims([.. PrincipalClaims.Identity(caller.Principal, "test").Claims]);
        return context;
    }

    [Fact]
    public async Task A_password_is_set_and_an_app_is_set_up_with_its_codes_shown_once()
    {
        await using var browser = Browser(await SignedIn(Laptop));
        var page = browser.Render<Plinth.Web.Pages.Account.Account>();
        page.WaitForAssertion(() => Assert.Contains("worked once", page.Find(".notice-attention").TextContent));
        await page.InvokeAsync(() => page.Find("#new-password").Input("aaaaaaaaaaaaaaa"));
        await page.InvokeAsync(() => page.Find("#new-password").Closest("form")!.Submit());
        page.WaitForAssertion(() => Assert.Contains("it needs 40", page.Find("#new-password-error").TextContent));
        await page.InvokeAsync(() => page.Find("#new-password").Input("correct horse battery staple"));
        await page.InvokeAsync(() => page.Find("#new-password").Closest("form")!.Submit());
        page.WaitForAssertion(() => Assert.Contains("Password set.", page.Markup));
        Assert.DoesNotContain("correct horse", page.Markup);

        await page.InvokeAsync(() => page.FindAll("button").First(b => b.TextContent == "Set up an app").Click());
        page.WaitForAssertion(() => Assert.Contains("<svg", page.Find(".qr").InnerHtml));
        var app = new OtpNet.Totp(OtpNet.Base32Encoding.ToBytes(page.Find("#authenticator-key").TextContent.Replace(" ", "", StringComparison.Ordinal)));
        await page.InvokeAsync(() => page.Find("#authenticator-code").Input("000000"));
        await page.InvokeAsync(() => page.Find("#authenticator-code").Closest("form")!.Submit());
        page.WaitForAssertion(() => Assert.Contains("The code is wrong", page.Find("#authenticator-code-error").TextContent));
        await page.InvokeAsync(() => page.Find("#authenticator-code").Input(app.ComputeTotp(Time.GetUtcNow().UtcDateTime)));
        await page.InvokeAsync(() => page.Find("#authenticator-code").Closest("form")!.Submit());
        page.WaitForAssertion(() => Assert.Equal(10, page.Find("#recovery-codes").TextContent.Split('\n').Length));
        await page.InvokeAsync(() => page.FindAll("button").First(b => b.TextContent == "I have them").Click());
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("#recovery-codes")));
        Assert.Contains("10 recovery codes left", page.Markup);
    }

    [Fact]
    public async Task Another_session_is_seen_and_ended_and_a_token_is_made_and_revoked()
    {
        var bea = await SignedIn(Laptop);
        await using var browser = Browser(bea);
        var page = browser.Render<Plinth.Web.Pages.Account.Account>();
        page.WaitForAssertion(() => Assert.Contains("Firefox on Linux", page.Markup));
        var phone = await SignedIn(Phone);
        await Tell();
        page.WaitForAssertion(() => Assert.Contains("Safari on iPhone", page.Markup));
        await page.InvokeAsync(() => page.Find("button[aria-label^='Sign out Safari on iPhone']").Click());
        page.WaitForAssertion(() => Assert.DoesNotContain("Safari on iPhone,", page.Markup));
        Assert.False(await The<ISignIn>().IsIn(phone.Principal, Stop));

        await page.InvokeAsync(() => page.Find("#token-name").Closest("form")!.Submit());
        page.WaitForAssertion(() => Assert.Contains("what is it for?", page.Find("#token-name-error").TextContent));
        await page.InvokeAsync(() => page.Find("#token-name").Input("nightly"));
        await page.InvokeAsync(() => page.Find("#token-role").Change("project-viewer"));
        await page.InvokeAsync(() => page.Find("#token-scope").Change(page.FindAll("#token-scope option").First(o => o.TextContent.StartsWith("project default", StringComparison.Ordinal)).GetAttribute("value")!));
        await page.InvokeAsync(() => page.Find("#token-name").Closest("form")!.Submit());
        page.WaitForAssertion(() => Assert.StartsWith("plinth_", page.Find("#new-token").TextContent, StringComparison.Ordinal));
        Assert.Contains("at most project viewer on project default", page.Markup);
        var token = (await The<ISignIn>().ByToken(page.Find("#new-token").TextContent, Stop))!;
        Assert.Equal("bea", token.Name);
    }

    [Fact]
    public async Task An_open_page_leaves_once_its_session_has_ended()
    {
        var bea = await SignedIn(Laptop);
        await using var browser = Browser(bea);
        var navigation = browser.Services.GetRequiredService<BunitNavigationManager>();
        await browser.Services.GetRequiredService<SessionKeeper>().Begin();
        var other = await SignedIn(Phone);
        await Tell();
        Assert.DoesNotContain("/sign-in", navigation.Uri);
        Ok(await The<IAccount>().EndSession(other, bea.Principal.Session!.Value, Stop));
        await Tell();
        Assert.EndsWith("/sign-in", navigation.Uri);
    }
}
