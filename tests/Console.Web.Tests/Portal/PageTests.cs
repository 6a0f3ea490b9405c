using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using MudBlazor.Services;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Data;
using Plinth.Web.Components.Lists;
using Plinth.Web.Components.Live;
using Plinth.Web.Components.Past;
using Plinth.Web.Layout;
using Plinth.Web.Layout.Commands;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;
using Plinth.Web.Security;

namespace Plinth.Web.Tests.Portal;

/// <summary>Pages as they are drawn, over the real application and store.</summary>
public sealed class PageTests : PortalStage
{
    private static readonly ColumnSet UsualColumns = new(null, "state,host,size,address,created");

    private BunitContext Browser()
    {
        var context = new BunitContext();
        context.JSInterop.Mode = JSRuntimeMode.Loose;
        context.Services.AddMudServices();
        context.Services.AddSingleton<TimeProvider>(Time).AddSingleton<IChangeFeed>(Live);
        context.Services.AddSingleton(Vms).AddSingleton(Volumes).AddSingleton(Hosts).AddSingleton(Operations).AddSingleton(Catalogue).AddSingleton(The<INetworks>()).AddSingleton(The<IStorageClasses>())
            .AddSingleton(The<IBulkActs>()).AddSingleton(The<IPersonal>()).AddSingleton(The<IHistory>()).AddSingleton(The<ISnapshots>()).AddSingleton(The<IRootDisks>()).AddSingleton(The<IInterfaces>());
        context.Services.AddScoped<CallerSource>().AddScoped<BreadcrumbTrail>().AddScoped<PageCommands>();
        context.AddAuthorization().SetAuthorized("ana").SetClaims([.. PrincipalClaims.Identity(Ana.Principal, "test").Claims]);
        return context;
    }

    [Fact]
    public async Task An_empty_list_teaches_the_first_step()
    {
        await using var browser = Browser();
        var page = browser.Render<VirtualMachines>(p => p.Add(x => x.Project, Project));
        page.WaitForElement(".empty");
        Assert.Equal(PortalUrls.NewVm(Project), page.Find(".empty a").GetAttribute("href"));
    }

    [Fact]
    public async Task A_row_is_drawn_again_only_when_it_has_something_new()
    {
        await using var browser = Browser();
        await Image();
        var vm = await Vm(await Create("web-1"));
        var row = new LiveRow<VmRowContent>(vm.Id.Value, VmRowContent.Of(vm));
        var drawn = browser.Render<VmRow>(p => p.Add(x => x.Row, row).Add(x => x.Columns, UsualColumns));
        var before = drawn.RenderCount;

        row.Show(VmRowContent.Of(vm));
        drawn.Render(p => p.Add(x => x.Row, row).Add(x => x.Columns, UsualColumns));
        Assert.Equal(before, drawn.RenderCount);

        row.Show(VmRowContent.Of(vm with { State = VmState.Running }));
        drawn.Render(p => p.Add(x => x.Row, row).Add(x => x.Columns, UsualColumns));
        Assert.Contains("Running", drawn.Find(".state").TextContent);
        Assert.True(drawn.RenderCount > before);
    }

