using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;
using Plinth.Web.Live;
using Plinth.Web.Pages.Storage;
using Plinth.Web.Security;

namespace Plinth.Web.Tests.Portal;

/// <summary>The pages of storage classes as they are drawn, over the real application and store.</summary>
public sealed class StorageClassPageTests : PortalStage
{
    private BunitContext Browser()
    {
        var context = new BunitContext();
        context.JSInterop.Mode = JSRuntimeMode.Loose;
        context.Services.AddMudServices();
        context.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IChangeFeed>(Live).AddSingleton(The<IStorageClasses>());
        context.Services.AddScoped<CallerSource>().AddScoped<BreadcrumbTrail>();
        context.AddAuthorization().SetAuthorized("ana").SetClaims([.. PrincipalClaims.Identity(Ana.Principal, "test").Claims]);
        return context;
    }

    [Fact]
    public async Task A_class_is_added_by_its_form_and_what_is_wrong_stands_at_its_field()
    {
        await using var browser = Browser();
        var page = browser.Render<StorageClasses>();
        page.WaitForElement("#class-name").Input("gold");
        page.Find("#class-read-iops").Input("5");
        page.Find("#class-write-mib").Input("1.5");
        page.Find("form").Submit();
        page.WaitForElement("#class-read-iops-error");
        // The page is drawn anew meanwhile: what was found is asked again until it takes it.
        page.WaitForAssertion(() => page.Find("#class-read-iops").Input("500"));
        page.WaitForAssertion(() => page.Find("#class-medium").Change("solidState"));
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("solid state", page.Find("table").TextContent));
        var gold = Ok(await The<IStorageClasses>().List(Ana, Stop)).Single(c => c.Name == "gold");
        Assert.Equal(new IoLimits(ReadIops: 500, WriteBytesPerSecond: 3 << 19), gold.Limits);
    }

    [Fact]
    public async Task The_page_of_a_class_says_of_each_host_why_it_fits_or_not_and_changes_limits()
    {
        await using var browser = Browser();
        await Host("kvm-1");
        var shared = Ok(await The<IStorageClasses>().Create(Ana, new CreateStorageClass("shared", "", new StorageNeeds(Shared: true)), null, Stop));
        var page = browser.Render<StorageClassDetail>(p => p.Add(x => x.Id, shared.Id.Value));
        page.WaitForAssertion(() => Assert.Contains("Pool default is a directory: not shared between hosts; class shared needs disks shared between hosts.", page.Find(".facilities").TextContent));
        page.Find(".card-head button").Click();
        page.WaitForElement("#class-write-iops").Input("100");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("100 writes/s", page.Find("dl.facts").TextContent));
    }
}
