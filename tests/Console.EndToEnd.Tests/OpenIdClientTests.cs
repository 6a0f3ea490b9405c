using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>A client library of others, certified by the OpenID Foundation, against the running server.</summary>
public sealed class OpenIdClientTests
{
    private const string Callback = "http://127.0.0.1:5999/callback";

    [Fact]
    public async Task Openid_client_signs_in_renews_revokes_and_gets_in_by_device_code()
    {
        await using var installation = new Installation(18790);
        var console = installation.Console;
        console.Settings["Plinth__Clients__dashboard"] = Callback;
        await console.Start();
        using var browser = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = console.Http.BaseAddress };
        using var signedIn = await browser.PostAsync("/sign-in", Form(("link", console.SignInLink!)));
        Assert.Equal(HttpStatusCode.Found, signedIn.StatusCode);

        using var program = Process.Start(new ProcessStartInfo("node", [Path.Combine(Repository.Root, "tests/openid-client/sign-in.mjs"), console.Http.BaseAddress!.AbsoluteUri, "dashboard", Callback, PlinthConsole.ClientId, PlinthConsole.ClientSecret])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        try
        {
            var asked = await Told("authorize");
            Assert.Contains("S256", asked.GetProperty("methods").EnumerateArray().Select(m => m.GetString()));
            using var led = await browser.GetAsync(asked.GetProperty("url").GetString());
            Assert.True(led.StatusCode == HttpStatusCode.Found, await led.Content.ReadAsStringAsync());
            await program.StandardInput.WriteLineAsync(led.Headers.Location!.AbsoluteUri);

            var tokens = await Told("tokens");
            Assert.Equal("operator", tokens.GetProperty("claims").GetProperty("name").GetString());
            Assert.StartsWith("user:", tokens.GetProperty("claims").GetProperty("sub").GetString());
            Assert.Equal(HttpStatusCode.OK, await Hosts(tokens));
            Assert.Equal(HttpStatusCode.OK, await Hosts(await Told("renewed")));
            Assert.Equal("invalid_grant", (await Told("revoked")).GetProperty("refused").GetString());

            var device = await Told("device");
            using var allowed = await browser.PostAsync(device.GetProperty("at").GetString(), Form(("user_code", device.GetProperty("code").GetString()!), ("decision", "allow")));
            Assert.Equal(HttpStatusCode.Found, allowed.StatusCode);
            await program.StandardInput.WriteLineAsync("allowed");
            Assert.Equal(HttpStatusCode.OK, await Hosts(await Told("device-tokens")));

            Assert.Equal(HttpStatusCode.OK, await Hosts(await Told("robot")));
            Assert.Equal("invalid_client", (await Told("stranger")).GetProperty("refused").GetString());
        }
        finally
        {
            program.Kill(entireProcessTree: true);
        }

        async Task<JsonElement> Told(string step)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            var line = await program.StandardOutput.ReadLineAsync(patience.Token) ?? throw new InvalidOperationException($"the program ended before {step}: {await program.StandardError.ReadToEndAsync(patience.Token)}");
            var told = JsonDocument.Parse(line).RootElement.Clone();
            Assert.Equal(step, told.GetProperty("step").GetString());
            return told;
        }

        async Task<HttpStatusCode> Hosts(JsonElement told)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/hosts") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", told.GetProperty("access").GetString()) } };
            using var api = new HttpClient(PlinthConsole.Handler()) { BaseAddress = console.Http.BaseAddress };
            using var answer = await api.SendAsync(request);
            return answer.StatusCode;
        }
    }

    private static FormUrlEncodedContent Form(params (string Key, string Value)[] fields) => new(fields.Select(f => KeyValuePair.Create(f.Key, f.Value)));
}
