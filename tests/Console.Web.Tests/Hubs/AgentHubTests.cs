using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Hubs;

[Collection(ServedConsoleCollection.Name)]
public sealed class AgentHubTests(ServedConsole console)
{
    private IAgentGateway Gateway => console.App.Services.GetRequiredService<IAgentGateway>();

    [Fact]
    public async Task Hello_is_answered_by_a_welcome_and_the_desired_state()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        var welcome = await agent.Greet();
        var desired = await agent.Receive<Desired>();
        Assert.Equal(welcome.Epoch, desired.Epoch);
        Assert.Contains(desired.State.Pools, c => c.Name == "default");
        Assert.True(Gateway.IsConnected(agent.Host));
        await agent.Hub.StopAsync();
        await Waiting.Until(() => !Gateway.IsConnected(agent.Host), "the end of the session");
    }

    [Fact]
    public async Task A_wake_sends_the_desired_state_again()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        await agent.Receive<Desired>();
        Gateway.Wake(agent.Host);
        await agent.Receive<Desired>();
    }

    [Fact]
    public async Task A_report_in_many_frames_makes_the_host_ready()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        var unknown = Enumerable.Range(0, 3000).Select(i => $"a-domain-of-somebody-else-{i:0000}").ToList();
        await agent.Send(new Report(agent.Epoch, Observed(unknown)));
        using var client = await console.Client();
        await Waiting.Until(async () => (await client.GetStringAsync($"/api/v1/hosts/{agent.Host}")).Contains("\"state\":\"ready\""), "the host being ready");
    }

    [Fact]
    public async Task A_second_session_replaces_the_first_with_a_higher_epoch()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        var first = await agent.Greet();
        await using var restarted = new TestAgent(console) { Certificate = agent.Certificate, Epoch = first.Epoch };
        await restarted.Connect();
        var second = await restarted.Greet();
        Assert.True(second.Epoch > first.Epoch);
        await agent.Closed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(Gateway.IsConnected(agent.Host));
    }

    [Fact]
    public async Task A_stale_epoch_ends_the_session()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Greet();
        await agent.Send(new Report(new Epoch(agent.Epoch.Value - 1), Observed([])));
        Assert.Equal("stale_epoch", (await agent.Receive<Refused>()).Code);
        await agent.Closed.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Breaking_the_protocol_ends_the_session()
    {
        await using var agent = await TestAgent.Enrolled(console);
        await agent.Connect();
        await agent.Hub.SendAsync(HubNames.Frame, new Frame(1, 3, 4, "{}"u8.ToArray()));
        Assert.Equal("protocol_error", (await agent.Receive<Refused>()).Code);
        await agent.Closed.Task.WaitAsync(TimeSpan.FromSeconds(20));

        await agent.Connect();
        await agent.Send(new Report(new Epoch(1), Observed([])));
        await agent.Closed.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_strange_certificate_fails_in_the_handshake_and_none_too()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Guid.NewGuid()}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], true));
        using var rogue = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var agent = new TestAgent(console);
        using var withRogue = agent.Http(rogue);
        await Assert.ThrowsAsync<HttpRequestException>(() => withRogue.GetAsync("/agent/images/x"));
        using var without = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = agent.Trusted } });
        await Assert.ThrowsAsync<HttpRequestException>(() => without.GetAsync(console.Listeners.HubUrl + "/agent/images/x"));
    }

    [Fact]
    public async Task A_retired_hosts_certificate_is_not_accepted()
    {
        await using var agent = await TestAgent.Enrolled(console);
        using var client = await console.Client();
        Assert.True((await client.PostAsync($"/api/v1/hosts/{agent.Host}/retire", null)).IsSuccessStatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => agent.Connect());
    }

    [Fact]
    public async Task Each_listener_serves_its_own_and_nothing_else()
    {
        await using var agent = await TestAgent.Enrolled(console);
        using var hub = agent.Http();
        using var enrolment = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = agent.Trusted } }) { BaseAddress = new Uri(console.Listeners.EnrolmentUrl) };
        using var portal = await console.Client();
        Assert.All(await Statuses(hub, "/api/v1/hosts", "/", "/healthz", "/metrics", "/sign-in", "/enrol/ca", "/openapi/v1.json", "/app.css", "/.well-known/openid-configuration"), s => Assert.Equal(HttpStatusCode.NotFound, s));
        Assert.All(await Statuses(enrolment, "/api/v1/hosts", "/", "/healthz", "/metrics", "/sign-in", "/agent/hub", "/agent/images/x", "/.well-known/openid-configuration"), s => Assert.Equal(HttpStatusCode.NotFound, s));
        Assert.All(await Statuses(portal, "/enrol/ca", "/agent/hub", "/agent/images/sha256:00", "/agent/consoles/x"), s => Assert.Equal(HttpStatusCode.NotFound, s));

        static async Task<List<HttpStatusCode>> Statuses(HttpClient client, params string[] paths)
        {
            var statuses = new List<HttpStatusCode>();
            foreach (var path in paths) statuses.Add((await client.GetAsync(path)).StatusCode);
            return statuses;
        }
    }

    [Fact]
    public async Task Image_bytes_come_by_digest_and_a_broken_transfer_goes_on()
    {
        var bytes = RandomNumberGenerator.GetBytes(100_000);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        using var client = await console.Client();
        var made = await client.PostAsJsonAsync("/api/v1/images", new { name = "bytes-" + digest[7..15], format = "raw", digest, sizeBytes = bytes.Length, minDiskGib = 1, minMemoryMib = 64, hasGuestAgent = false, defaultUser = "root" });
        var content = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        var sent = await client.PutAsync(made.Headers.Location + "/content", content);
        Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync());

        await using var agent = await TestAgent.Enrolled(console);
        using var http = agent.Http();
        using var request = new HttpRequestMessage(HttpMethod.Get, HubNames.ImageRoute + digest);
        request.Headers.Range = new RangeHeaderValue(60_000, null);
        var rest = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, rest.StatusCode);
        Assert.Equal(bytes[60_000..], await rest.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(HubNames.ImageRoute + "sha256:" + new string('0', 64))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync(HubNames.ImageRoute + "..%2f..%2fplinth.db")).StatusCode);
    }

    private static ObservedHostState Observed(IReadOnlyList<string> unknown) => new(
        true, Generation.None, DateTimeOffset.UtcNow,
        new HostFacts("test-host", "test", Acceleration.Simulated, "A test.", "x86_64", "none", new Resources(4, 4096, 40), "none", "none", "none", "none"),
        new Resources(4, 4096, 40), [], [], unknown);
}
