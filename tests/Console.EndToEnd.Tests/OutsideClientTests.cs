using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Web;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>A program that is none of Plinth's, as an operator registers it and a person lends it access.</summary>
public sealed class OutsideClientTests
{
    private const string Client = "dashboard", Callback = "http://127.0.0.1:5999/callback", Setting = "Plinth__Clients__" + Client;

    [Fact]
    public async Task A_registered_program_gets_a_persons_access_by_code_and_proof_key_until_it_is_taken_from_the_settings()
    {
        await using var installation = new Installation(18710);
        var console = installation.Console;
        console.Settings[Setting] = Callback;
        await console.Start();
        using var program = new HttpClient(PlinthConsole.Handler()) { BaseAddress = console.Http.BaseAddress };
        var provider = await program.GetFromJsonAsync<JsonElement>("/.well-known/openid-configuration");
        Assert.Equal(console.Http.BaseAddress!.AbsoluteUri, provider.GetProperty("issuer").GetString());
        var (authorize, token) = (provider.GetProperty("authorization_endpoint").GetString()!, provider.GetProperty("token_endpoint").GetString()!);
        var verifier = Base64Url(RandomNumberGenerator.GetBytes(32));
        var question = $"{authorize}?client_id={Client}&response_type=code&redirect_uri={Uri.EscapeDataString(Callback)}&scope=openid%20offline_access%20api&state=s1"
            + $"&code_challenge={Base64Url(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))}&code_challenge_method=S256";

        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = console.Http.BaseAddress };
        using var stranger = await browser.GetAsync(question);
        Assert.StartsWith(new Uri(console.Http.BaseAddress!, "/sign-in?").AbsoluteUri, stranger.Headers.Location!.AbsoluteUri);
        // The person pastes the printed link there and is back at the program's question.
        var asked = HttpUtility.ParseQueryString(stranger.Headers.Location.Query)["returnUrl"]!;
        using var signedIn = await browser.PostAsync("/sign-in", Form(("link", console.SignInLink!), ("returnUrl", asked)));
        Assert.Equal(HttpStatusCode.Found, signedIn.StatusCode);
        Assert.Equal(new Uri(question).PathAndQuery, signedIn.Headers.Location!.OriginalString);

        var stolen = await Code();
        Assert.Equal(HttpStatusCode.BadRequest, (await Exchange(stolen, verifier: new string('x', 43))).Status);
        var code = await Code();
        var (status, tokens) = await Exchange(code, verifier);
        Assert.True(status == HttpStatusCode.OK, tokens.ToString());
        Assert.Equal(HttpStatusCode.OK, await Hosts(tokens));
        var person = await LastActor("sign-in");

        var renewed = await Token(("grant_type", "refresh_token"), ("client_id", Client), ("refresh_token", tokens.GetProperty("refresh_token").GetString()!));
        Assert.True(renewed.Status == HttpStatusCode.OK, renewed.Body.ToString());
        // What was done with the token was done by the person.
        program.DefaultRequestHeaders.Authorization = Bearer(renewed.Body);
        using var made = await program.PostAsJsonAsync("/api/v1/agents/join-tokens", new { description = "by the dashboard" });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal(person, await LastActor("join-token.create"));

        await console.Process.Terminate();
        await console.Start();
        Assert.Equal(HttpStatusCode.OK, await Hosts(renewed.Body));
        await console.Process.Terminate();
        console.Settings.Remove(Setting);
        await console.Start();
        Assert.Equal(HttpStatusCode.Unauthorized, await Hosts(renewed.Body));
        Assert.Equal(HttpStatusCode.Unauthorized, (await Token(("grant_type", "refresh_token"), ("client_id", Client), ("refresh_token", renewed.Body.GetProperty("refresh_token").GetString()!))).Status);

        async Task<string> Code()
        {
            using var answer = await browser.GetAsync(question);
            Assert.True(answer.StatusCode == HttpStatusCode.Found, await answer.Content.ReadAsStringAsync());
            var location = answer.Headers.Location!;
            Assert.StartsWith(Callback + "?", location.AbsoluteUri);
            var query = HttpUtility.ParseQueryString(location.Query);
            Assert.Equal("s1", query["state"]);
            return query["code"]!;
        }

        Task<(HttpStatusCode Status, JsonElement Body)> Exchange(string code, string verifier) =>
            Token(("grant_type", "authorization_code"), ("client_id", Client), ("code", code), ("redirect_uri", Callback), ("code_verifier", verifier));

        async Task<(HttpStatusCode Status, JsonElement Body)> Token(params (string, string)[] fields)
        {
            program.DefaultRequestHeaders.Authorization = null;
            using var answer = await program.PostAsync(token, Form(fields));
            return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
        }

        async Task<(string?, string?)> LastActor(string action)
        {
            var entry = (await console.Get($"audit?action={action}&limit=1")).GetProperty("items")[0];
            return (entry.GetProperty("actorKind").GetString(), entry.GetProperty("actor").GetString());
        }

        async Task<HttpStatusCode> Hosts(JsonElement tokens)
        {
            program.DefaultRequestHeaders.Authorization = Bearer(tokens);
            using var answer = await program.GetAsync("/api/v1/hosts");
            return answer.StatusCode;
        }
    }

    private static AuthenticationHeaderValue Bearer(JsonElement tokens) => new("Bearer", tokens.GetProperty("access_token").GetString());

    private static FormUrlEncodedContent Form(params (string Key, string Value)[] fields) => new(fields.Select(f => KeyValuePair.Create(f.Key, f.Value)));

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
