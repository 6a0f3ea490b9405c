using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Web.Listeners;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Api;

/// <summary>What holds for every endpoint, asked of the list that the server itself routes by.</summary>
[Collection(ServedConsoleCollection.Name)]
public sealed class EndpointTests(ServedConsole console)
{
    /// <summary>Everything a stranger may reach. A new line here is a decision.</summary>
    private static readonly string[] OpenToStrangers =
    [
        "/healthz", "/readyz", "/metrics", "/sign-in", "/sign-in/password", "/sign-in/code", "/sign-in/passkey/question", "/sign-in/passkey", "/sign-out", "/connect/token", "/connect/authorize",
        // Leads strangers to the sign-in page.
        "/device",
        // How long the audit ledger is, and its root; nothing of what is in it.
        "/api/v1/audit/log/checkpoint",
        "/openapi/{documentName}.json", "/docs/api", "/docs/api/", "/docs/api/{documentName?}", "/docs/api/scalar.js", "/docs/api/favicon.svg", "/docs/api/scalar.aspnetcore.js",
        "/enrol", "/enrol/ca", "/enrol/agent", "/sign-in/required", "/not-found", "/error", "/_framework/opaque-redirect",
    ];

    private IEnumerable<RouteEndpoint> Endpoints => console.App.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Where(e => e.Metadata.GetMetadata<StaticAssetDescriptor>() is null);

    [Fact]
    public void Only_the_listed_endpoints_are_open_to_strangers()
    {
        var open = Endpoints.Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is not null).Select(Pattern).Distinct();
        Assert.Empty(open.Except(OpenToStrangers));
    }

    [Fact]
    public async Task Every_other_endpoint_turns_strangers_away()
    {
        using var stranger = console.Anonymous();
        var tried = 0;
        foreach (var endpoint in Endpoints.Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is null && (e.Metadata.GetMetadata<ServedOn>()?.Kind ?? ListenerKind.Portal) == ListenerKind.Portal))
        {
            var path = System.Text.RegularExpressions.Regex.Replace(Pattern(endpoint), @"\{[^}]*\}", Guid.NewGuid().ToString());
            var method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.FirstOrDefault() ?? "GET";
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            var answer = await stranger.SendAsync(request);
            var turnedAway = answer.StatusCode == HttpStatusCode.Unauthorized
                || (answer.StatusCode == HttpStatusCode.Found && answer.Headers.Location!.ToString().Contains("/sign-in", StringComparison.Ordinal));
            Assert.True(turnedAway, $"{method} {path}: {answer.StatusCode}");
            if (path.StartsWith("/api", StringComparison.Ordinal))
            {
                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                Assert.NotEmpty(answer.Headers.WwwAuthenticate);
            }
            tried++;
        }
        Assert.True(tried > 30, $"only {tried} endpoints were found");
    }

    [Fact]
    public void Every_endpoint_of_the_api_asks_for_a_signed_in_caller() =>
        Assert.All(Endpoints.Where(e => Pattern(e).StartsWith("/api", StringComparison.Ordinal)), e => Assert.NotNull(e.Metadata.GetMetadata<AuthorizationPolicy>()));

    [Fact]
    public async Task The_description_is_openapi_3_1_with_problems_and_security()
    {
        using var stranger = console.Anonymous();
        var document = await stranger.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString());
        Assert.True(document.GetProperty("components").GetProperty("securitySchemes").TryGetProperty("token", out _));
        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Where(o => o.Value.ValueKind == JsonValueKind.Object && o.Value.TryGetProperty("responses", out _))).ToList();
        Assert.True(operations.Count >= 35, $"{operations.Count} operations");
        Assert.All(operations, o =>
        {
            Assert.True(o.Value.GetProperty("responses").GetProperty("400").GetProperty("content").TryGetProperty("application/problem+json", out _));
            Assert.NotEmpty(o.Value.GetProperty("summary").GetString()!);
        });
        // The words of the API stand in its description.
        Assert.Contains("create-vm", document.ToString());
    }

    [Fact]
    public async Task The_reading_page_takes_nothing_from_elsewhere()
    {
        using var stranger = console.Anonymous();
        var page = await stranger.GetStringAsync("/docs/api/");
        Assert.DoesNotContain("src=\"http", page);
        Assert.True((await stranger.GetAsync("/docs/api/scalar.js")).IsSuccessStatusCode);
    }

    [Fact]
    public async Task Lists_are_windows_and_resources_have_tags()
    {
        using var client = await console.Client();
        var page = await client.GetFromJsonAsync<JsonElement>("/api/v1/flavors?limit=1");
        Assert.Equal(1, page.GetProperty("items").GetArrayLength());
        Assert.True(page.GetProperty("total").GetInt64() > 1);
        var next = page.GetProperty("next").GetString();
        var second = await client.GetFromJsonAsync<JsonElement>($"/api/v1/flavors?limit=1&cursor={Uri.EscapeDataString(next!)}");
        Assert.NotEqual(page.GetProperty("items")[0].GetProperty("id").GetString(), second.GetProperty("items")[0].GetProperty("id").GetString());
    }

    [Fact]
    public async Task Health_says_why()
    {
        using var stranger = console.Anonymous();
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync("/healthz")).StatusCode);
        var ready = await stranger.GetFromJsonAsync<JsonElement>("/readyz");
        Assert.True(ready.GetProperty("checks").GetProperty("database").GetProperty("ready").GetBoolean());
        Assert.True(ready.GetProperty("checks").GetProperty("workers").GetProperty("ready").GetBoolean());
        Assert.Contains("# TYPE", await stranger.GetStringAsync("/metrics"));
    }

    private static string Pattern(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
}