    [Fact]
    public async Task A_network_is_added_and_its_rules_are_kept_on_its_page()
    {
        await using var browser = Browser();
        var list = browser.Render<Plinth.Web.Pages.Networks.Networks>(p => p.Add(x => x.Project, Project));
        list.WaitForElement("#network-name").Input("shop");
        list.Find("#network-cidr").Input("10.20.0.1/24");
        await list.Find("form").SubmitAsync();
        list.WaitForAssertion(() => Assert.Contains("without host bits", list.Find("#network-cidr-error").TextContent));
        list.Find("#network-cidr").Input("10.20.0.0/24");
        await list.Find("form").SubmitAsync();
        list.WaitForAssertion(() => Assert.Contains(list.FindAll("tbody a"), a => a.TextContent == "shop"));

        var shop = Ok(await The<INetworks>().List(Ana, Project, Stop)).Single(n => n.Name == "shop");
        var page = browser.Render<Plinth.Web.Pages.Networks.NetworkDetail>(p => p.Add(x => x.Project, Project).Add(x => x.Id, shop.Id.Value));
        page.WaitForElement("#rule-ports").Input("443");
        await page.Find("form").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("tcp 443 from everybody", page.Markup));
        Assert.Equal(new Plinth.Core.Network.PortRule("tcp", "443", "0.0.0.0/0"), Assert.Single(Ok(await The<INetworks>().Get(Ana, Project, shop.Id, Stop)).Rules));
    }

    [Fact]
    public async Task A_stale_state_is_hatched_and_called_the_last_known()
    {
        await using var browser = Browser();
        await Image();
        var vm = await Vm(await Create("web-1")) with { State = VmState.Running, Stale = true };
        var drawn = browser.Render<VmRow>(p => p.Add(x => x.Row, new LiveRow<VmRowContent>(vm.Id.Value, VmRowContent.Of(vm))).Add(x => x.Columns, UsualColumns));
        Assert.Contains("is-stale", drawn.Find(".state").ClassList);
        Assert.Contains("last known", drawn.Find(".state").TextContent);
    }

    [Fact]
    public async Task A_lost_vm_is_lost_without_doubt_and_says_when_it_was_seen()
    {
        await using var browser = Browser();
        await Image();
        var seen = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        var vm = await Vm(await Create("web-1")) with { State = VmState.Lost, Stale = true, ObservedAt = seen };
        var drawn = browser.Render<VmRow>(p => p.Add(x => x.Row, new LiveRow<VmRowContent>(vm.Id.Value, VmRowContent.Of(vm))).Add(x => x.Columns, UsualColumns));
        Assert.Equal("Lost", drawn.Find(".state").TextContent);
        Assert.StartsWith("2026-03-01T12:00:00", drawn.Find(".state-cell time").GetAttribute("datetime"));
    }

    [Fact]
    public async Task A_refused_form_marks_the_field_and_says_why_beside_it()
    {
        await using var browser = Browser();
        await Image();
        var page = browser.Render<CreateVirtualMachine>(p => p.Add(x => x.Project, Project));
        page.WaitForElement("#vm-name").Input("Not Valid!");
        await page.Find("form").SubmitAsync();

        page.WaitForAssertion(() => Assert.Equal("true", page.Find("#vm-name").GetAttribute("aria-invalid")));
        var described = page.Find("#vm-name").GetAttribute("aria-describedby")!.Split(' ');
        Assert.Contains("vm-name-error", described);
        Assert.Contains("Not Valid!", page.Find("#vm-name-error").TextContent);
    }

    [Fact]
    public async Task The_form_shows_its_request_as_it_is_typed()
    {
        await using var browser = Browser();
        await Image();
        var page = browser.Render<CreateVirtualMachine>(p => p.Add(x => x.Project, Project));
        page.WaitForElement("#vm-name").Input("shop-7");
        page.WaitForAssertion(() => Assert.Contains("\"name\": \"shop-7\"", page.Find("#vm-curl").TextContent));
    }

    [Fact]
    public async Task A_created_vm_is_led_to()
    {
        await using var browser = Browser();
        await Image();
        await Host("kvm-1");
        var page = browser.Render<CreateVirtualMachine>(p => p.Add(x => x.Project, Project));
        page.WaitForElement("#vm-name").Input("shop-7");
        await page.Find("form").SubmitAsync();

        var vm = Assert.Single(Ok(await Vms.List(Ana, Project, new VmQuery(), new Window(), Stop)).Items);
        page.WaitForAssertion(() => Assert.EndsWith(PortalUrls.Vm(Project, vm.Id), browser.Services.GetRequiredService<NavigationManager>().Uri));
    }

    [Fact]
    public async Task A_timeline_gives_each_step_its_time_and_its_state_in_words()
    {
        await using var browser = Browser();
        var (_, vm) = await Running();
        var operation = Ok(await Operations.List(Ana, new OperationQuery(Vm: vm.Id.ToString()), new Window(), Stop)).Items[0];
        var drawn = browser.Render<Timeline>(p => p.Add(x => x.Operation, operation));
        Assert.Equal(operation.Steps.Count, drawn.FindAll(".step").Count);
        Assert.All(drawn.FindAll(".step"), step => Assert.Contains("Done", step.TextContent));
        Assert.All(drawn.FindAll(".step-time"), time => Assert.Matches(@"\d (ms|s)", time.TextContent));
    }

    [Fact]
    public async Task Deleting_asks_for_the_name_before_it_can_be_done()
    {
        await using var browser = Browser();
        browser.Render<MudPopoverProvider>();
        var dialogs = browser.Render<MudDialogProvider>();
        var (_, vm) = await Running();
        var page = browser.Render<VirtualMachine>(p => p.Add(x => x.Project, Project).Add(x => x.Id, vm.Id.Value));
        page.WaitForElement(".button-danger").Click();

        dialogs.WaitForElement("#confirm-word");
        Assert.True(dialogs.Find(".button-danger-solid").HasAttribute("disabled"));
        Assert.Contains($"{vm.Size.DiskGib} GiB disk is removed for good", dialogs.Find(".confirm p").TextContent);
        dialogs.Find("#confirm-word").Input(vm.Name);
        await dialogs.Find(".button-danger-solid").ClickAsync(new());

        page.WaitForAssertion(() => Assert.Contains("Deleted, restorable", page.Find(".page-head .state").TextContent), TimeSpan.FromSeconds(10));
        var until = Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).RestorableUntil!.Value;

        // The chip says how long, and what ends it; its button brings the VM back.
        Assert.Equal(until, DateTimeOffset.Parse(page.Find(".undo-chip time").GetAttribute("datetime")!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains($"after that disk {vm.Name} ({vm.Size.DiskGib} GiB) is removed", page.Find(".undo-chip").TextContent);
        page.Find(".undo-chip button").Click();
        page.WaitForAssertion(() => Assert.Contains("Starting", page.Find(".page-head .state").TextContent), TimeSpan.FromSeconds(10));
        Assert.Empty(page.FindAll(".undo-chip"));

        // The box in the confirmation does it for good.
        page.Find(".button-danger").Click();
        dialogs.WaitForElement("#confirm-word").Input(vm.Name);
        dialogs.Find(".confirm-option input").Change(true);
        await dialogs.Find(".button-danger-solid").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Contains("Deleting", page.Find(".page-head .state").TextContent), TimeSpan.FromSeconds(10));
        Assert.Equal(VmState.Deleting, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }

    [Fact]
    public async Task In_the_past_nothing_can_be_done_and_what_differs_is_said()
    {
        await using var browser = Browser();
        var (agent, vm) = await Running();
        var then = Time.GetUtcNow();
        Time.Advance(TimeSpan.FromMinutes(1));
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        browser.Services.GetRequiredService<NavigationManager>().NavigateTo(PortalUrls.Vm(Project, vm.Id, at: PastComponent<object>.Text(then)));

        var page = browser.Render<VirtualMachine>(p => p.Add(x => x.Project, Project).Add(x => x.Id, vm.Id.Value));

        page.WaitForAssertion(() => Assert.Contains("Running", page.Find(".page-head .state").TextContent));
        Assert.Empty(page.FindAll("button"));
        Assert.Contains(page.FindAll("tbody tr"), row => row.TextContent == "Staterunningstopped");
    }

    [Fact]
    public async Task What_is_picked_stands_in_the_url_and_is_asked_about_with_its_consequence()
    {
        await using var browser = Browser();
        browser.Render<MudPopoverProvider>();
        var dialogs = browser.Render<MudDialogProvider>();
        var (_, vm) = await Running();
        browser.Services.GetRequiredService<NavigationManager>().NavigateTo(PortalUrls.Vms(Project, selected: Selection.Of([vm.Id.Value]).Text));

        var page = browser.Render<VirtualMachines>(p => p.Add(x => x.Project, Project));
        page.WaitForElement(".bulk");
        Assert.Contains("1 selected", page.Find(".bulk").TextContent);
        page.Find(".bulk .button-danger").Click();

        dialogs.WaitForElement("#bulk-word");
        Assert.Contains("1 of them runs now", dialogs.Find(".confirm p").TextContent);
        Assert.Contains(vm.Id.ToString(), dialogs.Find("#bulk-curl").TextContent);
        Assert.True(dialogs.Find(".button-danger-solid").HasAttribute("disabled"));
        dialogs.Find("#bulk-word").Input("1");
        await dialogs.Find(".button-danger-solid").ClickAsync(new());

        page.WaitForAssertion(() => Assert.Contains("accepted", page.Find(".bulk-answers").TextContent), TimeSpan.FromSeconds(10));
        Assert.Equal(VmState.Restorable, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
        page.WaitForAssertion(() => Assert.Contains("The deletion of 1 machine can be undone", page.Find("div.undo-chip").TextContent), TimeSpan.FromSeconds(10));
        page.Find("div.undo-chip button").Click();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll("div.undo-chip")), TimeSpan.FromSeconds(10));
        Assert.Equal(VmState.Starting, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }

    [Fact]
    public async Task A_row_that_can_be_restored_says_until_when_and_undoes()
    {
        await using var browser = Browser();
        var (_, vm) = await Running();
        Ok(await Vms.Delete(Ana, Project, vm.Id, false, null, null, Stop));
        var row = new LiveRow<VmRowContent>(vm.Id.Value, VmRowContent.Of(Ok(await Vms.Get(Ana, Project, vm.Id, Stop))));
        var undone = 0;
        var drawn = browser.Render<VmRow>(p => p.Add(x => x.Row, row).Add(x => x.Columns, UsualColumns).Add(x => x.OnUndo, () => undone++));
        Assert.Contains($"then its disk ({vm.Size.DiskGib} GiB) is removed", drawn.Find(".undo-chip").TextContent);
        drawn.Find(".undo-chip button").Click();
        Assert.Equal(1, undone);
    }

    [Fact]
    public async Task An_interface_is_added_and_removed_on_the_network_tab_with_its_consequences_and_the_way_back()
    {
        await using var browser = Browser();
        browser.Render<MudPopoverProvider>();
        var dialogs = browser.Render<MudDialogProvider>();
        var (agent, vm) = await Running();
        Ok(await The<INetworks>().Create(Ana, Project, new CreateNetwork("shop", "10.20.0.0/24"), null, Stop));
        browser.Services.GetRequiredService<NavigationManager>().NavigateTo(PortalUrls.Vm(Project, vm.Id, "network"));
        var page = browser.Render<VirtualMachine>(p => p.Add(x => x.Project, Project).Add(x => x.Id, vm.Id.Value));
        page.WaitForElement("#interface-address").Input("10.21.0.9");
        Assert.Contains("253 of 253 are free", page.Find("#interface-address-hint").TextContent);
        page.WaitForAssertion(() => Assert.Contains("\"address\": \"10.21.0.9\"", page.Find("#interface-curl").TextContent));
        await page.Find("form.add").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("10.20.0.2 to 10.20.0.254", page.Find("#interface-address-error").TextContent), TimeSpan.FromSeconds(10));
        page.Find("#interface-address").Input("10.20.0.9");
        await page.Find("form.add").SubmitAsync();
        page.WaitForAssertion(() => Assert.Contains("Being added", page.Find(".interfaces").TextContent), TimeSpan.FromSeconds(10));
        await agent.Reconcile();
        await Tell();
        page.WaitForAssertion(() => Assert.Equal(2, page.FindAll(".interfaces .tone-good").Count), TimeSpan.FromSeconds(10));
        Assert.Contains("the guest has 10.20.0.9", page.Find(".interfaces").TextContent);
        Assert.Contains("DHCP gives it 10.20.0.9", page.Find(".step:last-child").TextContent);
        Assert.Contains("on every network", page.Markup);

        page.Find("button[aria-label='Remove the interface on shop']").Click();
        dialogs.WaitForElement(".confirm");
        Assert.Contains("10.20.0.9 is free for others", dialogs.Find(".confirm p").TextContent);
        await dialogs.Find(".button-danger-solid").ClickAsync(new());
        page.WaitForAssertion(() => Assert.Contains("Being removed", page.Find(".interfaces").TextContent), TimeSpan.FromSeconds(10));
        await agent.Reconcile();
        await Tell();
        page.WaitForAssertion(() => Assert.Contains("(10.20.0.9) is gone", page.Find(".removed").TextContent), TimeSpan.FromSeconds(10));
        page.Find(".removed button").Click();
        page.WaitForAssertion(() => Assert.Contains("Being added", page.Find(".interfaces").TextContent), TimeSpan.FromSeconds(10));
        Assert.Equal("10.20.0.9", Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Networks[1].Address);
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".removed")), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_snapshot_is_taken_by_its_name_and_says_why_the_vm_cannot_go_back_now()
    {
        await using var browser = Browser();
        var (agent, vm) = await Running();
        var tab = browser.Render<VmSnapshots>(p => p.Add(x => x.Vm, vm).Add(x => x.Project, Project));
        tab.WaitForElement("#snapshot-name").Input("before-upgrade");
        await tab.Find("form.take").SubmitAsync();
        tab.WaitForAssertion(() => Assert.Contains("Being taken", tab.Find(".snapshots li").TextContent), TimeSpan.FromSeconds(10));

        foreach (var command in await Directory_.PendingCommands(agent.Host, agent.Epoch, Stop))
            await Directory_.CommandResult(agent.Host, new Plinth.Core.Protocol.CommandResult(agent.Epoch, command.Id, true, "done"), Stop);
        await Tell();
        tab.WaitForAssertion(() => Assert.Contains("Available", tab.Find(".snapshots li").TextContent), TimeSpan.FromSeconds(10));
        Assert.Contains("disk and memory", tab.Find(".snapshots li").TextContent);
        Assert.Contains("stop it first", tab.Find(".snapshots li").TextContent);
        Assert.True(tab.Find(".snapshot-acts button").HasAttribute("disabled"));

        tab.Find("#snapshot-name").Input("before-upgrade");
        await tab.Find("form.take").SubmitAsync();
        tab.WaitForAssertion(() => Assert.Contains("choose another name", tab.Find(".take").TextContent), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_rebuild_says_what_is_lost_and_shows_what_it_sends()
    {
        await using var browser = Browser();
        var (_, vm) = await Running();
        await Image("other");
        Ok(await The<ISnapshots>().Take(Ana, Project, vm.Id, new TakeSnapshot("before-upgrade"), null, Stop));
        vm = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        var form = browser.Render<VmRebuild>(p => p.Add(x => x.Vm, vm).Add(x => x.Project, Project));
        form.WaitForAssertion(() => Assert.Contains("before-upgrade", form.Find(".facts").TextContent), TimeSpan.FromSeconds(10));
        Assert.Contains("Name, id, addresses, place and size", form.Find(".facts").TextContent);
        form.Find("#rebuild-image").Change("other");
        form.Find("#rebuild-at-once").Change(true);
        Assert.Contains($"/vms/{vm.Id}/rebuild", form.Markup);
        Assert.Contains("deadlineSeconds", form.Find(".by-api").TextContent);
        Assert.DoesNotContain("userName", form.Markup);
        Assert.Null(VmRebuildView.WhyNot(vm));
        Assert.Contains("protected", VmRebuildView.WhyNot(vm with { Protected = true }));
    }

    [Fact]
    public async Task A_clone_says_what_is_not_copied_and_shows_what_it_sends()
    {
        await using var browser = Browser();
        var (agent, vm) = await Running();
        Assert.Contains("Stop it first", VmCloneView.WhyNot(vm));
        Ok(await Vms.Stop(Ana, Project, vm.Id, new StopVm(0), null, Stop));
        await agent.Reconcile();
        vm = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        var form = browser.Render<VmClone>(p => p.Add(x => x.Vm, vm).Add(x => x.Project, Project));
        form.WaitForAssertion(() => Assert.Contains("Snapshots and volumes", form.Find(".facts").TextContent), TimeSpan.FromSeconds(10));
        form.Find("#clone-disk").Input("0");
        await form.Find("form").SubmitAsync();
        form.WaitForAssertion(() => Assert.NotEmpty(form.Find("#clone-disk-error").TextContent), TimeSpan.FromSeconds(10));
        form.Find("#clone-disk").Input($"{vm.Size.DiskGib}");
        form.Find("#clone-name").Input("web-2");
        Assert.Contains("web-2", form.Find(".by-api").TextContent);
        Assert.DoesNotContain("diskGib", form.Find(".by-api").TextContent);
        await form.Find("form").SubmitAsync();
        form.WaitForAssertion(() => Assert.Contains("/vms/", browser.Services.GetRequiredService<NavigationManager>().Uri), TimeSpan.FromSeconds(10));
        Assert.Contains(Ok(await Vms.List(Ana, Project, new VmQuery(), new Window(), Stop)).Items, v => v.Name == "web-2");
    }
}
