using System.Security.Cryptography;
using System.Text.Json;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>A distribution's image, uploaded through the API: cloud-init does what the seed says.</summary>
[Collection(FleetCollection.Name)]
[Trait("Suite", "Slow")]
public sealed class DebianTests(Fleet fleet)
{
    // Debian under software emulation on a busy machine: a minute when quiet.
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Cloud_init_makes_the_user_of_the_seed()
    {
        await Upload("debian");
        var key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIARIdsi5PFKfMhyhs6D1vXO03p2T0rGVg6V/OyEk6eWa ada@example";
        var (vm, create) = await fleet.Create("debian", new { image = "debian-bookworm", flavor = "small", userName = "ada", keys = new[] { key } });
        await using var console = await OpenWhenStarted(vm);
        await console.See("Cloud-init v. ", Boot);
        await console.See("finished at", Boot);
        Assert.Contains("Datasource DataSourceNoCloud", console.Text, StringComparison.Ordinal);
        Assert.Contains("ci-info: |", console.Text, StringComparison.Ordinal);
        await console.See("debian login:", Boot);
        var end = await fleet.Console.Finished(create, Boot);
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());

        // Its file systems stand still for a snapshot of its disk, and go on.
        var taken = await fleet.Console.Post($"projects/default/vms/{vm}/snapshots", new { name = "quick", memory = false });
        await fleet.Console.Finished(taken.GetProperty("id").GetString()!);
        var snapshot = (await fleet.Console.Get($"projects/default/vms/{vm}/snapshots")).GetProperty("items")[0];
        Assert.Contains("froze its ", snapshot.GetProperty("how").GetString(), StringComparison.Ordinal);
        Assert.Contains("thawed", await FileSystems(), StringComparison.Ordinal);
        // As an agent leaves them that dies in between.
        await fleet.Host.Virsh("domfsfreeze", vm);
        await Wait.Until("they are thawed", async () => (await FileSystems()).Contains("thawed", StringComparison.Ordinal));
        await fleet.Remove(vm);

        Task<string> FileSystems() => fleet.Host.Virsh("qemu-agent-command", vm, """{"execute":"guest-fsfreeze-status"}""");
    }

    private async Task<SerialConsole> OpenWhenStarted(string vm)
    {
        await Wait.Until("the domain", async () => (await fleet.Host.RunningDomains()).Contains(vm));
        return await SerialConsole.Open(fleet, vm);
    }

    /// <summary>The image of that name as the builder left it, through the API like anybody's.</summary>
    private async Task Upload(string name)
    {
        var directory = Path.Combine(Repository.Root, "artifacts/debian");
        var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, name + ".json"))).RootElement;
        var file = Path.Combine(directory, manifest.GetProperty("file").GetString()!);
        await using var bytes = File.OpenRead(file);
        Assert.Equal("sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes)), manifest.GetProperty("digest").GetString());
        bytes.Position = 0;
        var image = await fleet.Console.Post("images", new
        {
            name = manifest.GetProperty("name").GetString(),
            description = manifest.GetProperty("description").GetString(),
            format = manifest.GetProperty("format").GetString(),
            digest = manifest.GetProperty("digest").GetString(),
            sizeBytes = manifest.GetProperty("sizeBytes").GetInt64(),
            minDiskGib = manifest.GetProperty("minDiskGib").GetInt32(),
            minMemoryMib = manifest.GetProperty("minMemoryMib").GetInt32(),
            hasGuestAgent = true,
            defaultUser = manifest.GetProperty("defaultUser").GetString(),
        });
        using var content = new StreamContent(bytes);
        content.Headers.ContentType = new("application/octet-stream");
        using var reply = await fleet.Console.Http.PutAsync($"/api/v1/images/{image.GetProperty("id").GetString()}/content", content);
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
    }
}
