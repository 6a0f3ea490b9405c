using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>A console that comes back from a backup knows less than its agents.</summary>
[Trait("Suite", "Slow")]
public sealed class RestoredBackupTests
{
    [Fact]
    public async Task A_restored_console_changes_nothing_on_a_host_until_the_host_is_adopted()
    {
        await using var installation = new Installation(18740);
        var console = installation.Console;
        var host = (await installation.Start()).GetProperty("id").GetString()!;
        var (kept, create) = await installation.Create("kept");
        await installation.Succeeds(create);

        // While it serves and its agent reports.
        var backup = Path.Combine(installation.Data, "plinth.backup");
        Assert.Contains("images are not in it", await console.Command("--backup", backup));
        var (later, second) = await installation.Create("later");
        await installation.Succeeds(second);
        await installation.Succeeds(await console.Post($"projects/default/vms/{kept}/stop"));
        var onTheHost = new Dictionary<string, bool> { [kept] = false, [later] = true };
        Assert.Equal(onTheHost, installation.Machines());

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => console.Command("--restore", backup));
        Assert.Contains("A console serves from", refused.Message);
        await console.Process.Terminate();
        Assert.Contains("quarantined until you adopt", await console.Command("--restore", backup));
        await console.Start();
        await Wait.Until("quarantine of the host", async () => await StateOfHost() == "quarantined");
        var reason = (await console.Get($"hosts/{host}")).GetProperty("stateReason").GetString();
        Assert.Contains("restored from a backup", reason);
        // The restored console believes that the machine runs, and is asked for a new one besides.
        Assert.Equal("running", await installation.StateOf(kept));
        var (fresh, third) = await installation.Create("fresh");
        await installation.Agent.Line("console_behind");
        await Wait.Until("a reason why nothing is placed", async () => (await console.Get($"operations/{third}")).ToString().Contains("quarantine", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(onTheHost, installation.Machines());

        await console.Post($"hosts/{host}/adopt");
        await installation.Succeeds(third);
        Assert.Equal("ready", await StateOfHost());
        // The backup is corrected by what is seen: what was stopped meanwhile stays so, what it does not know is shown and left alone.
        await Wait.Until("the machine's true state", async () => await installation.StateOf(kept) == "stopped");
        Assert.Equal(new() { [kept] = false, [later] = true, [fresh] = true }, installation.Machines());
        Assert.Contains(later, (await console.Get($"hosts/{host}")).GetProperty("unknownDomains").ToString());
        foreach (var action in new[] { "host.adopt", "console.restore" })
            Assert.Equal(1, (await console.Get($"audit?action={action}")).GetProperty("items").GetArrayLength());

        async Task<string?> StateOfHost() => (await console.Get($"hosts/{host}")).GetProperty("state").GetString();
    }
}
