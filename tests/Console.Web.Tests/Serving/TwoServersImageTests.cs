using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Tests.PostgreSql;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Options;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;
using Plinth.Web.Security.Certificates;
using Plinth.Web.Tests.Hubs;

namespace Plinth.Web.Tests.Serving;

/// <summary>Two servers, whole, on one PostgreSQL database: who gives whom the bytes of images.</summary>
[Collection(PostgresCollection.Name)]
public sealed class TwoServersImageTests(PostgresServer server) : IAsyncLifetime
{
    private ServedConsole _first = null!, _second = null!;

    public async Task InitializeAsync()
    {
        var database = await server.NewDatabase();
        (_first, _second) = (await Start("first"), await Start("second"));

        async Task<ServedConsole> Start(string name)
        {
            var console = new ServedConsole { More = ["--Plinth:Database:Engine=postgresql", $"--Plinth:Database:ConnectionString={database}", $"--Plinth:Server:Name={name}"] };
            await console.InitializeAsync();
            return console;
        }
    }

    public async Task DisposeAsync()
    {
        await _second.DisposeAsync();
        await _first.DisposeAsync();
    }

    [Fact]
    public async Task What_one_took_the_other_gets_and_what_is_deleted_goes_on_both()
    {
        using var one = await _first.Client();
        using var other = await _second.Client();
        var bytes = RandomNumberGenerator.GetBytes(3_000_000);
        var (image, digest) = await Upload(one, bytes);
        await Waiting.Until(() => File.Exists(FileOf(_second, digest)), "the copy");
        Assert.Equal(bytes, await File.ReadAllBytesAsync(FileOf(_second, digest)));
        await Waiting.Until(async () => await Images(other) is ["first 1 0 ", "second 1 0 "], "both servers saying that they have it");
        Assert.Equal(await Images(other), await Images(one));

        Assert.Equal(HttpStatusCode.NoContent, (await other.DeleteAsync($"/api/v1/images/{image}")).StatusCode);
        await Waiting.Until(() => !File.Exists(FileOf(_first, digest)) && !File.Exists(FileOf(_second, digest)), "the end of both files");
        foreach (var console in new[] { _first, _second }) Assert.Empty(Directory.EnumerateFiles(Path.Combine(console.Data, "images")));
    }

    [Fact]
    public async Task A_server_that_has_lost_its_file_gets_it_again()
    {
        using var one = await _first.Client();
        var (_, digest) = await Upload(one, RandomNumberGenerator.GetBytes(100_000));
        await Waiting.Until(() => File.Exists(FileOf(_second, digest)), "the copy");
        File.Delete(FileOf(_second, digest));
        _second.App.Services.GetRequiredService<Signals>().Images.Ring();
        await Waiting.Until(() => File.Exists(FileOf(_second, digest)), "the copy, again");
    }

