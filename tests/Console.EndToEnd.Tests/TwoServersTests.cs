using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;
using Plinth.Tests.PostgreSql;
using Xunit.Abstractions;

namespace Plinth.EndToEnd.Tests;

/// <summary>Two servers on one PostgreSQL database, one real host: the server that leads is killed in the midst of a create, or with an image that it took.</summary>
[Collection(PostgresCollection.Name)]
public sealed class TwoServersTests(PostgresServer server, ITestOutputHelper output) : IAsyncLifetime
{
    private readonly string _data = Path.Combine(Path.GetTempPath(), "plinth-two-" + Guid.NewGuid().ToString("N")[..8]);
    private LabHost _host = null!;

    public async Task InitializeAsync() => _host = await LabHost.Up("e2e-two", 24);

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_create_that_one_server_began_is_finished_once_by_the_other()
    {
        var database = await server.NewDatabase();
        await using var first = Console("first", 8400, database);
        await using var second = Console("second", 8500, database);
        await first.Start();
        await second.Start();
        await using var agent = _host.Start(Repository.Agent, ["join", "--join-file", second.JoinFile, "--data", Path.Combine(_data, "agent")]);
        await first.ReadyHosts(1);
        await Wait.Until("the agent's knowledge of both servers", () => Task.FromResult(File.ReadAllText(Path.Combine(_data, "agent", "identity.json")).Contains(":8543", StringComparison.Ordinal)));
        Assert.True(await Leads(first));

        // Asked of the one that follows, done by the one that leads.
        var create = await second.Post("projects/default/vms", new { name = "outlives-its-server", image = "plinth-guest", flavor = "tiny" });
        var (operation, vm) = (create.GetProperty("id").GetString()!, create.GetProperty("vm").GetString()!);
        await Wait.Until("the disk", async () => (await second.Get($"operations/{operation}")).GetProperty("steps").EnumerateArray()
            .Any(s => s.GetProperty("name").GetString() == "placed" && s.GetProperty("state").GetString() == "done"));
        await first.Kill9();
        var watch = Stopwatch.StartNew();
        await Wait.Until("the takeover", () => Leads(second), TimeSpan.FromMinutes(1));
        var led = watch.Elapsed;
        await Wait.Until("the agent's session", async () => (await second.Get("hosts")).GetProperty("items")[0].GetProperty("connected").GetBoolean(), TimeSpan.FromMinutes(1));
        output.WriteLine($"after kill -9 the other server leads in {led.TotalSeconds:0.0} s and has the agent in {watch.Elapsed.TotalSeconds:0.0} s");
        var end = await second.Finished(operation);
        output.WriteLine($"the create is finished {watch.Elapsed.TotalSeconds:0.0} s after the kill");
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());

        Assert.Equal([vm], await _host.RunningDomains());
        Assert.Equal("1", (await _host.Run("pgrep", "-c", "-f", $"qemu-system.*{vm}")).Trim());
        Assert.Equal(1, (await second.Get("projects/default/vms")).GetProperty("total").GetInt64());
        Assert.Equal(1, (await second.Get($"audit?action=vm.place&target=vm/{vm}")).GetProperty("total").GetInt64());

        // The one that was killed comes back and follows.
        await first.Start();
        Assert.False(await Leads(first));
        var delete = await first.Delete($"projects/default/vms/{vm}?atOnce=true");
        Assert.Equal("succeeded", (await first.Finished(delete.GetProperty("id").GetString()!)).GetProperty("state").GetString());
        Assert.Empty(await _host.Domains());
        await agent.Terminate();
    }

    [Fact]
    public async Task An_image_that_the_killed_server_took_is_given_to_the_host_by_the_other()
    {
        var database = await server.NewDatabase();
        await using var first = Console("first", 8400, database);
        await using var second = Console("second", 8500, database);
        await first.Start();
        await second.Start();
        await using var agent = _host.Start(Repository.Agent, ["join", "--join-file", second.JoinFile, "--data", Path.Combine(_data, "agent")]);
        await first.ReadyHosts(1);
        await Wait.Until("the agent's knowledge of both servers", () => Task.FromResult(File.ReadAllText(Path.Combine(_data, "agent", "identity.json")).Contains(":8543", StringComparison.Ordinal)));

        var watch = Stopwatch.StartNew();
        var digest = await Upload(first, "only-at-the-first");
        await Wait.Until("the second server's copy", async () => (await second.Get("upkeep")).GetProperty("servers").EnumerateArray()
            .All(s => s.GetProperty("images") is { ValueKind: JsonValueKind.Object } images && (images.GetProperty("held").GetInt32(), images.GetProperty("lacking").GetInt32()) == (2, 0)));
        output.WriteLine($"uploaded, and at the other server after {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.True(File.Exists(Path.Combine(second.Data, "images", digest.Replace(':', '-'))));
        await first.Kill9();
        await Wait.Until("the takeover", () => Leads(second), TimeSpan.FromMinutes(1));
        await Wait.Until("the agent's session", async () => (await second.Get("hosts")).GetProperty("items")[0].GetProperty("connected").GetBoolean(), TimeSpan.FromMinutes(1));

        var create = await second.Post("projects/default/vms", new { name = "of-a-copy", image = "only-at-the-first", flavor = "tiny" });
        var vm = create.GetProperty("vm").GetString()!;
        var end = await second.Finished(create.GetProperty("id").GetString()!);
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
        Assert.Equal([vm], await _host.RunningDomains());
        var delete = await second.Delete($"projects/default/vms/{vm}?atOnce=true");
        Assert.Equal("succeeded", (await second.Finished(delete.GetProperty("id").GetString()!)).GetProperty("state").GetString());
        await agent.Terminate();
    }

    /// <summary>The guest image with other bytes at its end, so that it is another one.</summary>
    private static async Task<string> Upload(PlinthConsole console, string name)
    {
        var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Repository.GuestManifest)).RootElement;
        byte[] bytes = [.. await File.ReadAllBytesAsync(Path.Combine(Path.GetDirectoryName(Repository.GuestManifest)!, manifest.GetProperty("file").GetString()!)), .. new byte[65536]];
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        var image = await console.Post("images", new
        {
            name, format = manifest.GetProperty("format").GetString(), digest, sizeBytes = bytes.Length,
            minDiskGib = manifest.GetProperty("minDiskGib").GetInt32(), minMemoryMib = manifest.GetProperty("minMemoryMib").GetInt32(), hasGuestAgent = true,
        });
        using var content = new ByteArrayContent(bytes) { Headers = { ContentType = new("application/octet-stream") } };
        using var reply = await console.Http.PutAsync($"/api/v1/images/{image.GetProperty("id").GetString()}/content", content);
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
        return digest;
    }

    private PlinthConsole Console(string name, int port, string database)
    {
        var console = new PlinthConsole(_host, Path.Combine(_data, name), port, $"{_host.Address}:{port + 43}", port + 44);
        console.Settings["Plinth__Database__Engine"] = "postgresql";
        console.Settings["Plinth__Database__ConnectionString"] = database;
        console.Settings["Plinth__Server__Name"] = name;
        return console;
    }

    private static async Task<bool> Leads(PlinthConsole console) => (await console.Get("upkeep")).GetProperty("servers").EnumerateArray()
        .Any(s => s.GetProperty("here").GetBoolean() && s.GetProperty("leads").GetBoolean());
}
