using Plinth.EndToEnd.Tests.Lab;
using Plinth.Tests.PostgreSql;

namespace Plinth.EndToEnd.Tests;

/// <summary>PostgreSQL as the engine of a whole installation.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresTests(PostgresServer server)
{
    [Fact]
    public async Task A_vm_lives_on_postgresql_and_its_creation_survives_kill_9_of_the_server()
    {
        await using var installation = new Installation(18700);
        var console = installation.Console;
        console.Settings["Plinth__Database__Engine"] = "postgresql";
        console.Settings["Plinth__Database__ConnectionString"] = await server.NewDatabase();
        await installation.Start(faults: "slow:disk:4");

        var (vm, create) = await installation.Create("on-postgresql");
        await Wait.Until("placement", async () => Step(await console.Get($"operations/{create}"), "placed") == "done");
        Assert.Equal("running", (await console.Get($"operations/{create}")).GetProperty("state").GetString());
        await console.Kill9();
        await console.Start();

        await installation.Succeeds(create);
        Assert.Equal("running", await installation.StateOf(vm));
        Assert.Equal(1, (await console.Get("projects/default/vms")).GetProperty("total").GetInt64());
        Assert.Equal(new() { [vm] = true }, installation.Machines());

        await installation.Succeeds(await console.Post($"projects/default/vms/{vm}/stop"));
        Assert.Equal("stopped", await installation.StateOf(vm));
        Assert.Equal(new() { [vm] = false }, installation.Machines());
        await installation.Succeeds(await console.Post($"projects/default/vms/{vm}/start"));
        Assert.Equal("running", await installation.StateOf(vm));
        await installation.Succeeds(await console.Delete($"projects/default/vms/{vm}?atOnce=true"));
        Assert.Equal(0, (await console.Get("projects/default/vms")).GetProperty("total").GetInt64());
        Assert.Empty(installation.Machines());
        Assert.False(File.Exists(Path.Combine(console.Data, "plinth.db")), "the console's data lies in SQLite");
    }

    private static string? Step(System.Text.Json.JsonElement operation, string name) => operation.GetProperty("steps").EnumerateArray()
        .Where(s => s.GetProperty("name").GetString() == name).Select(s => s.GetProperty("state").GetString()).FirstOrDefault();
}
