using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Plinth.Core.Protocol;
using Plinth.Web.Tests.Serving;

namespace Plinth.Web.Tests.Hubs;

/// <summary>The agent's executable as the server hands it out: which version it is, and to whom its bytes go.</summary>
[Collection(ServedConsoleCollection.Name)]
public sealed class ExecutableTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-handed-out-").FullName;
    private ServedConsole _console = null!;

    private string File_ => Path.Combine(_directory, "plinth-agent");

    public async Task InitializeAsync()
    {
        HandOut("#!/bin/sh\necho 7.0.0\n");
        _console = new ServedConsole { More = [$"--Plinth:Agents:Executable={File_}"] };
        await _console.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private void HandOut(string script)
    {
        File.WriteAllText(File_ + ".new", script);
        File.SetUnixFileMode(File_ + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(File_ + ".new", File_, overwrite: true);
    }

    [Fact]
    public async Task Its_version_is_what_it_says_and_its_bytes_go_to_hosts_by_digest()
    {
        using var client = await _console.Client();
        var fleet = await client.GetFromJsonAsync<JsonElement>("/api/v1/agents");
        var bytes = await File.ReadAllBytesAsync(File_);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        Assert.Equal(("7.0.0", digest, (long)bytes.Length), (fleet.GetProperty("version").GetString(), fleet.GetProperty("digest").GetString(), fleet.GetProperty("sizeBytes").GetInt64()));

        await using var agent = await TestAgent.Enrolled(_console);
        using var host = agent.Http();
        Assert.Equal(bytes, await host.GetByteArrayAsync(HubNames.ExecutableRoute + digest));
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync(HubNames.ExecutableRoute + "sha256:" + new string('0', 64))).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.GetAsync(HubNames.ExecutableRoute + "plinth-agent")).StatusCode);
        // Not at the portal, whoever asks.
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(HubNames.ExecutableRoute + digest)).StatusCode);

        // Replaced by an update: the new one from now on, and never in place of the old.
        HandOut("#!/bin/sh\necho 7.0.1\n");
        Assert.Equal("7.0.1", (await client.GetFromJsonAsync<JsonElement>("/api/v1/agents")).GetProperty("version").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync(HubNames.ExecutableRoute + digest)).StatusCode);
    }

    [Fact]
    public async Task What_does_not_say_its_version_is_not_handed_to_hosts()
    {
        using var client = await _console.Client();
        HandOut("#!/bin/sh\necho hello\n");
        var fleet = await client.GetFromJsonAsync<JsonElement>("/api/v1/agents");
        Assert.Equal(JsonValueKind.Null, fleet.GetProperty("version").ValueKind);
        Assert.Contains("it does not say one", fleet.GetProperty("whyNone").GetString());
        var refused = await client.PostAsync("/api/v1/agents/upgrade", new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("agent_version_unknown", await refused.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_request_that_is_wrong_names_its_field()
    {
        using var client = await _console.Client();
        foreach (var (body, field) in new[] { ("""{"hosts":[]}""", "hosts"), ("""{"hosts":["nobody"]}""", "hosts[0]"), ("""{"hosts":"all"}""", "hosts"), ("""{"batch":3}""", "batch") })
        {
            var refused = await client.PostAsync("/api/v1/agents/upgrade", new StringContent(body, Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains($"\"field\":\"{field}\"", await refused.Content.ReadAsStringAsync());
        }
        using var stranger = _console.Anonymous();
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync("/api/v1/agents/upgrade", new StringContent("{}", Encoding.UTF8, "application/json"))).StatusCode);
    }
}
