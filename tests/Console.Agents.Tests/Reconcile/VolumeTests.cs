using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Simulation;
using Plinth.Agents.Storage;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Reconcile;

public sealed class VolumeTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly VmId Vm = DesiredBuilder.Machine(1).Vm;
    private static readonly DesiredVolume Volume = DesiredBuilder.Volume(1);

    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-volumes").FullName;
    private readonly SimulatedHypervisor _simulated = new(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
    private readonly DesiredBuilder _desired = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_volume_waits_for_its_machine_and_is_attached_once_that_is_there()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(_desired.Put(Volume with { Vm = Vm }));
        var made = await agent.Until(Volume.Volume, v => v.SizeBytes > 0);
        Assert.Null(made.Vm);
        await agent.Round();
        Assert.Null(agent.Observed(Volume.Volume)!.Problem);
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        await agent.Until(Volume.Volume, v => v.Vm == Vm && v.Plugged);
    }

    [Fact]
    public async Task A_guest_that_keeps_the_disk_is_asked_and_a_new_wish_ends_the_asking()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(_desired.Put(DesiredBuilder.Machine(1)));
        agent.Accept(_desired.Put(Volume with { Vm = Vm }));
        await agent.Until(Volume.Volume, v => v.Plugged);
        _simulated.Faults.GuestsKeepDevices = true;
        agent.Accept(_desired.Put(Volume with { Vm = null }));
        var asked = await agent.Until(Volume.Volume, v => v.UnplugAskedAt is not null);
        Assert.True(asked.Plugged);
        agent.Accept(_desired.Put(Volume with { Vm = Vm }));
        await agent.Until(Volume.Volume, v => v.UnplugAskedAt is null && v.Plugged);
    }

    [Fact]
    public async Task A_volume_that_was_made_and_is_gone_is_told_and_not_made_anew()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(_desired.Put(Volume with { Made = true }));
        var lost = await agent.Until(Volume.Volume, v => v.Problem is not null);
        Assert.Equal(("volume_lost", true, 0L), (lost.Problem!.Code, lost.Problem.Final, lost.SizeBytes));
    }

    [Fact]
    public async Task A_failure_is_told_tried_again_and_forgotten()
    {
        _simulated.Faults.Fail(SimulatedStep.Volume, "disk_full", "The pool is full.", times: 1);
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(_desired.Put(Volume));
        await agent.Until(Volume.Volume, v => v.Problem is { Code: "disk_full", Final: false });
        await agent.Until(Volume.Volume, v => v is { Problem: null, SizeBytes: > 0 });
    }

    [Theory]
    [MemberData(nameof(Sights))]
    public void Next(string what, DesiredVolume? desired, VolumeInfo? info, DomainState machine, DateTimeOffset? askedAt, string action) =>
        Assert.Equal((what, action), (what, VolumePlan.Next(new VolumeSight(desired, info, machine, askedAt), Now).GetType().Name));

    public static TheoryData<string, DesiredVolume?, VolumeInfo?, DomainState, DateTimeOffset?, string> Sights()
    {
        var other = DesiredBuilder.Machine(2).Vm;
        var free = new VolumeInfo(Volume.Volume, 1L << 30, null, false, false);
        var plugged = free with { Vm = Vm, Configured = true, Plugged = true };
        return new TheoryData<string, DesiredVolume?, VolumeInfo?, DomainState, DateTimeOffset?, string>
        {
            { "new", Volume, null, DomainState.Absent, null, "Make" },
            { "half made", Volume, free with { SizeBytes = 0 }, DomainState.Absent, null, "Make" },
            { "lost", Volume with { Made = true }, null, DomainState.Absent, null, "Refuse" },
            { "as it should be", Volume, free, DomainState.Absent, null, "Rest" },
            { "too small", Volume with { SizeGib = 2 }, free, DomainState.Absent, null, "Grow" },
            { "larger than asked: never shrunk", Volume, free with { SizeBytes = 3L << 30 }, DomainState.Absent, null, "Rest" },
            { "its machine is not defined", Volume with { Vm = Vm }, free, DomainState.Absent, null, "Rest" },
            { "its machine is off", Volume with { Vm = Vm }, free, DomainState.Off, null, "Attach" },
            { "in the definition of a machine that is off", Volume with { Vm = Vm }, plugged with { Plugged = false }, DomainState.Off, null, "Rest" },
            { "in the definition, not in the running machine", Volume with { Vm = Vm }, plugged with { Plugged = false }, DomainState.Running, null, "Attach" },
            { "in the running machine, not in the definition", Volume with { Vm = Vm }, plugged with { Configured = false }, DomainState.Running, null, "Attach" },
            { "attached", Volume with { Vm = Vm }, plugged, DomainState.Running, null, "Rest" },
            { "attached to another", Volume with { Vm = other }, plugged, DomainState.Running, null, "Detach" },
            { "to be released", Volume, plugged, DomainState.Running, null, "Detach" },
            { "asked just now", Volume, plugged, DomainState.Running, Now.AddSeconds(-1), "Rest" },
            { "asked a while ago", Volume, plugged, DomainState.Running, Now.AddSeconds(-5), "Detach" },
            { "to go, attached", null, plugged, DomainState.Running, null, "Detach" },
            { "to go, free", null, free, DomainState.Absent, null, "Remove" },
            { "to go, half made", null, free with { SizeBytes = 0 }, DomainState.Absent, null, "Remove" },
            { "gone", null, null, DomainState.Absent, null, "Fulfilled" },
        };
    }
}
