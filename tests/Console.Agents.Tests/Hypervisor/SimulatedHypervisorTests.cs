using Plinth.Agents.Machines;
using Plinth.Agents.Simulation;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>The contract, held by the simulated host.</summary>
public sealed class SimulatedHypervisorTests : HypervisorContract
{
    protected override Task<HypervisorBench> Open() => Task.FromResult<HypervisorBench>(new SimulatedBench());

    private sealed class SimulatedBench : HypervisorBench
    {
        private readonly SimulatedHypervisor _host = new(
            SimulatedProfile.Server(1, SimulatedTimings.Plausible with { Boot = TimeSpan.FromMilliseconds(300), Shutdown = TimeSpan.FromMilliseconds(100) }),
            TimeProvider.System);

        public override IHypervisor Hypervisor => _host;

        public override ImageReference Image { get; } = new(new ImageId(Guid.CreateVersion7()), "sha256:" + new string('a', 64), 20_000_000, "qcow2");

        public override Task ProvideImage() => Task.CompletedTask;

        public override Task Strand(DesiredMachine machine)
        {
            _host.Strand(machine.Vm);
            return Task.CompletedTask;
        }

        public override Task RunOutOfSpace(DesiredMachine machine)
        {
            _host.RunOutOfSpace(machine.Vm);
            return Task.CompletedTask;
        }

        public override Task MakeRoom(DesiredMachine machine)
        {
            _host.MakeRoom(machine.Vm);
            return Task.CompletedTask;
        }

        public override Task WriteOn(DesiredMachine machine, string word)
        {
            _host.WriteOn(machine.Vm, word);
            return Task.CompletedTask;
        }

        public override Task ReadsFrom(DesiredMachine machine, string word)
        {
            Xunit.Assert.Equal(word, _host.ReadFrom(machine.Vm));
            return Task.CompletedTask;
        }

        public override Task FlushRules()
        {
            _host.FlushRules();
            return Task.CompletedTask;
        }

        public override Task<bool> Pins(string mac) => Task.FromResult(_host.Pinned.Contains(mac));

        public override Task<IReadOnlyList<string>> FillPorts(DesiredMachine machine)
        {
            _host.Faults.NoFreePorts = true;
            return Task.FromResult<IReadOnlyList<string>>([]);
        }

        public override Task LimitByHand(DesiredMachine machine, string serial, IoLimits limits)
        {
            _host.LimitByHand(machine.Vm, serial, limits);
            return Task.CompletedTask;
        }

        public override Task<(IoLimits, IoLimits)> LimitsOf(DesiredMachine machine, string serial) =>
            Task.FromResult((_host.LimitsOf(machine.Vm, serial), _host.LimitsOf(machine.Vm, serial)));

        public override Task KillService()
        {
            _host.Faults.Lost = true;
            return Task.CompletedTask;
        }

        public override Task StartService()
        {
            _host.Faults.Lost = false;
            _host.Reconnected();
            return Task.CompletedTask;
        }

        public override Task PlantForeignDomain(string name)
        {
            _host.PlantForeignDomain(name);
            return Task.CompletedTask;
        }

        public override Task PlantHalfMadeDisk(VmId vm, string serial)
        {
            _host.PlantHalfMadeDisk(vm, serial);
            return Task.CompletedTask;
        }

        public override Task PlantHalfMadeVolume(VolumeId volume)
        {
            _host.PlantHalfMadeVolume(volume);
            return Task.CompletedTask;
        }

        public override ValueTask DisposeAsync() => _host.DisposeAsync();
    }
}