    [Fact]
    public async Task An_agent_that_asks_a_server_without_the_image_is_told_that_another_one_may_have_it()
    {
        var digest = "sha256:" + new string('a', 64);
        await _first.App.Services.GetRequiredService<ConsoleStore>().Write(scope =>
        {
            scope.Db.Images.Add(new ImageRow { Id = ImageId.New(scope.Now), Name = "mini", Format = "qcow2", Digest = digest, SizeBytes = 1, MinDiskGib = 1, MinMemoryMib = 64, State = ImageState.Ready, CreatedAt = scope.Now });
            return Task.FromResult(0);
        });
        await using var agent = await TestAgent.Enrolled(_second);
        using var asked = agent.Http();
        var reply = await asked.GetAsync(HubNames.ImageRoute + digest);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.StatusCode);
        Assert.Contains("takes it from another one", await reply.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await asked.GetAsync(HubNames.ImageRoute + "sha256:" + new string('0', 64))).StatusCode);
        using var client = await _second.Client();
        await Waiting.Until(async () => await Images(client) is ["first 0 1 mini: second: does not have it either. It is tried again every 15 s.", "second 0 1 mini: first: does not have it either. It is tried again every 15 s."], "both saying that they lack it and why");
    }

    [Fact]
    public async Task Bytes_go_to_hosts_and_servers_of_this_console_and_to_nobody_else()
    {
        using var one = await _first.Client();
        var (_, digest) = await Upload(one, RandomNumberGenerator.GetBytes(1000));
        var authority = _first.App.Services.GetRequiredService<CertificateAuthority>();
        var known = _second.App.Services.GetRequiredService<ServerIdentity>().Id;
        var now = DateTimeOffset.UtcNow;
        await using var agent = await TestAgent.Enrolled(_first);

        using var peer = authority.IssuePeer(known, now, TimeSpan.FromMinutes(10));
        using var asPeer = agent.Http(peer);
        Assert.Equal(HttpStatusCode.OK, (await asPeer.GetAsync(HubNames.ImageRoute + digest)).StatusCode);
        // Images, and nothing else of what hosts are served.
        Assert.Equal(HttpStatusCode.Unauthorized, (await asPeer.PostAsync(HubNames.Route + "/negotiate", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await asPeer.GetAsync(HubNames.ExecutableRoute + digest)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await asPeer.PostAsync(HubNames.RenewRoute, JsonContent.Create(new RenewRequest(agent.Request()), ProtocolJson.Default.RenewRequest))).StatusCode);

        using var unknown = authority.IssuePeer(ServerId.New(now), now, TimeSpan.FromMinutes(10));
        using (var asked = agent.Http(unknown)) Assert.Equal(HttpStatusCode.Unauthorized, (await asked.GetAsync(HubNames.ImageRoute + digest)).StatusCode);

        // Of another console, or out of date: refused before anything is asked.
        var directory = Directory.CreateTempSubdirectory("plinth-foreign-");
        using (var data = DataDirectory.Open(directory.FullName))
        using (var foreign = CertificateAuthority.LoadOrCreate(data, now))
        using (var stranger = foreign.IssuePeer(known, now, TimeSpan.FromMinutes(10)))
        using (var past = authority.IssuePeer(known, now.AddSeconds(-5), TimeSpan.FromSeconds(1)))
            foreach (var certificate in new[] { stranger, past })
            {
                using var asked = agent.Http(certificate);
                await Assert.ThrowsAsync<HttpRequestException>(() => asked.GetAsync(HubNames.ImageRoute + digest));
            }
        directory.Delete(true);

        using (var asked = agent.Http()) Assert.Equal(HttpStatusCode.OK, (await asked.GetAsync(HubNames.ImageRoute + digest)).StatusCode);
        Assert.True((await one.PostAsync($"/api/v1/hosts/{agent.Host}/retire", null)).IsSuccessStatusCode);
        using (var asked = agent.Http()) Assert.Equal(HttpStatusCode.Unauthorized, (await asked.GetAsync(HubNames.ImageRoute + digest)).StatusCode);
        // Not at the portal, whoever asks.
        Assert.Equal(HttpStatusCode.NotFound, (await one.GetAsync(HubNames.ImageRoute + digest)).StatusCode);
    }

    [Fact]
    public void A_certificate_names_a_host_or_a_server_and_never_both()
    {
        var authority = _first.App.Services.GetRequiredService<CertificateAuthority>();
        var now = DateTimeOffset.UtcNow;
        var id = ServerId.New(now);
        using var peer = authority.IssuePeer(id, now, TimeSpan.FromMinutes(10));
        Assert.Equal(((ServerId?)id, (HostId?)null), (authority.ServerOf(peer, now), authority.HostOf(peer, now)));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Whatever name a request asks for, the console names the host.
        using var host = authority.IssueAgent(HostId.New(now), new CertificateRequest($"CN=server {id}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem(), now, TimeSpan.FromHours(1)).Value!;
        Assert.Null(authority.ServerOf(host, now));
    }

    private static string FileOf(ServedConsole console, string digest) => Path.Combine(console.Data, "images", digest.Replace(':', '-'));

    private static async Task<(string Image, string Digest)> Upload(HttpClient client, byte[] bytes)
    {
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        var made = await client.PostAsJsonAsync("/api/v1/images", new { name = "mini", format = "raw", digest, sizeBytes = bytes.Length, minDiskGib = 1 });
        Assert.True(made.StatusCode == HttpStatusCode.Created, await made.Content.ReadAsStringAsync());
        var image = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
        using var content = new ByteArrayContent(bytes) { Headers = { ContentType = new("application/octet-stream") } };
        var put = await client.PutAsync($"/api/v1/images/{image}/content", content);
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
        return (image, digest);
    }

    /// <summary>What Upkeep says of each server: name, images held and lacking, why.</summary>
    private static async Task<string[]> Images(HttpClient client) =>
        [.. (await client.GetFromJsonAsync<JsonElement>("/api/v1/upkeep")).GetProperty("servers").EnumerateArray().Select(s => s.GetProperty("images") is { ValueKind: JsonValueKind.Object } i
            ? $"{s.GetProperty("name").GetString()} {i.GetProperty("held").GetInt32()} {i.GetProperty("lacking").GetInt32()} {i.GetProperty("reason").GetString()}" : "none")];
}
