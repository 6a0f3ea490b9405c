using Microsoft.Playwright;
using Plinth.EndToEnd.Tests.Lab;
using static Microsoft.Playwright.Assertions;

namespace Plinth.EndToEnd.Tests;

/// <summary>What is typed fast arrives whole: a drawing that answers an earlier letter never takes away a later one.</summary>
[Collection(BrowserFleetCollection.Name)]
public sealed class TypingTests(BrowserFleet fleet)
{
    private const int Tries = 8;

    private string Url(string path) => new Uri(fleet.Console.Http.BaseAddress!, path).ToString();

    [Theory]
    [InlineData("/projects/default/vms/new", "vm-name", "typed-quickly", "vm-curl")]
    [InlineData("/projects/default/vms/new", "vm-description", "All of this is typed without a rest.", "vm-curl")]
    [InlineData("/projects/default/networks", "network-cidr", "10.240.128.0/24", "network-curl")]
    [InlineData("/projects/default/volumes/new", "volume-size", "1048576", "volume-curl")]
    public async Task A_field_keeps_every_letter(string path, string field, string text, string echo)
    {
        await using var browser = await Browser.Open(fleet);
        var page = await browser.Page();
        await Browser.Go(page, Url(path));
        for (var i = 0; i < Tries; i++)
        {
            await page.Locator("#" + field).FillAsync("");
            await Expect(page.Locator("#" + echo)).Not.ToContainTextAsync(text);
            await page.Locator("#" + field).PressSequentiallyAsync(text);
            // The request beside the form shows that the server has the whole text; by then every drawing has come back.
            await Expect(page.Locator("#" + echo)).ToContainTextAsync(text);
            await Expect(page.Locator("#" + field)).ToHaveValueAsync(text);
        }
    }

    [Fact]
    public async Task The_palette_keeps_every_letter()
    {
        const string text = "no such thing anywhere";
        await using var browser = await Browser.Open(fleet);
        var page = await browser.Page();
        await Browser.Go(page, Url("/hosts"));
        for (var i = 0; i < Tries; i++)
        {
            await page.Keyboard.PressAsync("Control+k");
            var input = page.Locator("#palette-input");
            await Expect(input).ToBeFocusedAsync();
            await Expect(input).ToHaveValueAsync("");
            await page.Keyboard.TypeAsync(text);
            await Expect(page.Locator(".palette-foot")).ToContainTextAsync("Nothing has that name");
            await Expect(input).ToHaveValueAsync(text);
            await page.Keyboard.PressAsync("Escape");
            await Expect(input).Not.ToBeVisibleAsync();
        }
    }
}
