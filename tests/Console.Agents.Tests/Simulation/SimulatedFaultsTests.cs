using Microsoft.Extensions.Time.Testing;
using Plinth.Agents.Machines;
using Plinth.Agents.Simulation;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Simulation;

/// <summary>Faults on demand, on a simulated clock.</summary>
public sealed class SimulatedFaultsTests
{
    private static readonly CancellationToken Stop = CancellationToken.None;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_step_that_fails_twice_succeeds_the_third_time_and_leaves_a_half_made_disk_meanwhile()
    {
        await using var host = Host(new SimulatedFaults().Fail(SimulatedStep.Disk, "disk_full", times: 2));
        var vm = VmId.New(_time.GetUtcNow());
        await host.EnsurePool(Pool, Stop);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("disk_full", (await Assert.ThrowsAsync<HypervisorException>(() => host.EnsureDisk(vm, Disk, Stop))).Code);
            Assert.Contains(vm, await host.DiskOwners(Stop));
        }
        await host.EnsureDisk(vm, Disk, Stop);
    }

    [Fact]
    public async Task A_slow_step_takes_its_time_and_can_be_cancelled()
    {
        await using var host = Host(new SimulatedFaults().Slow(SimulatedStep.Pool, TimeSpan.FromSeconds(20)));
        var slow = host.EnsurePool(Pool, Stop);
        _time.Advance(TimeSpan.FromSeconds(19));
        Assert.False(slow.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True((await slow).Ready);

        using var cancel = new CancellationTokenSource();
        var cancelled = host.EnsurePool(Pool, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    [Fact]
    public async Task A_lost_host_answers_nothing_and_its_guests_run_on()
    {
        await using var host = Host(new SimulatedFaults());
        host.Faults.Lost = true;
        Assert.Equal("unreachable", (await Assert.ThrowsAsync<HypervisorException>(() => host.Domains(Stop))).Code);
        host.Faults.Clear();
        Assert.Empty(await host.Domains(Stop));
    }

    [Fact]
    public async Task What_exists_survives_a_restart_of_the_process()
    {
        var path = Path.GetTempFileName();
        File.Delete(path);
        try
        {
            var vm = VmId.New(_time.GetUtcNow());
            await using (var host = Host(new SimulatedFaults(), path))
            {
                await host.EnsurePool(Pool, Stop);
                await host.EnsureDisk(vm, Disk, Stop);
            }
            await using var restarted = Host(new SimulatedFaults(), path);
            Assert.Equal([vm], await restarted.DiskOwners(Stop));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Faults_from_a_command_line()
    {
        var faults = SimulatedFaults.Parse("deaf, fail:start:1,slow:disk:2.5");
        Assert.True(faults.GuestsIgnoreShutdown);
        Assert.Equal(TimeSpan.FromSeconds(2.5), faults.Delay(SimulatedStep.Disk));
        Assert.Throws<HypervisorException>(() => faults.ThrowIfPlanted(SimulatedStep.Start));
        faults.ThrowIfPlanted(SimulatedStep.Start);
        foreach (var wrong in new[] { "broken", "fail:nothing", "fail:1", "slow:disk:soon" })
            Assert.Contains("'", Assert.Throws<FormatException>(() => SimulatedFaults.Parse(wrong)).Message);
    }

    private static readonly PoolConfig Pool = new(new StorageClassId(Guid.CreateVersion7()), "default", Plinth.Core.Inventory.PoolKind.Directory);
    private static readonly DesiredDisk Disk = new("root", "default", 1, null);

    private SimulatedHypervisor Host(SimulatedFaults faults, string? statePath = null) =>
        new(SimulatedProfile.Server(0, SimulatedTimings.Instant), _time, faults, statePath);
}
