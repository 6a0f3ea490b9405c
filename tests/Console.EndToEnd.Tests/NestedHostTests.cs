using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>A whole machine, with a kernel and a systemd of its own, becomes a host by the pasted command and runs a VM: two emulations deep.</summary>
[Collection(FleetCollection.Name)]
[Trait("Suite", "Slow")]
public sealed class NestedHostTests(Fleet fleet)
{
    // A guest of an emulated machine that is itself emulated.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    [Fact]
    public async Task A_machine_joins_and_runs_a_vm()
    {
        var given = await fleet.Console.Post("agents/join-tokens", new { description = "nested" });
        await using var machine = await NestedHost.Boot(fleet.Host, "nested", Path.Combine(fleet.Data, "nested"), given.GetProperty("command").GetString()!);
        try
        {
            var host = await Wait.For("the nested host", async () =>
                (await fleet.Console.Get("hosts?q=nested&state=ready")).GetProperty("items").EnumerateArray().Select(h => h.GetProperty("id").GetString()).FirstOrDefault(), Patience);
            var (vm, create) = await fleet.Create("inner", new { host });
            var end = await fleet.Console.Finished(create, Patience);
            Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
            Assert.DoesNotContain(vm, await fleet.Host.Domains());
            var delete = await fleet.Console.Delete($"projects/default/vms/{vm}?atOnce=true");
            end = await fleet.Console.Finished(delete.GetProperty("id").GetString()!, Patience);
            Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
            await fleet.Console.Post($"hosts/{host}/retire");
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{e.Message}\n{string.Join('\n', machine.Machine.Lines.TakeLast(60))}", e);
        }
    }
}
