using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Hubs.Enrolment;
using Plinth.Web.Security.Certificates;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Hubs;

[Collection(ServedConsoleCollection.Name)]
public sealed class EnrolmentTests(ServedConsole console)
{
    [Fact]
    public async Task The_authority_is_fetched_and_is_the_one_of_the_join_command()
    {
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
        using var authority = X509Certificate2.CreateFromPem(await client.GetStringAsync(console.Listeners.EnrolmentUrl + HubNames.CertificateAuthorityRoute));
        var fingerprint = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(authority.RawData));
        using var operatorClient = await console.Client();
        var made = await operatorClient.PostAsJsonAsync("/api/v1/agents/join-tokens", new { description = "rack 7" });
        Assert.Contains($"plinth-agent join --console {console.Listeners.EnrolmentUrl} --token ", await made.Content.ReadAsStringAsync());
        Assert.Contains($"--ca-fingerprint {fingerprint}", await made.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_token_gives_one_certificate_that_names_the_host_and_nothing_the_agent_asked_for()
    {
        await using var agent = await TestAgent.Enrolled(console);
        Assert.Equal(agent.Host.ToString(), agent.Certificate.GetNameInfo(X509NameType.SimpleName, false));
        Assert.Equal(agent.Host, console.App.Services.GetRequiredService<CertificateAuthority>().HostOf(agent.Certificate, DateTimeOffset.UtcNow));
        Assert.True(agent.Certificate.NotAfter < DateTime.Now.AddHours(25));
    }

    [Fact]
    public async Task The_same_machine_joins_again_as_the_same_host()
    {
        await using var first = await TestAgent.Enrolled(console, "one-machine");
        await using var second = await TestAgent.Enrolled(console, "one-machine");
        Assert.Equal(first.Host, second.Host);
    }

    [Fact]
    public async Task Used_unknown_and_revoked_tokens_are_refused_alike()
    {
        var issuer = console.App.Services.GetRequiredService<IJoinTokenIssuer>();
        await using var agent = new TestAgent(console);
        var used = (await issuer.Reissue("used", 1, TimeSpan.FromMinutes(5), default))[0];
        Assert.True((await agent.Enrol(used, "machine-used")).IsSuccessStatusCode);
        var revoked = (await issuer.Reissue("revoked", 1, TimeSpan.FromMinutes(5), default))[0];
        await issuer.Reissue("revoked", 1, TimeSpan.FromMinutes(5), default);
        var bodies = new List<string>();
        foreach (var token in new[] { used, revoked, "unknown" })
        {
            var answer = await agent.Enrol(token, "machine-refused");
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            bodies.Add(System.Text.RegularExpressions.Regex.Replace(await answer.Content.ReadAsStringAsync(), "\"traceId\":\"[^\"]*\"", ""));
        }
        Assert.Single(bodies.Distinct());
    }

    [Fact]
    public async Task A_bad_certificate_request_does_not_cost_the_token()
    {
        var token = (await console.App.Services.GetRequiredService<IJoinTokenIssuer>().Reissue("kept", 1, TimeSpan.FromMinutes(5), default))[0];
        await using var agent = new TestAgent(console);
        using var rsa = RSA.Create(2048);
        var weak = new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequestPem();
        Assert.Equal(HttpStatusCode.BadRequest, (await agent.Enrol(token, "machine-kept", weak)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await agent.Enrol(token, "machine-kept", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----")).StatusCode);
        Assert.True((await agent.Enrol(token, "machine-kept")).IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"token\":\"x\"}")]
    [InlineData("[1]")]
    public async Task Other_bodies_are_refused(string body)
    {
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
        var answer = await client.PostAsync(console.Listeners.EnrolmentUrl + HubNames.EnrolRoute, new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_certificate_is_renewed_over_mutual_tls_for_the_same_host()
    {
        await using var agent = await TestAgent.Enrolled(console);
        using var http = agent.Http();
        var answer = await http.PostAsync(HubNames.RenewRoute, JsonContent.Create(new RenewRequest(agent.Request()), ProtocolJson.Default.RenewRequest));
        var reply = (await answer.Content.ReadFromJsonAsync(ProtocolJson.Default.EnrolReply))!;
        Assert.Equal(agent.Host, reply.Host);
        var former = agent.Certificate.SerialNumber;
        agent.Take(reply.Certificate);
        Assert.NotEqual(former, agent.Certificate.SerialNumber);
        await agent.Connect();
        await agent.Greet();
    }

    [Fact]
    public void Refusals_are_throttled_and_successes_are_not()
    {
        var clock = new FakeTimeProvider();
        var throttle = new EnrolmentThrottle(clock);
        for (var i = 0; i < EnrolmentThrottle.MaxRefusals; i++)
        {
            Assert.True(throttle.MayTry("192.0.2.1"));
            throttle.Refused("192.0.2.1");
        }
        Assert.False(throttle.MayTry("192.0.2.1"));
        Assert.True(throttle.MayTry("192.0.2.2"));
        clock.Advance(EnrolmentThrottle.Window + TimeSpan.FromSeconds(1));
        Assert.True(throttle.MayTry("192.0.2.1"));
    }
}
