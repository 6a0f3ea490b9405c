using System.Text.Json;
using Microsoft.Playwright;
using Plinth.EndToEnd.Tests.Lab;
using static Microsoft.Playwright.Assertions;

namespace Plinth.EndToEnd.Tests;

/// <summary>Somebody who is invited, in a browser with an authenticator of its own, through the real server.</summary>
public sealed class PasskeyTests : IAsyncLifetime
{
    private readonly Installation _installation = new(18780);
    private IPlaywright _playwright = null!;
    private IBrowser _chromium = null!;

    private PlinthConsole Console => _installation.Console;

    private string Url(string path) => new Uri(Console.Http.BaseAddress!, path).ToString();

    public async Task InitializeAsync()
    {
        await Console.Start();
        _playwright = await Playwright.CreateAsync();
        _chromium = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Browser.Executable, Args = Browser.Arguments });
    }

    public async Task DisposeAsync()
    {
        await _chromium.DisposeAsync();
        _playwright.Dispose();
        await _installation.DisposeAsync();
    }

    [Fact]
    public async Task Invited_adds_a_passkey_signs_in_with_it_and_ends_a_session_elsewhere()
    {
        var invited = await Console.Post("users", new { name = "bea", role = "project-member", project = "default" });
        await using var context = await _chromium.NewContextAsync(new() { ReducedMotion = ReducedMotion.Reduce });
        var page = await context.NewPageAsync();
        var device = await context.NewCDPSessionAsync(page);
        await device.SendAsync("WebAuthn.enable");
        await device.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new { protocol = "ctap2", transport = "internal", hasResidentKey = true, hasUserVerification = true, isUserVerified = true, automaticPresenceSimulation = true },
        });

        await page.GotoAsync(Url(invited.GetProperty("path").GetString()!));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Browser.Ready(page);
        await Expect(page).ToHaveURLAsync(Url("/account"));
        await Expect(page.GetByText("The link that brought you here worked once.")).ToBeVisibleAsync();
        await page.GetByLabel("Name of a new passkey").FillAsync("Laptop");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await Expect(page.GetByText("Passkey added.")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Remove passkey Laptop" })).ToBeVisibleAsync();
        Assert.Empty(await Browser.Violations(page));

        await page.GotoAsync(Url("/sign-out"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.GotoAsync(Url("/projects/default/vms"));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in", Exact = true })).ToBeVisibleAsync();
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            Assert.Empty(await Browser.Violations(page));
            await Browser.Picture(page, $"sign-in-{scheme.ToString().ToLowerInvariant()}");
        }
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await Browser.Ready(page);
        await Expect(page).ToHaveURLAsync(Url("/projects/default/vms"));

        // Another browser of the same person, by a link; ended from the first, its open page goes by itself.
        var link = await Console.Post($"users/{invited.GetProperty("user").GetProperty("id").GetString()}/sign-in-link");
        await using var other = await _chromium.NewContextAsync();
        var elsewhere = await other.NewPageAsync();
        await elsewhere.GotoAsync(Url(link.GetProperty("path").GetString()!));
        await elsewhere.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Browser.Ready(elsewhere);
        await Browser.Go(elsewhere, Url("/projects/default/vms"));
        await Browser.Go(page, Url("/account"));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Where you are signed in" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out everywhere else" }).ClickAsync();
        await Expect(page.GetByText("All other sessions have ended.")).ToBeVisibleAsync();
        await Expect(elsewhere.GetByRole(AriaRole.Heading, new() { Name = "Sign in", Exact = true })).ToBeVisibleAsync();

        var entries = (await Console.Get("audit?action=sign-in&limit=50")).GetProperty("items").EnumerateArray().Select(e => e.GetProperty("detail").GetString()!).ToList();
        Assert.Contains(entries, d => d.StartsWith("passkey, Chrome on Linux", StringComparison.Ordinal));
    }
}
