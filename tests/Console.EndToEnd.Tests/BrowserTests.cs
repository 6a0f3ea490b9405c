using Microsoft.Playwright;
using Plinth.EndToEnd.Tests.Lab;
using static Microsoft.Playwright.Assertions;

namespace Plinth.EndToEnd.Tests;

/// <summary>What a person does, in a real browser through the real server to a real hypervisor.</summary>
[Collection(FleetCollection.Name)]
public sealed class BrowserTests(Fleet fleet)
{
    // Generous: a guest boots under software emulation on a shared machine. Only a failure waits this long.
    private const float Patience = 180_000;

    private string Url(string path) => new Uri(fleet.Console.Http.BaseAddress!, path).ToString();

    [Fact]
    public async Task An_operator_creates_watches_uses_and_deletes_a_vm()
    {
        await using var browser = await Browser.Open(fleet);
        var page = await browser.Page();
        await Browser.Go(page, Url("/"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Virtual machines" }).First.ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Create" }).First.ClickAsync();

        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Not Valid!");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create VM" }).ClickAsync();
        await Expect(page.Locator("[aria-invalid=true]").First).ToBeVisibleAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("journey");
        await page.GetByLabel("Image").SelectOptionAsync(new SelectOptionValue { Label = "plinth-guest" });
        await page.Locator("label.flavor", new() { HasText = "tiny" }).ClickAsync();
        await Expect(page.GetByText("Fits on 1 of 1 host")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Create VM" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "journey" })).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(page.GetByText("Guest agent up").First).ToBeVisibleAsync(new() { Timeout = Patience });
        await Expect(page.Locator("main").GetByText("Running", new() { Exact = true }).First).ToBeVisibleAsync(new() { Timeout = Patience });
        await Expect(page.Locator("main").GetByText("Emulated", new() { Exact = false }).First).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Serial console" }).ClickAsync();
        await Expect(page.Locator(".xterm-rows")).ToContainTextAsync("Plinth guest journey ready", new() { Timeout = Patience });

        await page.GetByRole(AriaRole.Link, new() { Name = "Summary" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).First.ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Start" })).ToBeEnabledAsync(new() { Timeout = Patience });

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("journey");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete for good" }).ClickAsync();
        await Wait.Until("the VM gone", async () => (await fleet.Console.Get("projects/default/vms?q=journey")).GetProperty("total").GetInt64() == 0);
    }

    [Fact]
    public async Task Axe_finds_nothing_on_any_page()
    {
        var (vm, create) = await fleet.Create("axe");
        await fleet.Console.Finished(create);
        var host = (await fleet.Console.ReadyHosts(1))[0].GetProperty("id").GetString();
        string[] pages =
        [
            "/", "/hosts", $"/hosts/{host}", "/projects/default/vms", "/projects/default/vms/new", $"/projects/default/vms/{vm}", $"/projects/default/vms/{vm}?tab=console",
            $"/projects/default/vms/{vm}?tab=metrics", "/operations", $"/operations/{create}", "/agents", "/images", "/flavors", "/audit",
        ];
        List<string> found = [];
        await using (var browser = await Browser.Open(fleet))
        {
            foreach (var (width, scheme) in new[] { (1440, ColorScheme.Light), (1440, ColorScheme.Dark), (390, ColorScheme.Light), (390, ColorScheme.Dark) })
            {
                var page = await browser.Page(width, scheme: scheme);
                foreach (var path in pages)
                {
                    await page.GotoAsync(Url(path));
                    await Browser.Ready(page);
                    found.AddRange((await Browser.Violations(page)).Select(v => $"{path} at {width} {scheme}: {v}"));
                }
                await page.Context.CloseAsync();
            }
        }
        await fleet.Remove(vm);
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Theory]
    [InlineData("/projects/default/vms", 250)]
    [InlineData("/hosts", 250)]
    [InlineData("/", 250)]
    [InlineData("host", 320)]
    public async Task A_cold_page_is_small(string path, int limitKib)
    {
        if (path == "host") path = "/hosts/" + (await fleet.Console.ReadyHosts(1))[0].GetProperty("id").GetString();
        await using var browser = await Browser.Open(fleet);
        var page = await browser.Page();
        var cdp = await page.Context.NewCDPSessionAsync(page);
        await cdp.SendAsync("Network.enable");
        double bytes = 0;
        cdp.Event("Network.loadingFinished").OnEvent += (_, e) => bytes += e!.Value.GetProperty("encodedDataLength").GetDouble();
        await Browser.Go(page, Url(path));
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        Assert.InRange(bytes / 1024, 20, limitKib);
    }
}
