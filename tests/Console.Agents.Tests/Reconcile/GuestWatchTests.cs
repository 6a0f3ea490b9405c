using Microsoft.Extensions.Time.Testing;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Simulation;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Reconcile;

public sealed class GuestWatchTests
{
    [Fact]
    public async Task An_agent_is_silent_only_after_it_has_answered_and_well_again_at_its_next_answer()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        await using var host = new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), time);
        var machine = DesiredBuilder.Machine(1) with { Nics = [] };
        await host.EnsurePool(new PoolConfig(new StorageClassId(Guid.CreateVersion7()), "default", Plinth.Core.Inventory.PoolKind.Directory), default);
        foreach (var disk in machine.Disks) await host.EnsureDisk(machine.Vm, disk, default);
        await host.EnsureSeed(machine.Vm, machine.Seed, default);
        await host.Define(machine, [], default);
        await host.Start(machine.Vm, default);
        host.Faults.GuestAgentsSilent = true;

        var (answers, silences) = (0, new List<DateTimeOffset>());
        var watch = new GuestWatch(host, time, AgentLog.Silent, (_, _, _) => answers++, (_, _, since) => silences.Add(since));
        using var stop = new CancellationTokenSource();
        watch.Follow(machine.Vm, "start 1", false, stop.Token);

        // A guest that has never answered boots, for all that is known.
        var begin = time.GetUtcNow();
        await Passing("two minutes", () => time.GetUtcNow() - begin >= TimeSpan.FromMinutes(2));
        Assert.Equal((0, 0), (answers, silences.Count));

        host.Faults.GuestAgentsSilent = false;
        await Passing("it answers", () => answers > 0);
        host.Faults.GuestAgentsSilent = true;
        await Passing("it is silent", () => silences.Count > 0);
        Assert.True(time.GetUtcNow() - silences[0] >= GuestWatch.SilentAfter);

        host.Faults.GuestAgentsSilent = false;
        var before = answers;
        await Passing("it answers again", () => answers > before);

        // Watched anew, after a pause or by an agent that was restarted: it is known to have answered.
        host.Faults.GuestAgentsSilent = true;
        watch.Unfollow(machine.Vm);
        silences.Clear();
        var anew = time.GetUtcNow();
        watch.Follow(machine.Vm, "start 1", true, stop.Token);
        await Passing("it is silent again", () => silences.Count > 0);
        Assert.True(silences[0] >= anew && time.GetUtcNow() - silences[0] >= GuestWatch.SilentAfter);
        await stop.CancelAsync();

        // Time goes on until it has come about.
        Task Passing(string what, Func<bool> until) => Eventually.True(() =>
        {
            if (until()) return true;
            time.Advance(TimeSpan.FromSeconds(5));
            return false;
        }, what);
    }
}
