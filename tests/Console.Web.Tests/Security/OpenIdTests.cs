using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using OpenIddict.Abstractions;
using Plinth.Web.Tests.Serving;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Plinth.Web.Tests.Security;

[Collection(ServedConsoleCollection.Name)]
public sealed class OpenIdTests(ServedConsole console)
{
    private const string Callback = "http://127.0.0.1:5999/callback";

    [Fact]
    public async Task The_bootstrap_client_gets_a_token_that_the_api_takes()
    {
        using var client = await console.Client();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/hosts")).StatusCode);
    }

    [Theory]
    [InlineData("robot", "wrong-secret-wrong-secret")]
    [InlineData("nobody", ServedConsole.ClientSecret)]
    public async Task Wrong_credentials_are_refused_and_audited(string id, string secret)
    {
        using var client = console.Anonymous();
        var answer = await client.PostAsync("/connect/token", new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", id), new("client_secret", secret)]));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        using var reader = await console.Client();
        var entries = (await reader.GetFromJsonAsync<JsonElement>("/api/v1/audit?action=token.issue&limit=500")).GetProperty("items").EnumerateArray();
        Assert.Contains(entries, e => e.GetProperty("outcome").GetString() == "refused");
    }

    [Theory]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb2JvdCJ9.")]
    [InlineData("Basic cm9ib3Q6cm9ib3Q=")]
    public async Task Made_up_tokens_are_refused_even_beside_a_good_cookie(string header)
    {
        using var person = await console.Person();
        person.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);
        Assert.Equal(HttpStatusCode.Unauthorized, (await person.GetAsync("/api/v1/hosts")).StatusCode);
    }

