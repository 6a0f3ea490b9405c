using System.Collections.Concurrent;
using Plinth.EndToEnd.Tests.Lab;
using Xunit.Abstractions;

namespace Plinth.EndToEnd.Tests;

/// <summary>
/// A hundred creates at once on two real hosts, with room for sixteen machines: whoever is done is deleted, and the next has its place.
/// Agents, libvirtd and the server are killed meanwhile. Each VM comes to be once or says why not, and nothing is left of any.
/// </summary>
[Collection(FleetCollection.Name)]
[Trait("Suite", "Slow")]
public sealed class ManyCreatesTests(Fleet fleet, ITestOutputHelper output)
{
    private const int Vms = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(25);

    // A hundred who ask ten times a second would be the load.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_hundred_creates_at_once_survive_kills_on_two_hosts()
    {
        await using var second = await LabHost.Up("e2e-b", 22);
        var given = await fleet.Console.Post("agents/join-tokens", new { description = "the second of two" });
        var data = Path.Combine(fleet.Data, "second-of-two");
        Directory.CreateDirectory(data);
        List<RunningProgram> agents = [second.Start("sh", ["-c", $"cd '{data}' && {given.GetProperty("command").GetString()} --data '{data}'"])];
        try
        {
            await fleet.Console.ReadyHosts(2);
            // Without the shell around it, so that it is the agent that is killed.
            await agents[0].DisposeAsync();
            agents[0] = second.Start(Repository.Agent, ["run", "--data", data]);
            await fleet.Console.ReadyHosts(2);
            Func<Task>[] kills =
            [
                async () => { await fleet.Agent.Kill9(); fleet.StartAgent(); },
                async () => { await fleet.Console.Kill9(); await fleet.Console.Start(signIn: false); },
                async () => { await agents[^1].Kill9(); agents.Add(second.Start(Repository.Agent, ["run", "--data", data])); },
                fleet.RestartLibvirt,
                async () => { await fleet.Console.Kill9(); await fleet.Agent.Kill9(); await fleet.Console.Start(signIn: false); fleet.StartAgent(); },
            ];
            var asked = await Task.WhenAll(Enumerable.Range(0, Vms).Select(i => fleet.Create($"many-{i}")));
            Assert.Equal(Vms, asked.Select(a => a.Vm).Distinct().Count());

            var (ends, killed, oneAtATime) = (new ConcurrentDictionary<string, string>(), 0, new SemaphoreSlim(1));
            await Parallel.ForEachAsync(asked, new ParallelOptions { MaxDegreeOfParallelism = Vms }, async (one, stop) =>
            {
                var end = await Patiently(() => fleet.Console.Finished(one.Operation, Patience, Pause));
                var (state, reason) = (end.GetProperty("state").GetString()!, end.GetProperty("reason").GetString()!);
                Assert.True(state == "succeeded" || (state == "failed" && reason.Length > 20), end.ToString());
                var on = (await Task.WhenAll(Domains(fleet.Host), Domains(second))).Sum(domains => domains.Count(d => d == one.Vm));
                Assert.True(state == "succeeded" ? on == 1 : on <= 1, $"{one.Vm} is there {on} times: {end}");
                ends[one.Vm] = state == "succeeded" ? state : reason;
                var delete = await Patiently(() => fleet.Console.Delete($"projects/default/vms/{one.Vm}?atOnce=true", "end-of-" + one.Vm));
                await Patiently(() => fleet.Console.Finished(delete.GetProperty("id").GetString()!, Patience, Pause));
                // A kill after each sixth part; the others go on being made.
                await oneAtATime.WaitAsync(stop);
                try
                {
                    if (killed < kills.Length && ends.Count >= (killed + 1) * Vms / (kills.Length + 1)) await kills[killed++]();
                }
                finally
                {
                    oneAtATime.Release();
                }
            });

            output.WriteLine(string.Join('\n', ends.Values.GroupBy(e => e).Select(g => $"{g.Count()} × {g.Key}")));
            Assert.Equal(kills.Length, killed);
            Assert.Equal(Vms, ends.Count);
            Assert.Equal(0, (await fleet.Console.Get("projects/default/vms?q=many-")).GetProperty("total").GetInt64());
            foreach (var host in new[] { fleet.Host, second })
            {
                Assert.Empty(asked.Select(a => a.Vm).Intersect(await host.Domains()));
                // Disks and seeds carry the VM's id.
                var files = await host.Run("find", "/var/lib/libvirt", "-name", "vm-*", "-not", "-path", "*/qemu/*");
                Assert.DoesNotContain(asked, a => files.Contains(a.Vm, StringComparison.Ordinal));
            }
            await Wait.Until("all reservations are given back", async () => (await fleet.Console.ReadyHosts(2)).All(h => h.GetProperty("allocated").GetProperty("memoryMib").GetInt32() == 0));
        }
        finally
        {
            foreach (var agent in agents) await agent.DisposeAsync();
        }
        var joined = (await fleet.Console.ReadyHosts(1)).Single(h => h.GetProperty("name").GetString()!.Contains("e2e-b", StringComparison.Ordinal));
        await fleet.Console.Post($"hosts/{joined.GetProperty("id").GetString()}/retire");
    }

    /// <summary>A libvirt that was just killed does not answer.</summary>
    private static Task<string[]> Domains(LabHost host) => Wait.For($"libvirt on {host.Name}", async () =>
    {
        try
        {
            return await host.Domains();
        }
        catch (InvalidOperationException e) when (e.Message.Contains("Failed to connect", StringComparison.Ordinal))
        {
            return null;
        }
    });

    /// <summary>A server that was just killed does not answer; asked again, what was asked once is done once.</summary>
    private static async Task<T> Patiently<T>(Func<Task<T>> ask) where T : struct
    {
        object? answer = null;
        await Wait.Until("the console answers", async () => (answer = await ask()) is not null);
        return (T)answer!;
    }
}
