using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>Chromium inside the lab host, so that the console's loopback is its own; signed in by the one-time link.</summary>
public sealed class Browser : IAsyncDisposable
{
    public static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    ];

    public const string Executable = "/usr/bin/chromium";

    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    // A drawing waits for its turn on a busy machine.
    static Browser() => Assertions.SetDefaultExpectTimeout(20_000);

    private readonly string _wrapper;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(string wrapper, IPlaywright playwright, IBrowser browser, string signedIn) =>
        (_wrapper, _playwright, _browser, SignedIn) = (wrapper, playwright, browser, signedIn);

    /// <summary>The storage state after sign-in: every context starts with it.</summary>
    public string SignedIn { get; }

    public static async Task<Browser> Open(Fleet fleet)
    {
        var wrapper = Path.Combine(fleet.Data, "chromium");
        await File.WriteAllTextAsync(wrapper, $"#!/bin/sh\nexec '{Repository.LabScript}' exec '{fleet.Host.Name}' --dir '{fleet.Host.Directory}' -- chromium \"$@\"\n");
        File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var playwright = await Playwright.CreateAsync();
        var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = wrapper, Args = Arguments });
        // The link works once: whoever opens the first browser signs in for all.
        fleet.SignedIn ??= await SignIn(chromium, fleet.Console.SignInLink!);
        return new Browser(wrapper, playwright, chromium, fleet.SignedIn);
    }

    /// <summary>Signs in through the link, which works once, and gives the storage state.</summary>
    public static async Task<string> SignIn(IBrowser chromium, string link)
    {
        var context = await chromium.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(link);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Ready(page);
        var state = await context.StorageStateAsync();
        await context.CloseAsync();
        return state;
    }

    public async Task<IPage> Page(int width = 1440, int height = 900, ColorScheme scheme = ColorScheme.Light, bool contrast = false)
    {
        var context = await _browser.NewContextAsync(new()
        {
            StorageState = SignedIn,
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = scheme,
            Contrast = contrast ? Contrast.More : Contrast.NoPreference,
            ReducedMotion = ReducedMotion.Reduce,
        });
        return await context.NewPageAsync();
    }

    /// <summary>The first interactive render is over: clicks are heard.</summary>
    public static Task Ready(IPage page) => page.Locator("html[data-ready='true']").WaitForAsync(new() { State = WaitForSelectorState.Attached, Timeout = 60_000 });

    public static async Task Go(IPage page, string url)
    {
        await page.GotoAsync(url);
        await Ready(page);
    }

    /// <summary>The page as it is, in another theme; gives the look's name.</summary>
    public static async Task<string> Look(IPage page, int width, ColorScheme scheme, bool contrast)
    {
        await page.EmulateMediaAsync(new() { ColorScheme = scheme, Contrast = contrast ? Contrast.More : Contrast.NoPreference });
        var (theme, more) = (scheme.ToString().ToLowerInvariant(), contrast ? "high" : "usual");
        await page.Locator($"html[data-theme='{theme}'][data-contrast='{more}']").WaitForAsync(new() { State = WaitForSelectorState.Attached });
        return $"{width}-{theme}{(contrast ? "-contrast" : "")}";
    }

    /// <summary>For people to look at: artifacts/pictures/NAME.png, the whole page.</summary>
    public static Task Picture(IPage page, string name) => page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Pictures, name + ".png"), FullPage = true });

    /// <summary>What axe finds, as lines; empty when nothing.</summary>
    /// <param name="coloursOnly">Asks only what a theme can change.</param>
    public static async Task<string[]> Violations(IPage page, bool coloursOnly = false)
    {
        // By itself: the package for Playwright opens a page of its own at each call, for frames, which no page here has; that took 2 s each.
        await page.EvaluateAsync(Axe);
        return await page.EvaluateAsync<string[]>(
            "async rules => (await axe.run(document, rules ? { runOnly: { type: 'rule', values: rules } } : {})).violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.html}`))",
            coloursOnly ? new[] { "color-contrast", "link-in-text-block" } : null);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        File.Delete(_wrapper);
    }
}
