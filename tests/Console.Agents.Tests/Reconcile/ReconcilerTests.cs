using Plinth.Agents.Simulation;
using Plinth.Core.Machines;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Reconcile;

public sealed class ReconcilerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-reconcile").FullName;
    private readonly SimulatedHypervisor _simulated = new(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
    private readonly DesiredBuilder _desired = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private TestAgent Agent(CountingHypervisor? counting = null, Guid boot = default) => new(_directory, counting ?? (Plinth.Agents.Machines.IHypervisor)_simulated, TimeProvider.System, boot);

    [Fact]
    public async Task A_wanted_VM_is_made_defined_started_and_its_guest_agent_awaited()
    {
        var counting = new CountingHypervisor(_simulated);
        await using var agent = Agent(counting);
        var machine = DesiredBuilder.Machine(1);
        agent.Accept(_desired.Put(machine));
        var seen = await agent.Until(machine.Vm, m => m.GuestAgentAt is not null && m.Addresses.Count > 0);
        Assert.Equal(DomainState.Running, seen.Domain);
        Assert.Equal(1, seen.StartedForPowerGeneration);
        Assert.NotNull(seen.DiskReadyAt);
        Assert.NotNull(seen.DefinedAt);
        Assert.NotEmpty(seen.Addresses);
        Assert.Equal(_desired.Generation, seen.Generation.Value);
        Assert.Null(seen.Problem);
        Assert.Equal(["EnsureDisk", "EnsureSeed", "Define", "Start"], counting.Acts);
    }

    [Fact]
    public async Task Stop_asks_the_guest_then_it_is_off_and_start_starts_it_again()
    {
        await using var agent = Agent();
        var vm = DesiredBuilder.Machine(1).Vm;
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        await agent.Until(vm, m => m.Domain == DomainState.Running);
        agent.Accept(_desired.Power(vm, DesiredPower.Stopped));
        var off = await agent.Until(vm, m => m.Domain == DomainState.Off && m.StartedForPowerGeneration == 2);
        Assert.Equal(OffReason.GuestShutdown, off.Off);
        Assert.NotNull(off.ShutdownAskedAt);
        agent.Accept(_desired.Power(vm, DesiredPower.Running));
        var again = await agent.Until(vm, m => m.Domain == DomainState.Running && m.StartedForPowerGeneration == 3);
        Assert.Null(again.ShutdownAskedAt);
    }

    [Fact]
    public async Task A_guest_that_ignores_the_request_is_switched_off_at_the_deadline()
    {
        _simulated.Faults.GuestsIgnoreShutdown = true;
        await using var agent = Agent();
        var vm = DesiredBuilder.Machine(1).Vm;
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        await agent.Until(vm, m => m.Domain == DomainState.Running);
        agent.Accept(_desired.Power(vm, DesiredPower.Stopped, stopDeadlineSeconds: 1));
        var off = await agent.Until(vm, m => m.Domain == DomainState.Off && m.StartedForPowerGeneration == 2);
        Assert.Equal(OffReason.SwitchedOff, off.Off);
    }

    [Fact]
    public async Task A_guest_that_went_off_by_itself_is_not_started_again_for_the_same_wish()
    {
        var counting = new CountingHypervisor(_simulated);
        await using (var agent = Agent(counting))
        {
            var vm = DesiredBuilder.Machine(1).Vm;
            agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
            await agent.Until(vm, m => m.Domain == DomainState.Running);
            _simulated.Crash(vm);
            var off = await agent.Until(vm, m => m.Domain == DomainState.Off);
            Assert.Equal(OffReason.Crashed, off.Off);
            await agent.Round();
        }
        await using (var agent = Agent(counting))
        {
            await agent.Until(DesiredBuilder.Machine(1).Vm, m => m is { Domain: DomainState.Off, Off: OffReason.Crashed });
            await agent.Round();
        }
        Assert.Single(counting.Acts, a => a == "Start");
    }

    [Fact]
    public async Task After_a_restart_of_the_host_what_ran_starts_again_and_what_was_off_stays_off()
    {
        var (runs, ended) = (DesiredBuilder.Machine(1), DesiredBuilder.Machine(2));
        await using (var agent = Agent(boot: Guid.Parse("00000000-0000-0000-0000-000000000001")))
        {
            agent.Accept(_desired.Put(runs));
            agent.Accept(_desired.Put(ended));
            await agent.Until(runs.Vm, m => m.Domain == DomainState.Running);
            await agent.Until(ended.Vm, m => m.Domain == DomainState.Running);
            _simulated.Crash(ended.Vm);
            await agent.Until(ended.Vm, m => m.Domain == DomainState.Off);
        }
        _simulated.Crash(runs.Vm);
        await using (var agent = Agent(boot: Guid.Parse("00000000-0000-0000-0000-000000000002")))
        {
            await agent.Until(runs.Vm, m => m.Domain == DomainState.Running);
            await agent.Until(ended.Vm, m => m.Domain == DomainState.Off);
        }
    }

    [Fact]
    public async Task A_restarted_agent_adopts_what_runs_even_without_its_memory()
    {
        var machine = DesiredBuilder.Machine(1);
        var wanted = _desired.Put(machine);
        await using (var agent = Agent())
        {
            agent.Accept(wanted);
            await agent.Until(machine.Vm, m => m.Domain == DomainState.Running);
        }
        File.Delete(Path.Combine(_directory, "journal"));
        var counting = new CountingHypervisor(_simulated);
        await using (var agent = Agent(counting))
        {
            agent.Accept(wanted);
            var seen = await agent.Until(machine.Vm, m => m.StartedForPowerGeneration == 1);
            Assert.Equal(DomainState.Running, seen.Domain);
            Assert.NotNull(seen.DiskReadyAt);
        }
        // Without its memory it cannot know how the machine is defined, and makes sure.
        Assert.All(counting.Acts, act => Assert.Equal("Adjust", act));
    }

    [Fact]
    public async Task A_tombstone_removes_everything_and_is_reported_as_gone()
    {
        await using var agent = Agent();
        var vm = DesiredBuilder.Machine(1).Vm;
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        await agent.Until(vm, m => m.Domain == DomainState.Running);
        agent.Accept(_desired.Delete(vm));
        var gone = await agent.Until(vm, m => m.Gone);
        Assert.Equal(DomainState.Absent, gone.Domain);
        Assert.Empty(await _simulated.Domains(default));
        Assert.Empty(await _simulated.DiskOwners(default));
        Assert.Empty(agent.Ledger.State.Machines);
    }

    [Fact]
    public async Task Absence_destroys_nothing()
    {
        await using var agent = Agent();
        var vm = DesiredBuilder.Machine(1).Vm;
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        await agent.Until(vm, m => m.Domain == DomainState.Running);
        agent.Accept(_desired.Forget(vm));
        var seen = await agent.Until(vm, m => m.Generation.Value == _desired.Generation);
        Assert.Equal(DomainState.Running, seen.Domain);
    }

    [Fact]
    public async Task Nothing_is_destroyed_while_the_picture_is_incomplete()
    {
        var counting = new CountingHypervisor(_simulated);
        await using var agent = Agent(counting);
        var vm = DesiredBuilder.Machine(1).Vm;
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        await agent.Until(vm, m => m.Domain == DomainState.Running);
        _simulated.Faults.Fail(SimulatedStep.DiskOwners);
        var before = counting.Acts.Count;
        agent.Accept(_desired.Delete(vm));
        await Eventually.True(() => agent.Reconciler.Observe().Facilities.Any(f => f is { Kind: "hypervisor", Ready: false }));
        Assert.Equal(before, counting.Acts.Count);
        _simulated.Faults.Clear();
        await agent.Until(vm, m => m.Gone);
    }

    [Fact]
    public async Task A_failing_VM_is_reported_tried_again_and_holds_up_nobody()
    {
        _simulated.Faults.Fail(SimulatedStep.Start, "start_failed", "No room.", times: 1);
        await using var agent = Agent();
        var (first, second) = (DesiredBuilder.Machine(1), DesiredBuilder.Machine(2));
        agent.Accept(_desired.Put(first));
        var failed = await agent.Until(first.Vm, m => m.Problem is not null);
        Assert.Equal(new MachineProblem("start_failed", "No room.", StepKind.Started, false), failed.Problem);
        agent.Accept(_desired.Put(second));
        await agent.Until(second.Vm, m => m.Domain == DomainState.Running);
        var healed = await agent.Until(first.Vm, m => m.Domain == DomainState.Running);
        Assert.Null(healed.Problem);
    }

    [Fact]
    public async Task A_final_failure_is_not_tried_again_until_something_else_is_wanted()
    {
        _simulated.Faults.Fail(SimulatedStep.Define, "define_failed", "Impossible.", final: true, times: 1);
        var counting = new CountingHypervisor(_simulated);
        await using var agent = Agent(counting);
        var machine = DesiredBuilder.Machine(1);
        agent.Accept(_desired.Put(machine));
        await agent.Until(machine.Vm, m => m.Problem is { Final: true });
        await agent.Round();
        Assert.Single(counting.Acts, a => a == "Define");
        agent.Accept(_desired.Power(machine.Vm, DesiredPower.Running));
        await agent.Until(machine.Vm, m => m.Domain == DomainState.Running && m.Problem is null);
    }

    [Fact]
    public async Task A_lost_disk_is_not_silently_made_anew()
    {
        var machine = DesiredBuilder.Machine(1);
        await using var agent = Agent();
        agent.Accept(_desired.Put(machine));
        await agent.Until(machine.Vm, m => m.Domain == DomainState.Running);
        await _simulated.SwitchOff(machine.Vm, default);
        await _simulated.RemoveDisks(machine.Vm, default);
        agent.Accept(_desired.Power(machine.Vm, DesiredPower.Running));
        var seen = await agent.Until(machine.Vm, m => m.Problem is { Final: true });
        Assert.Equal("disk_lost", seen.Problem!.Code);
        agent.Accept(_desired.Delete(machine.Vm));
        await agent.Until(machine.Vm, m => m.Gone);
    }

    [Fact]
    public async Task A_rebuild_makes_the_new_disk_first_then_asks_the_guest_and_starts_it_again()
    {
        var counting = new CountingHypervisor(_simulated);
        await using var agent = Agent(counting);
        var vm = DesiredBuilder.Machine(1).Vm;
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        await agent.Until(vm, m => m.Domain == DomainState.Running);
        var before = counting.Acts.Count;
        agent.Accept(_desired.Rebuild(vm));
        await agent.Until(vm, m => m is { Domain: DomainState.Running, StartedForPowerGeneration: 2, Disk: 2 });
        Assert.Equal(["EnsureDisk", "EnsureSeed", "Shutdown", "TakeDisks", "RemoveFormerDisks", "Start"], counting.Acts.Skip(before));
    }

    [Fact]
    public async Task A_rebuild_that_cannot_be_leaves_the_machine_running_and_one_taken_back_leaves_nothing()
    {
        var machine = DesiredBuilder.Machine(1);
        var wanted = _desired.Put(machine);
        await using var agent = Agent();
        agent.Accept(wanted);
        await agent.Until(machine.Vm, m => m.Domain == DomainState.Running);
        _simulated.WriteOn(machine.Vm, "former");
        _simulated.Faults.Fail(SimulatedStep.Seed, "seed_failed", "The seed could not be written.", final: true);
        agent.Accept(_desired.Rebuild(machine.Vm));
        var failed = await agent.Until(machine.Vm, m => m.Problem is { Final: true });
        Assert.Equal((DomainState.Running, 0L, 0L), (failed.Domain, failed.Disk, failed.DiskMade));
        Assert.Contains(machine.Vm, await _simulated.FormerDiskOwners(default));

        agent.Accept(_desired.Put(machine with { PowerGeneration = 2 }));
        await agent.Until(machine.Vm, m => m is { Domain: DomainState.Running, StartedForPowerGeneration: 2, Problem: null });
        await Eventually.True(() => _simulated.FormerDiskOwners(default).Result.Count == 0);
        Assert.Equal("former", _simulated.ReadFrom(machine.Vm));
        Assert.Single(await _simulated.DiskOwners(default));
    }

    [Fact]
    public async Task An_agent_without_memory_rebuilds_nothing_twice()
    {
        var machine = DesiredBuilder.Machine(1);
        _desired.Put(machine);
        var wanted = _desired.Rebuild(machine.Vm);
        await using (var agent = Agent())
        {
            agent.Accept(wanted);
            await agent.Until(machine.Vm, m => m is { Domain: DomainState.Running, Disk: 2 });
        }
        _simulated.WriteOn(machine.Vm, "precious");
        File.Delete(Path.Combine(_directory, "journal"));
        var counting = new CountingHypervisor(_simulated);
        await using (var agent = Agent(counting))
        {
            agent.Accept(wanted);
            await agent.Until(machine.Vm, m => m is { Domain: DomainState.Running, StartedForPowerGeneration: 2, Disk: 2 });
            await agent.Round();
        }
        Assert.All(counting.Acts, act => Assert.Equal("Adjust", act));
        Assert.Equal("precious", _simulated.ReadFrom(machine.Vm));
    }

    [Fact]
    public async Task A_copy_waits_for_its_source_to_be_off_and_is_left_at_once_where_it_is_wanted_no_more()
    {
        var source = DesiredBuilder.Machine(1);
        var clone = DesiredBuilder.Clone(2, source);
        await using var agent = Agent();
        agent.Accept(_desired.Put(source));
        await agent.Until(source.Vm, m => m.Domain == DomainState.Running);
        agent.Accept(_desired.Put(clone));
        var waits = await agent.Until(clone.Vm, m => m.Problem is not null);
        Assert.Equal(("source_running", StepKind.Disk, false), (waits.Problem!.Code, waits.Problem.Step, waits.Problem.Final));

        _simulated.Faults.Slow(SimulatedStep.Copy, TimeSpan.FromHours(1));
        agent.Accept(_desired.Power(source.Vm, DesiredPower.Stopped, stopDeadlineSeconds: 0));
        var copying = await agent.Until(clone.Vm, m => m.Progress is { Total: 100 } && m.Problem is null);
        Assert.Equal($"copying the disk of {source.Name}", copying.Progress!.Sentence);
        agent.Accept(_desired.Delete(clone.Vm));
        await agent.Until(clone.Vm, m => m.Gone);
        Assert.Equal([source.Vm], await _simulated.DiskOwners(default));
    }

    [Fact]
    public async Task A_source_that_is_gone_fails_its_clone_for_good()
    {
        var clone = DesiredBuilder.Clone(2, DesiredBuilder.Machine(1));
        await using var agent = Agent();
        agent.Accept(_desired.Put(clone));
        var failed = await agent.Until(clone.Vm, m => m.Problem is { Final: true });
        Assert.Equal("source_gone", failed.Problem!.Code);
    }

    [Fact]
    public async Task A_silent_hypervisor_is_told_as_a_facility_and_healed_by_itself()
    {
        _simulated.Faults.Lost = true;
        await using var agent = Agent();
        var machine = DesiredBuilder.Machine(1);
        agent.Accept(_desired.Put(machine));
        await Eventually.True(() => agent.Reconciler.Observe().Facilities.Any(f => f is { Kind: "hypervisor", Ready: false }));
        _simulated.Faults.Lost = false;
        await agent.Until(machine.Vm, m => m.Domain == DomainState.Running);
        Assert.DoesNotContain(agent.Reconciler.Observe().Facilities, f => f.Kind == "hypervisor");
    }

    [Fact]
    public async Task Strangers_are_listed_and_left_alone()
    {
        _simulated.PlantForeignDomain("legacy");
        await using var agent = Agent();
        await Eventually.True(() => agent.Reconciler.Observe().UnknownDomains.Contains("legacy"));
    }
}