    [Fact]
    public async Task A_token_of_a_deleted_client_stops_working_at_once()
    {
        const string secret = "another-secret-of-a-client";
        await using var scope = console.App.Services.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        var made = await clients.CreateAsync(new OpenIddictApplicationDescriptor { ClientId = "short-lived", ClientSecret = secret, ClientType = ClientTypes.Confidential, Permissions = { Permissions.Endpoints.Token, Permissions.GrantTypes.ClientCredentials } });
        using var client = console.Anonymous();
        var answer = await client.PostAsync("/connect/token", new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("client_id", "short-lived"), new("client_secret", secret)]));
        var token = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        // Without a role it is somebody, who may do nothing.
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/me/preferences")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/api/v1/hosts")).StatusCode);
        await clients.DeleteAsync(made);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/hosts")).StatusCode);
    }

    [Fact]
    public async Task A_person_lends_a_program_access_by_code_and_proof_key_and_it_refreshes_once_per_token()
    {
        var clientId = await PublicClient();
        using var person = await console.Person();
        var verifier = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));
        var challenge = WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var asked = await person.GetAsync(Authorize(clientId, Callback, challenge));
        Assert.True(asked.StatusCode == HttpStatusCode.Found, await asked.Content.ReadAsStringAsync());
        Assert.StartsWith(Callback, asked.Headers.Location!.ToString());
        var code = QueryHelpers.ParseQuery(asked.Headers.Location.Query)["code"].ToString();

        using var program = console.Anonymous();
        Assert.Equal(HttpStatusCode.BadRequest, (await Token(program, [new("grant_type", "authorization_code"), new("client_id", clientId), new("code", code), new("redirect_uri", Callback), new("code_verifier", "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong")])).StatusCode);

        var again = await person.GetAsync(Authorize(clientId, Callback, challenge));
        code = QueryHelpers.ParseQuery(again.Headers.Location!.Query)["code"].ToString();
        var exchanged = await Token(program, [new("grant_type", "authorization_code"), new("client_id", clientId), new("code", code), new("redirect_uri", Callback), new("code_verifier", verifier)]);
        var tokens = await exchanged.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(exchanged.IsSuccessStatusCode, tokens.ToString());
        program.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.GetProperty("access_token").GetString());
        Assert.Equal(HttpStatusCode.OK, (await program.GetAsync("/api/v1/hosts")).StatusCode);

        program.DefaultRequestHeaders.Authorization = null;
        var refresh = tokens.GetProperty("refresh_token").GetString()!;
        var renewed = await Token(program, [new("grant_type", "refresh_token"), new("client_id", clientId), new("refresh_token", refresh)]);
        Assert.True(renewed.IsSuccessStatusCode);
        Assert.NotEqual(refresh, (await renewed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("refresh_token").GetString());
    }

    [Fact]
    public async Task Codes_are_not_given_without_proof_key_or_to_other_addresses()
    {
        var clientId = await PublicClient();
        using var person = await console.Person();
        var without = await person.GetAsync($"/connect/authorize?client_id={clientId}&response_type=code&redirect_uri={Uri.EscapeDataString(Callback)}&scope=openid");
        Assert.DoesNotContain("code=", without.Headers.Location?.ToString() ?? "");
        var elsewhere = await person.GetAsync(Authorize(clientId, Callback + "/other", "x"));
        Assert.Null(elsewhere.Headers.Location);
        Assert.Equal(HttpStatusCode.BadRequest, elsewhere.StatusCode);
    }

    [Fact]
    public async Task A_stranger_is_asked_to_sign_in_before_a_code_is_given()
    {
        var clientId = await PublicClient();
        using var stranger = console.Anonymous();
        var challenge = WebEncoders.Base64UrlEncode(SHA256.HashData("0123456789012345678901234567890123456789012"u8));
        var answer = await stranger.GetAsync(Authorize(clientId, Callback, challenge));
        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        Assert.Contains("/sign-in?returnUrl=", answer.Headers.Location!.ToString());
        Assert.Contains("""<input type="hidden" name="returnUrl" value="/connect/authorize?""", await stranger.GetStringAsync(answer.Headers.Location));

        // A program that must not disturb anybody is told instead.
        var silent = await stranger.GetAsync(Authorize(clientId, Callback, challenge) + "&prompt=none");
        Assert.StartsWith(Callback, silent.Headers.Location!.ToString());
        Assert.Equal("login_required", QueryHelpers.ParseQuery(silent.Headers.Location.Query)["error"]);
    }

    [Fact]
    public async Task A_refresh_token_that_comes_twice_ends_all_that_was_given()
    {
        var (program, tokens) = await Lent();
        using (program)
        {
            var first = tokens.GetProperty("refresh_token").GetString()!;
            var renewed = await (await Refresh(program, first)).Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal(HttpStatusCode.OK, await Hosts(program, renewed));
            var replayed = await Refresh(program, first);
            Assert.Equal((HttpStatusCode.BadRequest, "invalid_grant"), (replayed.StatusCode, (await replayed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString()));
            Assert.Equal(HttpStatusCode.BadRequest, (await Refresh(program, renewed.GetProperty("refresh_token").GetString()!)).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, await Hosts(program, renewed));
        }
    }

    [Fact]
    public async Task A_code_that_comes_twice_ends_what_it_gave()
    {
        var clientId = await PublicClient();
        using var person = await console.Person();
        var (verifier, code) = await Code(person, clientId);
        using var program = console.Anonymous();
        var tokens = await (await Exchange(program, clientId, code, verifier)).Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.OK, await Hosts(program, tokens));
        Assert.Equal(HttpStatusCode.BadRequest, (await Exchange(program, clientId, code, verifier)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await Hosts(program, tokens));
    }

    [Fact]
    public async Task A_program_that_only_signs_people_in_cannot_use_the_api()
    {
        var (program, tokens) = await Lent("openid%20offline_access");
        using (program) Assert.Equal(HttpStatusCode.Unauthorized, await Hosts(program, tokens));
    }

    [Fact]
    public async Task A_person_sees_and_revokes_the_programs_that_they_allowed()
    {
        using var person = await console.Person();
        var (program, tokens) = await Lent(by: person);
        using (program)
        {
            Assert.Equal(HttpStatusCode.OK, await Hosts(program, tokens));
            var listed = (await person.GetFromJsonAsync<JsonElement>("/api/v1/me/programs")).GetProperty("items").EnumerateArray().Select(p => p.GetProperty("id").GetString()!).ToList();
            Assert.NotEmpty(listed);
            foreach (var id in listed) Assert.Equal(HttpStatusCode.NoContent, (await person.DeleteAsync($"/api/v1/me/programs/{id}")).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, await Hosts(program, tokens));
            Assert.Equal(HttpStatusCode.BadRequest, (await Refresh(program, tokens.GetProperty("refresh_token").GetString()!)).StatusCode);
            Assert.Empty((await person.GetFromJsonAsync<JsonElement>("/api/v1/me/programs")).GetProperty("items").EnumerateArray());
            // Signing out does not take away what a program was given; it is no token of the browser.
            Assert.Equal(HttpStatusCode.NotFound, (await person.DeleteAsync($"/api/v1/me/programs/{Guid.NewGuid()}")).StatusCode);
        }
    }

    [Fact]
    public async Task A_command_line_gets_in_by_a_code_that_its_person_gives_in_a_browser()
    {
        using var program = console.Anonymous();
        var asked = await (await program.PostAsync("/connect/device", new FormUrlEncodedContent([new("client_id", "plinth-cli"), new("scope", "api offline_access")]))).Content.ReadFromJsonAsync<JsonElement>();
        var (device, user) = (asked.GetProperty("device_code").GetString()!, asked.GetProperty("user_code").GetString()!);
        Assert.Matches("^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", user);
        Assert.EndsWith("/device", asked.GetProperty("verification_uri").GetString());
        Assert.Equal("authorization_pending", await Error(await Poll()));

        using var stranger = console.Anonymous();
        Assert.Contains("/sign-in?returnUrl=", (await stranger.GetAsync($"/device?user_code={user}")).Headers.Location!.ToString());
        using var person = await console.Person();
        Assert.Equal(HttpStatusCode.BadRequest, (await person.GetAsync("/device?user_code=BBBB-BBBB")).StatusCode);
        var page = await person.GetStringAsync($"/device?user_code={user}");
        Assert.Contains("plinth-cli", page);
        Assert.Contains(user, page);
        using (var elsewhere = new HttpRequestMessage(HttpMethod.Post, "/device") { Content = Decision("allow"), Headers = { { "Sec-Fetch-Site", "cross-site" } } })
            Assert.DoesNotContain("answer=allowed", (await person.SendAsync(elsewhere)).Headers.Location?.ToString() ?? "");
        Assert.Equal("authorization_pending", await Error(await Poll()));
        Assert.Contains("answer=allowed", (await person.PostAsync("/device", Decision("allow"))).Headers.Location!.ToString());
        Assert.Contains("goes on by itself", await person.GetStringAsync("/device?answer=allowed"));
        var tokens = await (await Poll()).Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.OK, await Hosts(program, tokens));
        // No token makes another.
        program.DefaultRequestHeaders.Authorization = new("Bearer", tokens.GetProperty("access_token").GetString());
        Assert.Equal(HttpStatusCode.Forbidden, (await program.PostAsJsonAsync("/api/v1/me/tokens", new { name = "more", days = 1 })).StatusCode);
        program.DefaultRequestHeaders.Authorization = null;
        // Its person finds it among their programs, and ends it.
        var listed = (await person.GetFromJsonAsync<JsonElement>("/api/v1/me/programs")).GetProperty("items").EnumerateArray().Where(p => p.GetProperty("name").GetString() == "Plinth command line").ToList();
        Assert.NotEmpty(listed);
        foreach (var one in listed) Assert.Equal(HttpStatusCode.NoContent, (await person.DeleteAsync($"/api/v1/me/programs/{one.GetProperty("id").GetString()}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await Hosts(program, tokens));
        // The code works once.
        Assert.Equal("invalid_grant", await Error(await Poll()));

        Task<HttpResponseMessage> Poll() => program.PostAsync("/connect/token", new FormUrlEncodedContent([new("client_id", "plinth-cli"), new("grant_type", GrantTypes.DeviceCode), new("device_code", device)]));
        FormUrlEncodedContent Decision(string decision) => new([new("user_code", user), new("decision", decision)]);
    }

    [Fact]
    public async Task A_command_line_that_is_refused_gets_nothing()
    {
        using var program = console.Anonymous();
        var asked = await (await program.PostAsync("/connect/device", new FormUrlEncodedContent([new("client_id", "plinth-cli"), new("scope", "api")]))).Content.ReadFromJsonAsync<JsonElement>();
        using var person = await console.Person();
        await person.PostAsync("/device", new FormUrlEncodedContent([new("user_code", asked.GetProperty("user_code").GetString()!), new("decision", "refuse")]));
        Assert.Equal("access_denied", await Error(await program.PostAsync("/connect/token", new FormUrlEncodedContent([new("client_id", "plinth-cli"), new("grant_type", GrantTypes.DeviceCode), new("device_code", asked.GetProperty("device_code").GetString()!)]))));
    }

    /// <summary>What OAuth 2.1 leaves out, or a thief would try, each with the error that the standards name.</summary>
    [Theory]
    [InlineData("response_type=token&scope=openid", "unsupported_response_type")]
    [InlineData("response_type=id_token&scope=openid&nonce=n", "unsupported_response_type")]
    [InlineData("response_type=code%20id_token&scope=openid&nonce=n&code_challenge={challenge}&code_challenge_method=S256", "unsupported_response_type")]
    [InlineData("response_type=code&scope=openid", "invalid_request")]
    [InlineData("response_type=code&scope=openid&code_challenge={challenge}&code_challenge_method=plain", "invalid_request")]
    [InlineData("response_type=code&scope=openid&code_challenge={challenge}", "invalid_request")]
    [InlineData("response_type=code&scope=openid%20everything&code_challenge={challenge}&code_challenge_method=S256", "invalid_scope")]
    [InlineData("response_type=code&scope=openid&code_challenge={challenge}&code_challenge_method=S256&request=e30", "request_not_supported")]
    public async Task A_question_that_is_out_of_date_or_order_gets_no_code(string query, string error)
    {
        var clientId = await PublicClient();
        using var person = await console.Person();
        var challenge = WebEncoders.Base64UrlEncode(SHA256.HashData("0123456789012345678901234567890123456789012"u8));
        var answer = await person.GetAsync($"/connect/authorize?client_id={clientId}&redirect_uri={Uri.EscapeDataString(Callback)}&{query.Replace("{challenge}", challenge, StringComparison.Ordinal)}");
        var location = answer.Headers.Location?.ToString() ?? "";
        Assert.DoesNotContain("code=", location, StringComparison.Ordinal);
        Assert.DoesNotContain("token=", location, StringComparison.Ordinal);
        // Where the address to lead back to is sure, the program is told; otherwise the person.
        if (location.Length > 0) Assert.Contains($"error={error}", location, StringComparison.Ordinal);
        else Assert.StartsWith($"error:{error}", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5999/callback/")]
    [InlineData("http://127.0.0.1:5999/Callback")]
    [InlineData("http://127.0.0.1:5999/callback?x=1")]
    [InlineData("http://127.0.0.1:5999/callback#x")]
    [InlineData("http://127.0.0.1:5999/callback/../other")]
    [InlineData("https://127.0.0.1:5999/callback")]
    [InlineData("http://127.0.0.1.evil.example:5999/callback")]
    [InlineData("http://user@127.0.0.1:5999/callback")]
    public async Task Another_address_than_the_registered_one_is_led_to_by_nothing(string address)
    {
        var clientId = await PublicClient();
        using var person = await console.Person();
        var answer = await person.GetAsync(Authorize(clientId, address, WebEncoders.Base64UrlEncode(SHA256.HashData("x"u8))));
        Assert.Equal((HttpStatusCode.BadRequest, null), (answer.StatusCode, answer.Headers.Location));
    }

    [Theory]
    [InlineData("grant_type=password&username=operator&password=x", "unsupported_grant_type")]
    [InlineData("grant_type=authorization_code&redirect_uri={callback}&code={code}&code_verifier={verifier}&client_id={other}", "invalid_grant")]
    [InlineData("grant_type=authorization_code&redirect_uri=http%3A%2F%2F127.0.0.1%3A5999%2Fother&code={code}&code_verifier={verifier}", "invalid_grant")]
    [InlineData("grant_type=authorization_code&redirect_uri={callback}&code={code}", "invalid_request")]
    [InlineData("grant_type=authorization_code&redirect_uri={callback}&code_verifier={verifier}", "invalid_request")]
    [InlineData("grant_type=authorization_code&redirect_uri={callback}&code=made-up&code_verifier={verifier}", "invalid_grant")]
    [InlineData("grant_type=refresh_token&refresh_token=made-up", "invalid_grant")]
    [InlineData("grant_type=refresh_token&refresh_token={refresh}&client_id={other}", "invalid_grant")]
    [InlineData("grant_type=refresh_token&refresh_token={access}", "invalid_grant")]
    [InlineData("grant_type=client_credentials", "invalid_request")]
    [InlineData("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=made-up", "invalid_grant")]
    [InlineData("grant_type=", "invalid_request")]
    [InlineData("", "invalid_request")]
    public async Task A_token_is_not_given_for_what_is_not_the_callers(string form, string error)
    {
        var (program, tokens) = await Lent();
        using (program)
        {
            var other = await PublicClient();
            using var person = await console.Person();
            var (verifier, code) = await Code(person, _lentTo);
            var text = form.Replace("{callback}", Uri.EscapeDataString(Callback), StringComparison.Ordinal).Replace("{code}", code, StringComparison.Ordinal).Replace("{verifier}", verifier, StringComparison.Ordinal)
                .Replace("{refresh}", tokens.GetProperty("refresh_token").GetString(), StringComparison.Ordinal).Replace("{access}", tokens.GetProperty("access_token").GetString(), StringComparison.Ordinal).Replace("{other}", other, StringComparison.Ordinal);
            if (!text.Contains("client_id", StringComparison.Ordinal)) text += $"&client_id={_lentTo}";
            var answer = await program.PostAsync("/connect/token", new StringContent(text, Encoding.UTF8, "application/x-www-form-urlencoded"));
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
            Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized, body.ToString());
            Assert.Equal(error, body.GetProperty("error").GetString());
            Assert.False(body.TryGetProperty("access_token", out _));
        }
    }

    [Fact]
    public async Task Tokens_are_asked_for_by_form_only_and_never_in_an_address()
    {
        using var client = console.Anonymous();
        var query = $"grant_type=client_credentials&client_id={ServedConsole.ClientId}&client_secret={ServedConsole.ClientSecret}";
        Assert.False((await client.GetAsync($"/connect/token?{query}")).IsSuccessStatusCode);
        Assert.False((await client.PostAsync($"/connect/token?{query}", null)).IsSuccessStatusCode);
        Assert.False((await client.PostAsJsonAsync("/connect/token", new { grant_type = "client_credentials", client_id = ServedConsole.ClientId, client_secret = ServedConsole.ClientSecret })).IsSuccessStatusCode);
        // Nor is one taken from an address.
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync($"/api/v1/hosts?access_token={await ServedConsole.Token(client)}")).StatusCode);
    }

    private static async Task<string?> Error(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<JsonElement>()).TryGetProperty("error", out var error) ? error.GetString() : null;

    private static async Task<HttpStatusCode> Hosts(HttpClient program, JsonElement tokens)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/hosts") { Headers = { Authorization = new("Bearer", tokens.GetProperty("access_token").GetString()) } };
        return (await program.SendAsync(request)).StatusCode;
    }

    private string _lentTo = "";

    private Task<HttpResponseMessage> Refresh(HttpClient program, string token) => Token(program, [new("grant_type", "refresh_token"), new("client_id", _lentTo), new("refresh_token", token)]);

    private async Task<(HttpClient Program, JsonElement Tokens)> Lent(string scopes = "openid%20offline_access%20api", HttpClient? by = null)
    {
        _lentTo = await PublicClient();
        using var operatorsBrowser = by is null ? await console.Person() : null;
        var (verifier, code) = await Code(by ?? operatorsBrowser!, _lentTo, scopes);
        var program = console.Anonymous();
        var exchanged = await Exchange(program, _lentTo, code, verifier);
        var tokens = await exchanged.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(exchanged.IsSuccessStatusCode, tokens.ToString());
        return (program, tokens);
    }

    private static async Task<(string Verifier, string Code)> Code(HttpClient person, string clientId, string scopes = "openid%20offline_access%20api")
    {
        var verifier = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));
        var answer = await person.GetAsync(Authorize(clientId, Callback, WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))).Replace("openid%20offline_access%20api", scopes, StringComparison.Ordinal));
        Assert.True(answer.StatusCode == HttpStatusCode.Found, await answer.Content.ReadAsStringAsync());
        return (verifier, QueryHelpers.ParseQuery(answer.Headers.Location!.Query)["code"].ToString());
    }

    private static Task<HttpResponseMessage> Exchange(HttpClient program, string clientId, string code, string verifier) =>
        Token(program, [new("grant_type", "authorization_code"), new("client_id", clientId), new("code", code), new("redirect_uri", Callback), new("code_verifier", verifier)]);

    private static string Authorize(string clientId, string callback, string challenge) =>
        $"/connect/authorize?client_id={clientId}&response_type=code&redirect_uri={Uri.EscapeDataString(callback)}&scope=openid%20offline_access%20api&code_challenge={challenge}&code_challenge_method=S256";

    private static Task<HttpResponseMessage> Token(HttpClient client, KeyValuePair<string, string>[] form) => client.PostAsync("/connect/token", new FormUrlEncodedContent(form));

    private async Task<string> PublicClient()
    {
        await using var scope = console.App.Services.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        var id = "program-" + Guid.NewGuid();
        await clients.CreateAsync(new OpenIddictApplicationDescriptor
        {
            ClientId = id,
            ClientType = ClientTypes.Public,
            RedirectUris = { new Uri(Callback) },
            Permissions =
            {
                Permissions.Endpoints.Authorization, Permissions.Endpoints.Token, Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken,
                Permissions.ResponseTypes.Code, Permissions.Prefixes.Scope + "api",
            },
        });
        return id;
    }
}
