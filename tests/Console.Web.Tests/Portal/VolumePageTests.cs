using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Live;
using Plinth.Web.Layout;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;
using Plinth.Web.Pages.Volumes;
using Plinth.Web.Security;

namespace Plinth.Web.Tests.Portal;

/// <summary>The pages of volumes as they are drawn, over the real application and store.</summary>
public sealed class VolumePageTests : PortalStage
{
    private BunitContext Browser()
    {
        var context = new BunitContext();
        context.JSInterop.Mode = JSRuntimeMode.Loose;
        context.Services.AddMudServices();
        context.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IChangeFeed>(Live);
        context.Services.AddSingleton(Vms).AddSingleton(Volumes).AddSingleton(Hosts).AddSingleton(Operations).AddSingleton(Catalogue).AddSingleton(The<IStorageClasses>());
        context.Services.AddScoped<CallerSource>().AddScoped<BreadcrumbTrail>();
        context.AddAuthorization().SetAuthorized("ana").SetClaims([.. PrincipalClaims.Identity(Ana.Principal, "test").Claims]);
        return context;
    }

    [Fact]
    public async Task An_empty_list_teaches_the_first_step()
    {
        await using var browser = Browser();
        var page = browser.Render<Plinth.Web.Pages.Volumes.Volumes>(p => p.Add(x => x.Project, Project));
        page.WaitForElement(".empty");
        Assert.Equal(PortalUrls.NewVolume(Project), page.Find(".empty a").GetAttribute("href"));
    }

    [Fact]
    public async Task A_volume_is_attached_on_its_page_and_detached_on_the_vm_s()
    {
        await using var browser = Browser();
        var (agent, vm) = await Running();
        var created = Ok(await Volumes.Create(Ana, Project, new CreateVolume("data", 10), null, Stop));
        await agent.Reconcile();
        var page = browser.Render<Volume>(p => p.Add(x => x.Project, Project).Add(x => x.Id, created.Volume!.Value.Value));
        page.WaitForElement("#attach-vm");
        page.Find("form.inline-form").Submit();
        page.WaitForAssertion(() => Assert.Contains("Attaching", page.Find("h1").TextContent));
        await agent.Reconcile();
        Assert.Equal(VolumeState.Attached, Ok(await Volumes.Get(Ana, Project, created.Volume!.Value, Stop)).State);

        var disks = browser.Render<VmDisks>(p => p.Add(x => x.Project, Project).Add(x => x.Vm, Ok(Vms.Get(Ana, Project, vm.Id, Stop).Result)));
        disks.WaitForElement("button[aria-label='Detach data']");
        Assert.Contains("10 GiB", disks.Find(".disks").TextContent);
    }

    [Fact]
    public async Task A_refused_size_stands_at_its_field()
    {
        await using var browser = Browser();
        await Host("kvm-1");
        var page = browser.Render<CreateVolumePage>(p => p.Add(x => x.Project, Project));
        page.WaitForElement("#volume-size").Input("0");
        page.Find("form").Submit();
        page.WaitForElement("#volume-size-error");
        Assert.Equal("true", page.Find("#volume-size").GetAttribute("aria-invalid"));
    }
}
