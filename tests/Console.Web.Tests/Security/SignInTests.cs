using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Web.Application;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Security;

[Collection(ServedConsoleCollection.Name)]
public sealed partial class SignInTests(ServedConsole console)
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

    [Fact]
    public async Task Name_and_password_sign_in_and_what_is_wrong_is_said_without_telling_who_is_here()
    {
        var (browser, name) = await WithPassword();
        using (browser)
        {
            using var stranger = console.Anonymous();
            var wrong = await Password(stranger, name, "not the password at all");
            Assert.Equal(HttpStatusCode.Forbidden, wrong.StatusCode);
            var unknown = await Password(stranger, "nobody-of-that-name", "not the password at all");
            Assert.Equal(Words(await unknown.Content.ReadAsStringAsync(), "nobody-of-that-name"), Words(await wrong.Content.ReadAsStringAsync(), name));
            Assert.Contains("Give your name and your password", await (await Password(stranger, "", "")).Content.ReadAsStringAsync());

            var signedIn = await Password(stranger, name, Good, "/projects/default/vms");
            Assert.Equal((HttpStatusCode.Found, "/projects/default/vms"), (signedIn.StatusCode, signedIn.Headers.Location?.OriginalString));
            Assert.Contains("plinth=", Assert.Single(signedIn.Headers.GetValues("Set-Cookie")));
        }

        static string Words(string page, string name) => page.Replace(name, "NAME", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_is_asked_after_the_password_where_an_app_is_set_up()
    {
        var (browser, name) = await WithPassword();
        using (browser)
        {
            var setup = await Api(browser, HttpMethod.Post, "authenticator", new { });
            var app = new OtpNet.Totp(OtpNet.Base32Encoding.ToBytes(setup.GetProperty("key").GetString()!.Replace(" ", "", StringComparison.Ordinal)));
            var now = DateTime.UtcNow;
            var codes = (await Api(browser, HttpMethod.Post, "authenticator/confirm", new { code = app.ComputeTotp(now) })).GetProperty("codes");
            using var stranger = console.Anonymous();
            var page = await (await Password(stranger, name, Good)).Content.ReadAsStringAsync();
            Assert.DoesNotContain("Set-Cookie", page, StringComparison.Ordinal);
            var ticket = Ticket().Match(page).Groups[1].Value;
            Assert.Equal(HttpStatusCode.Forbidden, (await Code(stranger, ticket, "000000")).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await Code(stranger, ticket + "x", codes[0].GetString()!)).StatusCode);
            Assert.Equal(HttpStatusCode.Found, (await Code(stranger, ticket, codes[0].GetString()!)).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await Code(stranger, ticket, codes[0].GetString()!)).StatusCode);
            // The app's next code, a step ahead, is within half a minute.
            Assert.Equal(HttpStatusCode.Found, (await Code(stranger, ticket, app.ComputeTotp(now.AddSeconds(30)))).StatusCode);
        }

        static Task<HttpResponseMessage> Code(HttpClient browser, string ticket, string code) => browser.PostAsync("/sign-in/code", new FormUrlEncodedContent([new("ticket", ticket), new("code", code)]));
    }

    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/sign-in/password")]
    [InlineData("/sign-in/code")]
    [InlineData("/sign-in/passkey/question")]
    [InlineData("/sign-in/passkey")]
    [InlineData("/sign-out")]
    public async Task No_page_of_another_origin_signs_anybody_in_or_out(string path)
    {
        using var browser = console.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent([new("name", "operator"), new("password", Good), new("link", await Link())]), Headers = { { "Sec-Fetch-Site", "cross-site" } } };
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task A_passkey_that_nobody_made_is_refused_in_words()
    {
        using var browser = console.Anonymous();
        var question = await (await browser.PostAsJsonAsync("/sign-in/passkey/question", new { })).Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("localhost", question.GetProperty("options").GetProperty("rpId").GetString());
        Assert.Equal("required", question.GetProperty("options").GetProperty("userVerification").GetString());
        var state = question.GetProperty("state").GetString()!;
        foreach (var body in new object[]
        {
            new { state, credential = new { id = "AQID", rawId = "AQID", type = "public-key", clientExtensionResults = new { }, response = new { clientDataJSON = "e30", authenticatorData = "AAAA", signature = "AAAA", userHandle = "AAAA" } } },
            new { state, credential = new { } }, new { state = state + "x", credential = new { } }, new { }, new { state, credential = "text" },
        })
        {
            var answer = await browser.PostAsJsonAsync("/sign-in/passkey", body);
            Assert.True(answer.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.BadRequest, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }
    }

    [Fact]
    public async Task A_session_that_was_ended_elsewhere_is_over_at_once_and_its_watch_ends()
    {
        using var first = await console.Person();
        using var second = await console.Person();
        using var watch = await second.GetAsync("/api/v1/operations/watch", HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await watch.Content.ReadAsStreamAsync());
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await lines.ReadLineAsync(deadline.Token);
        Assert.Equal(HttpStatusCode.NoContent, (await first.PostAsJsonAsync("/api/v1/me/sessions/end-others", new { })).StatusCode);
        while (await lines.ReadLineAsync(deadline.Token) is not null)
        {
        }
        Assert.Equal(HttpStatusCode.Unauthorized, (await second.GetAsync("/api/v1/hosts")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await first.GetAsync("/api/v1/hosts")).StatusCode);
    }

    private const string Good = "correct horse battery staple";

    private async Task<(HttpClient Browser, string Name)> WithPassword()
    {
        using var admin = await console.Client();
        var name = $"person-{Guid.NewGuid():N}"[..20];
        var invited = await (await admin.PostAsJsonAsync("/api/v1/users", new { name, role = "project-member", project = "default" })).Content.ReadFromJsonAsync<JsonElement>();
        var browser = console.Anonymous(cookies: true);
        Assert.Equal("/account", (await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", invited.GetProperty("path").GetString()!)]))).Headers.Location?.OriginalString);
        await Api(browser, HttpMethod.Put, "password", new { password = Good });
        return (browser, name);
    }

    private static async Task<JsonElement> Api(HttpClient browser, HttpMethod method, string path, object body)
    {
        using var answer = await browser.SendAsync(new HttpRequestMessage(method, $"/api/v1/me/{path}") { Content = JsonContent.Create(body) });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static Task<HttpResponseMessage> Password(HttpClient browser, string name, string password, string? returnUrl = null) =>
        browser.PostAsync("/sign-in/password", new FormUrlEncodedContent([new("name", name), new("password", password), new("returnUrl", returnUrl ?? "/")]));

    [System.Text.RegularExpressions.GeneratedRegex("name=\"ticket\" value=\"([^\"]+)\"")]
    private static partial System.Text.RegularExpressions.Regex Ticket();

    private Task<string> Link() => console.App.Services.GetRequiredService<IOperatorLink>().Issue(CancellationToken.None);

    private static Task<HttpResponseMessage> Post(HttpClient browser, string link) => browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", link)]));
}
