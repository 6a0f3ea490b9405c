using Microsoft.Playwright;
using Plinth.EndToEnd.Tests.Lab;
using static Microsoft.Playwright.Assertions;

namespace Plinth.EndToEnd.Tests;

/// <summary>What a person does, in a real browser through the real server to a real hypervisor.</summary>
[Collection(BrowserFleetCollection.Name)]
public sealed class BrowserTests(BrowserFleet fleet)
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
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.Locator(".undo-chip")).ToContainTextAsync("after that disk journey (", new() { Timeout = Patience });
        Assert.Empty(await Browser.Violations(page));
        await Browser.Picture(page, "vm-restorable");
        await page.Locator(".undo-chip").GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Start" })).ToBeEnabledAsync(new() { Timeout = Patience });

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("journey");
        await dialog.GetByRole(AriaRole.Checkbox).CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Wait.Until("the VM gone", async () => (await fleet.Console.Get("projects/default/vms?q=journey")).GetProperty("total").GetInt64() == 0);
    }

    [Fact]
    public async Task Axe_finds_nothing_on_any_page()
    {
        var (vm, create) = await fleet.Create("axe");
        await fleet.Console.Finished(create);
        var host = (await fleet.Console.ReadyHosts(1))[0].GetProperty("id").GetString();
        var network = (await fleet.Console.Post("projects/default/networks", new { name = "axe", cidr = "10.120.0.0/24", rules = new[] { new { protocol = "tcp", ports = "443", source = "0.0.0.0/0" } } })).GetProperty("id").GetString();
        var made = await fleet.Console.Post("projects/default/volumes", new { name = "axe", sizeGib = 1 });
        await fleet.Console.Finished(made.GetProperty("id").GetString()!);
        var volume = made.GetProperty("volume").GetString()!;
        await fleet.Console.Put("projects/default/quota", new { limits = new { vcpus = 64, memoryMib = 65536, vms = 50 } });
        await fleet.Console.Post("projects/default/quota-requests", new { limits = new { vcpus = 128 }, reason = "For the looks of it." });
        var then = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
        (string Name, string Path)[] pages =
        [
            ("overview", "/"), ("hosts", "/hosts"), ("host", $"/hosts/{host}"), ("vms", "/projects/default/vms"), ("vm-create", "/projects/default/vms/new"), ("vm", $"/projects/default/vms/{vm}"),
            ("vm-console", $"/projects/default/vms/{vm}?tab=console"), ("vm-metrics", $"/projects/default/vms/{vm}?tab=metrics"), ("vm-network", $"/projects/default/vms/{vm}?tab=network"), ("vm-snapshots", $"/projects/default/vms/{vm}?tab=snapshots"), ("vm-rebuild", $"/projects/default/vms/{vm}?tab=rebuild"), ("vm-clone", $"/projects/default/vms/{vm}?tab=clone"), ("operations", "/operations"), ("operation", $"/operations/{create}"),
            ("volumes", "/projects/default/volumes"), ("volume-create", "/projects/default/volumes/new"), ("volume", $"/projects/default/volumes/{volume}"), ("networks", "/projects/default/networks"), ("network", $"/projects/default/networks/{network}"), ("storage-classes", "/storage-classes"), ("storage-class", "/storage-classes/01900000-0000-7000-8000-000000000004"), ("projects", "/projects"), ("usage", "/projects/default/usage"), ("people", "/people"), ("account", "/account"), ("access", "/people/access"), ("agents", "/agents"), ("images", "/images"), ("flavors", "/flavors"), ("audit", "/audit"), ("upkeep", "/upkeep"),
            ("vms-then", $"/projects/default/vms?at={then}"), ("vm-then", $"/projects/default/vms/{vm}?at={then}"), ("hosts-then", $"/hosts?at={then}"), ("host-then", $"/hosts/{host}?at={then}"),
        ];
        List<string> found = [];
        await using (var browser = await Browser.Open(fleet))
        {
            await Looks(browser, async (page, look) =>
            {
                foreach (var (name, path) in pages)
                {
                    await Browser.Go(page, Url(path));
                    await look(path, name);
                }
            }, found);
        }
        await fleet.Console.Put("projects/default/quota", new { limits = new { } });
        await fleet.Console.Delete($"projects/default/networks/{network}");
        await fleet.Console.Finished((await fleet.Console.Delete($"projects/default/volumes/{volume}")).GetProperty("id").GetString()!);
        await fleet.Remove(vm);
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Fact]
    public async Task Axe_finds_nothing_in_what_opens()
    {
        (string Name, Func<IPage, Task> Open)[] states =
        [
            ("palette", async page =>
            {
                await page.Keyboard.PressAsync("Control+k");
                await page.Locator("#palette-input").FillAsync("hosts");
                await Expect(page.GetByRole(AriaRole.Option).First).ToBeVisibleAsync();
            }),
            ("keys", async page =>
            {
                await page.Keyboard.PressAsync("?");
                await Expect(page.Locator("#keys-sheet")).ToBeVisibleAsync();
            }),
            ("columns", page => page.GetByRole(AriaRole.Button, new() { Name = "Choose columns" }).ClickAsync()),
            ("views", page => page.GetByRole(AriaRole.Button, new() { Name = "Saved views" }).ClickAsync()),
            ("account", page => page.GetByRole(AriaRole.Button, new() { Name = "Display and account" }).ClickAsync()),
            ("past", page => page.GetByRole(AriaRole.Button, new() { Name = "Show this page as it was" }).ClickAsync()),
            ("tasks", page => page.GetByRole(AriaRole.Button, new() { Name = "Tasks" }).ClickAsync()),
        ];
        List<string> found = [];
        await using var browser = await Browser.Open(fleet);
        await Looks(browser, async (page, look) =>
        {
            foreach (var (name, open) in states)
            {
                await Browser.Go(page, Url("/hosts"));
                await Expect(page.Locator("main tr.row").First).ToBeVisibleAsync();
                await open(page);
                await look(name, $"open-{name}");
            }
        }, found);
        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    /// <summary>Goes the way at both widths, and looks at each stop of it in each theme: axe, and a picture.</summary>
    private static Task Looks(Browser browser, Func<IPage, Func<string, string, Task>, Task> way, List<string> found) =>
        // At once: one page draws while the other waits.
        Parallel.ForEachAsync(new[] { (Width: 1440, Contrasts: new[] { false, true }), (390, [false]) }, async (wanted, _) =>
        {
            var page = await browser.Page(wanted.Width);
            await way(page, async (what, picture) =>
            {
                foreach (var contrast in wanted.Contrasts)
                    foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
                    {
                        var look = await Browser.Look(page, wanted.Width, scheme, contrast);
                        var violations = await Browser.Violations(page, coloursOnly: contrast || scheme == ColorScheme.Dark);
                        lock (found) found.AddRange(violations.Select(v => $"{what} at {look}: {v}"));
                        await Browser.Picture(page, $"{picture}-{look}");
                    }
            });
            await page.Context.CloseAsync();
        });

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
