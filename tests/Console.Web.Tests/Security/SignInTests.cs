using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Web.Application;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Security;

[Collection(ServedConsoleCollection.Name)]
public sealed class SignInTests(ServedConsole console)
{
    [Fact]
    public async Task A_link_works_once_and_looking_at_it_does_not_burn_it()
    {
        var link = await Link();
        using var browser = console.Anonymous();
        for (var preview = 0; preview < 2; preview++)
        {
            var page = await browser.GetAsync($"/sign-in?link={link}");
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            Assert.Contains("<button", await page.Content.ReadAsStringAsync());
            Assert.Equal("no-referrer", page.Headers.GetValues("Referrer-Policy").Single());
        }
        var signedIn = await Post(browser, link);
        Assert.Equal(HttpStatusCode.Found, signedIn.StatusCode);
        var cookie = Assert.Single(signedIn.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=lax", cookie);

        var again = await Post(browser, link);
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
        Assert.Contains("used already", await again.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_new_link_replaces_the_former_and_made_up_ones_are_refused()
    {
        var former = await Link();
        await Link();
        using var browser = console.Anonymous();
        Assert.Equal(HttpStatusCode.Forbidden, (await Post(browser, former)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await Post(browser, "made-up")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await Post(browser, "")).StatusCode);
    }

    [Theory]
    [InlineData("/projects/default/vms", "/projects/default/vms")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example/", "/")]
    public async Task People_are_only_sent_on_inside_the_console(string asked, string sentTo)
    {
        using var browser = console.Anonymous();
        var answer = await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", await Link()), new("returnUrl", asked)]));
        Assert.Equal(sentTo, answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task The_cookie_serves_the_api_but_not_for_pages_of_others()
    {
        using var person = await console.Person();
        Assert.Equal(HttpStatusCode.OK, (await person.GetAsync("/api/v1/hosts")).StatusCode);

        Assert.Equal(HttpStatusCode.Forbidden, await Create("Origin", "https://evil.example"));
        Assert.Equal(HttpStatusCode.Forbidden, await Create("Origin", "null"));
        Assert.Equal(HttpStatusCode.Forbidden, await Create("Sec-Fetch-Site", "cross-site"));
        Assert.Equal(HttpStatusCode.Forbidden, await Create("Sec-Fetch-Site", "same-site"));
        Assert.Equal(HttpStatusCode.Created, await Create("Sec-Fetch-Site", "same-origin"));
        Assert.Equal(HttpStatusCode.Created, await Create("Origin", console.Portal.GetLeftPart(UriPartial.Authority)));

        async Task<HttpStatusCode> Create(string header, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/agents/join-tokens") { Content = JsonContent.Create(new { }) };
            request.Headers.Add(header, value);
            return (await person.SendAsync(request)).StatusCode;
        }
    }

    [Fact]
    public async Task Signing_out_ends_the_session()
    {
        using var person = await console.Person();
        Assert.Equal(HttpStatusCode.OK, (await person.PostAsync("/sign-out", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await person.GetAsync("/api/v1/hosts")).StatusCode);
    }

    [Fact]
    public async Task Signing_in_and_being_refused_stand_in_the_audit_ledger()
    {
        using var browser = console.Anonymous();
        await Post(browser, "made-up-for-the-ledger");
        using var person = await console.Person();
        var entries = (await person.GetFromJsonAsync<JsonElement>("/api/v1/audit?action=sign-in&limit=500")).GetProperty("items").EnumerateArray().ToList();
        Assert.Contains(entries, e => e.GetProperty("outcome").GetString() == "refused" && e.GetProperty("actorKind").GetString() == "anonymous");
        Assert.Contains(entries, e => e.GetProperty("outcome").GetString() == "done" && e.GetProperty("actor").GetString() == "operator");
    }

    [Fact]
    public async Task Pages_send_strangers_to_the_sign_in_page_and_have_a_strict_policy()
    {
        using var browser = console.Anonymous();
        var answer = await browser.GetAsync("/projects/default/vms");
        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        Assert.Contains("/sign-in", answer.Headers.Location!.ToString());
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain("'unsafe-eval'", policy);
        Assert.DoesNotContain("script-src 'self' 'unsafe-inline'", policy);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Another_host_name_is_refused()
    {
        using var client = console.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Host = "evil.example";
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await client.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Secrets_do_not_reach_the_log()
    {
        var link = await Link();
        using var browser = console.Anonymous();
        await browser.GetAsync($"/sign-in?link={link}");
        await Post(browser, link);
        using var client = await console.Client();
        var token = client.DefaultRequestHeaders.Authorization!.Parameter!;
        var join = await (await client.PostAsJsonAsync("/api/v1/agents/join-tokens", new { })).Content.ReadFromJsonAsync<JsonElement>();
        var secret = join.GetProperty("command").GetString()!.Split("--token ")[1].Split(' ')[0];
        await client.GetAsync("/api/v1/hosts");
        await client.GetAsync("/consoles/a-ticket-that-must-stay-secret");
        var log = console.Log.Text;
        Assert.NotEmpty(log);
        // ASP.NET's own debug lines are beyond the console's configuration of Warning for them; what the console and its libraries say is judged at every level.
        var said = string.Join('\n', log.Split('\n').Where(l => !l.StartsWith("Debug Microsoft.AspNetCore", StringComparison.Ordinal) && !l.StartsWith("Trace Microsoft.AspNetCore", StringComparison.Ordinal)));
        Assert.All([link, token, secret, ServedConsole.ClientSecret, "a-ticket-that-must-stay-secret"], s => Assert.DoesNotContain(s, said));
    }

    private Task<string> Link() => console.App.Services.GetRequiredService<ISignIn>().IssueLink(CancellationToken.None);

    private static Task<HttpResponseMessage> Post(HttpClient browser, string link) => browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", link)]));
}
