using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>A second machine joins with the one command that the Agents page gives, and takes a VM.</summary>
[Collection(FleetCollection.Name)]
public sealed class SecondHostTests(Fleet fleet)
{
    [Fact]
    public async Task A_second_host_joins_with_the_pasted_command()
    {
        await using var second = await LabHost.Up("e2e-b", 22);
        var given = await fleet.Console.Post("agents/join-tokens", new { description = "rack 2" });
        var data = Path.Combine(fleet.Data, "second");
        Directory.CreateDirectory(data);
        // Pasted as it is, into a shell of the other machine.
        var command = $"cd '{data}' && {given.GetProperty("command").GetString()} --data '{data}'";
        await using var agent = second.Start("sh", ["-c", command]);

        var hosts = await fleet.Console.ReadyHosts(2);
        var host = hosts.Single(h => h.GetProperty("name").GetString()!.Contains("e2e-b", StringComparison.Ordinal)).GetProperty("id").GetString();
        var (vm, create) = await fleet.Create("on-second", new { host });
        var end = await fleet.Console.Finished(create);
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
        Assert.Contains(vm, await second.RunningDomains());
        Assert.DoesNotContain(vm, await fleet.Host.Domains());
        var delete = await fleet.Console.Delete($"projects/default/vms/{vm}?atOnce=true");
        await fleet.Console.Finished(delete.GetProperty("id").GetString()!);
        Assert.DoesNotContain(vm, await second.Domains());

        // The token is used up.
        Directory.CreateDirectory(data + "-again");
        await using var again = second.Start("sh", ["-c", command.Replace(data, data + "-again", StringComparison.Ordinal)]);
        await again.Line("token");
        await fleet.Console.Post($"hosts/{host}/retire");
    }
}
