using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>Certificates of agents in a running installation, with a life of 18 s.</summary>
[Trait("Suite", "Slow")]
public sealed class CertificateRenewalTests
{
    private const string Handshake = "{\"protocol\":\"json\",\"version\":1}\u001e", Ping = "{\"type\":6}\u001e";

    [Fact]
    public async Task An_agent_renews_in_time_and_stays_and_its_former_certificate_ends_with_what_was_opened_by_it()
    {
        await using var installation = new Installation(18730);
        var console = installation.Console;
        console.Settings["Plinth__Agents__CertificateLifetimeHours"] = "0.005";
        var host = await installation.Start();
        using var former = Identity();
        Assert.Equal(HttpStatusCode.BadRequest, await Renew(former));       // an empty request; the certificate is taken

        // What opens a session and never renews.
        using var idle = new ClientWebSocket();
        idle.Options.ClientCertificates.Add(former);
        idle.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await idle.ConnectAsync(new Uri($"wss://127.0.0.1:{installation.HubPort}/agent/hub"), CancellationToken.None);
        await Say(Handshake);
        var ended = Drain();
        await Wait.Until("the end of a session whose certificate has expired", async () =>
        {
            if (ended.IsCompleted) return true;
            await Say(Ping);
            return false;
        }, TimeSpan.FromMinutes(1));
        Assert.True(DateTime.Now >= former.NotAfter, "the session ended before its certificate");

        await Assert.ThrowsAsync<HttpRequestException>(() => Renew(former));
        using var present = Identity();
        Assert.True(present.NotAfter > former.NotAfter);
        Assert.Equal(HttpStatusCode.BadRequest, await Renew(present));
        var now = await console.Get($"hosts/{host.GetProperty("id").GetString()}");
        Assert.Equal("ready", now.GetProperty("state").GetString());
        Assert.True(now.GetProperty("certificateExpiresAt").GetDateTimeOffset() > host.GetProperty("certificateExpiresAt").GetDateTimeOffset());
        var (_, create) = await installation.Create("by-the-renewed");
        await installation.Succeeds(create);
        Assert.False(installation.Agent.HasExited);

        async Task Say(string text)
        {
            try
            {
                await idle.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);
            }
            catch (WebSocketException)
            {
                // It has just ended, which is what is waited for.
            }
        }

        async Task Drain()
        {
            var buffer = new byte[4096];
            try
            {
                while ((await idle.ReceiveAsync(buffer, CancellationToken.None)).MessageType != WebSocketMessageType.Close) { }
            }
            catch (WebSocketException)
            {
            }
        }

        X509Certificate2 Identity()
        {
            using var identity = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(installation.HostDirectory, "identity.json")));
            return X509Certificate2.CreateFromPem(identity.RootElement.GetProperty("certificate").GetString()!, identity.RootElement.GetProperty("key").GetString()!);
        }

        async Task<HttpStatusCode> Renew(X509Certificate2 certificate)
        {
            using var handler = PlinthConsole.Handler();
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
            using var client = new HttpClient(handler);
            using var answer = await client.PostAsJsonAsync($"https://127.0.0.1:{installation.HubPort}/agent/renew", new { });
            return answer.StatusCode;
        }
    }
}
