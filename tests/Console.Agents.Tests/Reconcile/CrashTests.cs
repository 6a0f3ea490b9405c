using Plinth.Agents.Machines;
using Plinth.Agents.Simulation;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Reconcile;

/// <summary>
/// The agent dies before or after its n-th act on the host, for every n of a whole life, and a new one goes on with what is on
/// disk and on the host. Afterwards everything is as if nobody had died.
/// </summary>
public sealed class CrashTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-crash").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    public static TheoryData<bool> BeforeOrAfter => [true, false];

    [Theory]
    [MemberData(nameof(BeforeOrAfter))]
    public async Task Dying_at_every_step_of_create_stop_start_and_delete_leaves_one_VM_and_no_orphan(bool before)
    {
        var machine = DesiredBuilder.Machine(1);
        for (var n = 1; ; n++)
        {
            var directory = Path.Combine(_directory, $"{(before ? "before" : "after")}-{n}");
            await using var host = new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
            var acts = new CountingHypervisor(host);
            var desired = new DesiredBuilder();
            var stage = new Stage(directory, acts, n, before);

            await stage.Reach(desired.Put(machine), machine.Vm, m => m.Domain == DomainState.Running && m.StartedForPowerGeneration == 1);
            await stage.Reach(desired.Power(machine.Vm, DesiredPower.Stopped), machine.Vm, m => m.Domain == DomainState.Off && m.StartedForPowerGeneration == 2);
            await stage.Reach(desired.Power(machine.Vm, DesiredPower.Running), machine.Vm, m => m.Domain == DomainState.Running && m.StartedForPowerGeneration == 3);
            Assert.Single(await host.Domains(default));
            Assert.Single(await host.DiskOwners(default));
            await stage.Reach(desired.Delete(machine.Vm), machine.Vm, m => m.Gone);
            await stage.End();

            Assert.Empty(await host.Domains(default));
            Assert.Empty(await host.DiskOwners(default));
            // Each act is done once, or once more where the crash hid that it had been done; a guest is never started while it runs.
            Assert.All(acts.Acts.CountBy(a => a), a => Assert.InRange(a.Value, 1, (a.Key is "Start" ? 2 : 1) + 1));
            if (!stage.Died) return;
        }
    }

    [Theory]
    [MemberData(nameof(BeforeOrAfter))]
    public async Task Dying_at_every_step_of_a_rebuild_leaves_the_machine_on_its_new_disk_and_nothing_of_the_former(bool before)
    {
        var machine = DesiredBuilder.Machine(1);
        for (var n = 1; ; n++)
        {
            var directory = Path.Combine(_directory, $"rebuild-{(before ? "before" : "after")}-{n}");
            await using var host = new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
            var acts = new CountingHypervisor(host);
            var desired = new DesiredBuilder();
            var stage = new Stage(directory, acts, n, before);

            await stage.Reach(desired.Put(machine), machine.Vm, m => m.Domain == DomainState.Running);
            host.WriteOn(machine.Vm, "former");
            await stage.Reach(desired.Rebuild(machine.Vm), machine.Vm, m => m is { Domain: DomainState.Running, StartedForPowerGeneration: 2, Disk: 2, DiskMade: 2 });
            Assert.Equal("", host.ReadFrom(machine.Vm));
            Assert.Empty(await host.FormerDiskOwners(default));
            Assert.Single(await host.Domains(default));
            await stage.Reach(desired.Delete(machine.Vm), machine.Vm, m => m.Gone);
            await stage.End();

            Assert.Empty(await host.DiskOwners(default));
            Assert.All(acts.Acts.CountBy(a => a), a => Assert.InRange(a.Value, 1, (a.Key is "Start" or "EnsureDisk" or "EnsureSeed" ? 2 : 1) + 1));
            if (!stage.Died) return;
        }
    }

    [Theory]
    [MemberData(nameof(BeforeOrAfter))]
    public async Task Dying_at_every_step_of_a_clone_leaves_one_whole_copy_and_the_source_as_it_was(bool before)
    {
        var source = DesiredBuilder.Machine(1);
        var clone = DesiredBuilder.Clone(2, source);
        for (var n = 1; ; n++)
        {
            var directory = Path.Combine(_directory, $"clone-{(before ? "before" : "after")}-{n}");
            await using var host = new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
            var desired = new DesiredBuilder();
            await using (var agent = new TestAgent(directory, host, TimeProvider.System))
            {
                agent.Accept(desired.Put(source));
                await agent.Until(source.Vm, m => m.Domain == DomainState.Running);
                host.WriteOn(source.Vm, "original");
                agent.Accept(desired.Power(source.Vm, DesiredPower.Stopped, stopDeadlineSeconds: 0));
                await agent.Until(source.Vm, m => m is { Domain: DomainState.Off, StartedForPowerGeneration: 2 });
            }
            var stage = new Stage(directory, host, n, before);
            await stage.Reach(desired.Put(clone), clone.Vm, m => m is { Domain: DomainState.Running, StartedForPowerGeneration: 1 });
            Assert.Equal(("original", "original"), (host.ReadFrom(clone.Vm), host.ReadFrom(source.Vm)));
            Assert.Equal(2, (await host.DiskOwners(default)).Count);
            await stage.Reach(desired.Delete(clone.Vm), clone.Vm, m => m.Gone);
            await stage.End();
            Assert.Equal([source.Vm], await host.DiskOwners(default));
            if (!stage.Died) return;
        }
    }

    [Theory]
    [MemberData(nameof(BeforeOrAfter))]
    public async Task Dying_at_every_step_of_a_volume_s_life_leaves_one_volume_and_no_orphan(bool before)
    {
        var (machine, volume) = (DesiredBuilder.Machine(1), DesiredBuilder.Volume(1));
        for (var n = 1; ; n++)
        {
            var directory = Path.Combine(_directory, $"volume-{(before ? "before" : "after")}-{n}");
            await using var host = new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
            var acts = new CountingHypervisor(host);
            var desired = new DesiredBuilder();
            var stage = new Stage(directory, acts, n, before);

            await stage.Reach(desired.Put(machine), machine.Vm, m => m.Domain == DomainState.Running);
            await stage.Reach(desired.Put(volume), volume.Volume, v => v.SizeBytes == 1L << 30);
            volume = volume with { Made = true, Vm = machine.Vm };
            await stage.Reach(desired.Put(volume), volume.Volume, v => v.Vm == machine.Vm && v.Plugged);
            await stage.Reach(desired.Put(volume with { SizeGib = 2 }), volume.Volume, v => v.SizeBytes == 2L << 30);
            await stage.Reach(desired.Put(volume with { SizeGib = 2, Vm = null }), volume.Volume, v => v.Vm is null);
            Assert.Single(await host.Volumes(default));
            await stage.Reach(desired.Delete(volume.Volume), volume.Volume, v => v.Gone);
            await stage.End();

            Assert.Empty(await host.Volumes(default));
            Assert.Single(await host.Domains(default));
            if (!stage.Died) return;
            volume = DesiredBuilder.Volume(1);
        }
    }

    [Theory]
    [MemberData(nameof(BeforeOrAfter))]
    public async Task Dying_at_every_step_of_an_interface_s_life_leaves_the_machine_with_what_is_wished(bool before)
    {
        var (machine, nic) = (DesiredBuilder.Machine(1), DesiredBuilder.Nic(9));
        for (var n = 1; ; n++)
        {
            var directory = Path.Combine(_directory, $"interface-{(before ? "before" : "after")}-{n}");
            await using var host = new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
            var acts = new CountingHypervisor(host);
            var desired = new DesiredBuilder();
            var stage = new Stage(directory, acts, n, before);

            await stage.Reach(desired.Put(machine), machine.Vm, m => m.Domain == DomainState.Running);
            await stage.Reach(desired.Put(machine with { Nics = [.. machine.Nics, nic] }), machine.Vm, m => m.Interfaces!.Any(i => i.Mac == nic.Mac && i is { Configured: true, Plugged: true }));
            await stage.Reach(desired.Put(machine with { Nics = [.. machine.Nics, nic with { Leaving = true }] }), machine.Vm, m => m.Interfaces!.Any(i => i.Mac == nic.Mac && i.Gone));
            await stage.Reach(desired.Put(machine), machine.Vm, m => m.Interfaces!.Count == 1);
            await stage.End();

            Assert.Equal([new Agents.Network.InterfaceInfo(machine.Vm, machine.Nics[0].Mac, true, true)], await host.Interfaces(default));
            if (!stage.Died) return;
        }
    }

    [Fact]
    public async Task Every_act_done_twice_in_a_row_changes_nothing()
    {
        var machine = DesiredBuilder.Machine(1);
        await using var host = new SimulatedHypervisor(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
        var desired = new DesiredBuilder();
        await using var agent = new TestAgent(_directory, new TwiceHypervisor(host), TimeProvider.System);
        agent.Accept(desired.Put(machine));
        await agent.Until(machine.Vm, m => m.Domain == DomainState.Running && m.GuestAgentAt is not null);
        agent.Accept(desired.Power(machine.Vm, DesiredPower.Stopped, stopDeadlineSeconds: 0));
        await agent.Until(machine.Vm, m => m.Domain == DomainState.Off && m.StartedForPowerGeneration == 2);
        agent.Accept(desired.Delete(machine.Vm));
        var gone = await agent.Until(machine.Vm, m => m.Gone);
        Assert.Null(gone.Problem);
        Assert.Empty(await host.DiskOwners(default));
    }

    /// <summary>One agent after the other on the same data and host; the first dies at act number <paramref name="cutAt"/>.</summary>
    private sealed class Stage(string directory, IHypervisor host, int cutAt, bool before)
    {
        private TestAgent? _agent;
        private CutHypervisor? _cut;

        public bool Died { get; private set; }

        public Task Reach(DesiredHostState desired, VmId vm, Func<ObservedMachine, bool> holds) => Reach(desired, agent => agent.Until(vm, holds));

        public Task Reach(DesiredHostState desired, VolumeId volume, Func<ObservedVolume, bool> holds) => Reach(desired, agent => agent.Until(volume, holds));

        private async Task Reach(DesiredHostState desired, Func<TestAgent, Task> until)
        {
            _agent ??= Start();
            if (_agent.Ledger.State.Generation < desired.Generation) _agent.Accept(desired);
            if (!Died)
            {
                var reached = until(_agent);
                await Task.WhenAny(reached, _cut!.Cut);
                if (!_cut.Cut.IsCompleted)
                {
                    await reached;
                    return;
                }
                Died = true;
                // As after kill -9: nothing more is written by the dead one.
                _agent.Ledger.Dispose();
                _ = reached.ContinueWith(t => t.Exception, TaskScheduler.Default);
                _agent = new TestAgent(directory, host, TimeProvider.System);
                // A console sends its desired state again to whoever comes.
                if (_agent.Ledger.State.Generation < desired.Generation) _agent.Accept(desired);
            }
            await until(_agent);
        }

        public async Task End() => await _agent!.DisposeAsync();

        private TestAgent Start()
        {
            _cut = new CutHypervisor(host, cutAt, before);
            return new TestAgent(directory, _cut, TimeProvider.System);
        }
    }

    /// <summary>Never returns from its n-th act on a VM, nor from any call after: to the host, the agent is dead.</summary>
    private sealed class CutHypervisor(IHypervisor inner, int at, bool before) : DelegatingHypervisor(inner)
    {
        private readonly TaskCompletionSource _cut = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _acts;

        public Task Cut => _cut.Task;

        protected override async Task Around(string act, VmId? vm, Func<Task> call)
        {
            if (_cut.Task.IsCompleted) await Never();
            var mine = vm is not null && act != nameof(Guest) && Interlocked.Increment(ref _acts) == at;
            if (mine && before) await Die();
            await call();
            if (mine) await Die();
        }

        private Task Die()
        {
            _cut.TrySetResult();
            return Never();
        }

        private static Task Never() => new TaskCompletionSource().Task;
    }

    private sealed class TwiceHypervisor(IHypervisor inner) : DelegatingHypervisor(inner)
    {
        protected override async Task Around(string act, VmId? vm, Func<Task> call)
        {
            await call();
            if (vm is not null) await call();
        }
    }
}
