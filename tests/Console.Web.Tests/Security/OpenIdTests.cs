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
