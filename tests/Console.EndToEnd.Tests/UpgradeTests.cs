using Microsoft.Playwright;
using Plinth.EndToEnd.Tests.Lab;
using static Microsoft.Playwright.Assertions;

namespace Plinth.EndToEnd.Tests;

/// <summary>The server is replaced under a person who fills in a form.</summary>
public sealed class UpgradeTests
{
    [Fact]
    public async Task A_half_filled_form_goes_on_after_the_console_was_restarted()
    {
        await using var installation = new Installation(18750);
        await installation.Start();
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Browser.Executable, Args = Browser.Arguments });
        var context = await chromium.NewContextAsync(new() { StorageState = await Browser.SignIn(chromium, installation.Console.SignInLink!) });
        var page = await context.NewPageAsync();
        await Browser.Go(page, new Uri(installation.Console.Http.BaseAddress!, "/projects/default/vms/new").ToString());
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("half-filled");
        await page.GetByLabel("Description").FillAsync("typed before the upgrade");
        await page.GetByLabel("Labels").FillAsync("tier=web");
        await Expect(page.Locator("#vm-curl")).ToContainTextAsync("tier", new() { Timeout = 30_000 });
        await page.EvaluateAsync("window.sameDocument = true");

        await installation.Console.Process.Terminate();
        await Expect(page.GetByText("The console is being restarted.")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await installation.Console.Start();
        await page.Locator("html[data-ready='true']").WaitForAsync(new() { State = WaitForSelectorState.Attached, Timeout = 60_000 });
        await Expect(page.GetByText("The console is being restarted.")).ToBeHiddenAsync(new() { Timeout = 30_000 });
        await Expect(page.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync("half-filled", new() { Timeout = 30_000 });
        await Expect(page.GetByLabel("Description")).ToHaveValueAsync("typed before the upgrade");
        await Expect(page.GetByLabel("Labels")).ToHaveValueAsync("tier=web");
        Assert.True(await page.EvaluateAsync<bool>("window.sameDocument === true"));

        // It is alive: the form is judged and sent by the new console.
        await installation.Console.ReadyHosts(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Create VM" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "half-filled" })).ToBeVisibleAsync(new() { Timeout = 60_000 });
        var vms = await installation.Console.Get("projects/default/vms?q=half-filled");
        Assert.Equal(1, vms.GetProperty("total").GetInt64());
        Assert.Equal("typed before the upgrade", vms.GetProperty("items")[0].GetProperty("description").GetString());
    }

    [Fact]
    public async Task What_was_typed_elsewhere_is_put_back_after_a_restart_and_after_a_kill()
    {
        await using var installation = new Installation(18770);
        await installation.Start();
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Browser.Executable, Args = Browser.Arguments });
        var context = await chromium.NewContextAsync(new() { StorageState = await Browser.SignIn(chromium, installation.Console.SignInLink!) });
        var classes = await context.NewPageAsync();
        await Browser.Go(classes, Url("/storage-classes"));
        await classes.Locator("#class-name").FillAsync("fast");
        await classes.Locator("#class-thin").CheckAsync();
        await classes.Locator("#class-medium").SelectOptionAsync("solidState");
        await Expect(classes.Locator("#class-curl")).ToContainTextAsync("solid-state");
        // A form that a button opens.
        var one = await context.NewPageAsync();
        await Browser.Go(one, Url("/storage-classes/01900000-0000-7000-8000-000000000004"));
        await one.Locator("#class-edit").ClickAsync();
        await one.Locator("#class-description").FillAsync("what all disks have");
        await Expect(one.Locator("#class-curl")).ToContainTextAsync("what all disks have");

        await installation.Console.Process.Terminate();
        await installation.Console.Start();
        await Kept();
        await KillAndStart();
        await Kept();

        // The page is alive and knows what stands in it.
        await classes.GetByRole(AriaRole.Button, new() { Name = "Add class" }).ClickAsync();
        await Expect(classes.GetByRole(AriaRole.Link, new() { Name = "fast" })).ToBeVisibleAsync();
        // What was sent is not typed any more.
        await KillAndStart();
        await Expect(one.Locator("#class-description")).ToHaveValueAsync("what all disks have", new() { Timeout = 60_000 });
        await Expect(classes.GetByRole(AriaRole.Link, new() { Name = "fast" })).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Expect(classes.Locator("html[data-ready='true'] #class-name")).ToHaveValueAsync("", new() { Timeout = 60_000 });

        string Url(string path) => new Uri(installation.Console.Http.BaseAddress!, path).ToString();

        async Task KillAndStart()
        {
            // A page whose console is gone looks as before until it is loaded again.
            foreach (var page in new[] { classes, one }) await page.EvaluateAsync("document.documentElement.setAttribute('data-before-the-kill', '')");
            await installation.Console.Kill9();
            await installation.Console.Start();
            foreach (var page in new[] { classes, one }) await page.Locator("html[data-ready='true']:not([data-before-the-kill])").WaitForAsync(new() { State = WaitForSelectorState.Attached, Timeout = 60_000 });
        }

        async Task Kept()
        {
            await Expect(classes.Locator("html[data-ready='true'] #class-name")).ToHaveValueAsync("fast", new() { Timeout = 60_000 });
            await Expect(classes.Locator("#class-thin")).ToBeCheckedAsync();
            await Expect(classes.Locator("#class-medium")).ToHaveValueAsync("solidState");
            await Expect(classes.Locator("#class-curl")).ToContainTextAsync("solid-state");
            await Expect(one.Locator("#class-description")).ToHaveValueAsync("what all disks have", new() { Timeout = 60_000 });
            await Expect(one.Locator("#class-curl")).ToContainTextAsync("what all disks have");
        }
    }
}
