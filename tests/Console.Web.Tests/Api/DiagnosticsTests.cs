using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Plinth.Web.Application;
using Plinth.Web.Application.Upkeep;
using Plinth.Web.Observability;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Api;

public sealed class DiagnosticsTests : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("plinth-diagnostics-").FullName;
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _app = ConsoleApplication.Build(
        [
            $"--Plinth:Data={_data}", "--Plinth:Portal:Url=http://localhost:0", "--Plinth:Agents:Listen=127.0.0.1:0", "--Plinth:Agents:EnrolmentListen=127.0.0.1:0",
            $"--PLINTH_BOOTSTRAP_CLIENT_ID={ServedConsole.ClientId}", $"--PLINTH_BOOTSTRAP_CLIENT_SECRET={ServedConsole.ClientSecret}",
            "--Plinth:Database:ConnectionString=Host=db;Username=plinth;Password=hunter2-planted", "--SOMEONE_ELSES_KEY=foreign-planted",
        ]);
        await _app.StartAsync();
        _client = new HttpClient { BaseAddress = new Uri(_app.Services.GetRequiredService<Plinth.Web.Listeners.KestrelListeners>().PortalUrl) };
        _client.DefaultRequestHeaders.Authorization = new("Bearer", await ServedConsole.Token(_client));
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_data, true);
    }

    [Fact]
    public async Task A_bundle_helps_and_holds_no_secret()
    {
        var link = await _app.Services.GetRequiredService<IOperatorLink>().Issue(CancellationToken.None);
        var join = (await (await _client.PostAsJsonAsync("/api/v1/agents/join-tokens", new { description = "rack 4" })).Content.ReadFromJsonAsync<JsonElement>()).GetProperty("command").GetString()!;
        var token = join.Split("--token ")[1].Split(' ')[0];
        var access = _client.DefaultRequestHeaders.Authorization!.Parameter!;
        // As if something had logged what nothing should.
        var log = _app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Plinth.Planted");
        log.LogWarning("A careless line: password=hunter2-planted, {Secret}, /sign-in?link={Link}", ServedConsole.ClientSecret, link);
        log.LogError(new InvalidOperationException("Authorization: Bearer " + access), "at https://ana:basic-planted@example.org, token={Token}", token);
        log.LogInformation("{Key}", await File.ReadAllTextAsync(Path.Combine(_data, "ca.key")));

        var answer = await _client.GetAsync("/api/v1/upkeep/diagnostics");
        Assert.Equal("application/zip", answer.Content.Headers.ContentType!.MediaType);
        var files = new Dictionary<string, string>();
        using (var zip = new ZipArchive(await answer.Content.ReadAsStreamAsync()))
            foreach (var entry in zip.Entries)
                using (var reader = new StreamReader(entry.Open())) files[entry.Name] = await reader.ReadToEndAsync();

        string[] secrets =
        [
            "hunter2-planted", "foreign-planted", "basic-planted", ServedConsole.ClientSecret, link, token, access,
            .. new[] { "ca.key", "openid-signing.key" }.SelectMany(k => File.ReadAllLines(Path.Combine(_data, k)).Where(l => l.Length > 40)),
            Convert.ToBase64String(await File.ReadAllBytesAsync(Path.Combine(_data, "openid-encryption.key"))),
        ];
        foreach (var (name, text) in files)
            Assert.All(secrets, s => Assert.False(text.Contains(s, StringComparison.Ordinal), $"{name} holds {s}"));

        Assert.Equal(["checks.json", "counts.json", "hosts.json", "log.txt", "servers.json", "settings.json", "version.json"], files.Keys.Order());
        Assert.Contains("A careless line", files["log.txt"]);
        Assert.Equal(SecretMask.Shown, JsonDocument.Parse(files["settings.json"]).RootElement.GetProperty("PLINTH_BOOTSTRAP_CLIENT_SECRET").GetString());
        Assert.Equal(ConsoleVersion.Text, JsonDocument.Parse(files["version.json"]).RootElement.GetProperty("console").GetString());
        Assert.Equal(8, JsonDocument.Parse(files["checks.json"]).RootElement.GetArrayLength());
        var audited = await _client.GetFromJsonAsync<JsonElement>("/api/v1/audit?action=console.diagnostics");
        Assert.Equal(1, audited.GetProperty("total").GetInt64());
        var upkeep = await _client.GetFromJsonAsync<JsonElement>("/api/v1/upkeep");
        Assert.Equal(8, upkeep.GetProperty("checks").GetArrayLength());
    }

    [Theory]
    [InlineData("Host=db;Password=s3cret-value;Username=p", "Password=s3cret-value")]
    [InlineData("{\"client_secret\": \"abc123def\"}", "abc123def")]
    [InlineData("GET /consoles/x?ticket=abcdef", "abcdef")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----", "MIGH")]
    public void What_looks_like_a_secret_is_struck_out(string text, string secret) =>
        Assert.DoesNotContain(secret, new SecretMask(new ConfigurationBuilder().Build()).Apply(text), StringComparison.Ordinal);

    [Fact]
    public void Ordinary_text_stays() =>
        Assert.Equal("Host n1 is lost; its tokenizer and linked clones are fine.", new SecretMask(new ConfigurationBuilder().Build()).Apply("Host n1 is lost; its tokenizer and linked clones are fine."));
}
