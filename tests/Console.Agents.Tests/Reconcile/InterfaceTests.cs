using Plinth.Agents.Machines;
using Plinth.Agents.Network;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Simulation;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Reconcile;

public sealed class InterfaceTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DesiredMachine Machine = DesiredBuilder.Machine(1);
    private static readonly DesiredNic Nic = DesiredBuilder.Nic(9);

    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-interfaces").FullName;
    private readonly SimulatedHypervisor _simulated = new(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
    private readonly DesiredBuilder _desired = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static ObservedInterface? Its(ObservedMachine machine) => machine.Interfaces!.FirstOrDefault(i => i.Mac == Nic.Mac);

    private DesiredHostState With(params DesiredNic[] nics) => _desired.Put(Machine with { Nics = [.. Machine.Nics, .. nics] });

    [Fact]
    public async Task An_interface_comes_to_a_running_machine_is_told_of_with_its_address_and_goes_again()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(With());
        var running = await agent.Until(Machine.Vm, m => m.Interfaces!.Any(i => i.Plugged && i.Addresses.Count > 0));
        Assert.Equal(Machine.Nics[0].Mac, Assert.Single(running.Interfaces!).Mac);
        agent.Accept(With(Nic));
        var added = await agent.Until(Machine.Vm, m => Its(m) is { Configured: true, Plugged: true, Addresses.Count: > 0 });
        Assert.Equal((2, running.StartKey), (added.Addresses.Count, added.StartKey));
        agent.Accept(With(Nic with { Leaving = true }));
        var gone = await agent.Until(Machine.Vm, m => Its(m) is { Gone: true });
        Assert.Equal((false, false, true), (Its(gone)!.Configured, Its(gone)!.Plugged, Its(gone)!.Leaving));
        agent.Accept(With());
        await agent.Until(Machine.Vm, m => Its(m) is null && m.Addresses.Count == 1);
        Assert.Equal(running.StartKey, agent.Observed(Machine.Vm)!.StartKey);
    }

    [Fact]
    public async Task A_machine_is_defined_with_what_is_wished_and_what_goes_is_left_out()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(With(Nic with { Leaving = true }, DesiredBuilder.Nic(10)));
        await agent.Until(Machine.Vm, m => m.Domain == DomainState.Running && Its(m) is { Gone: true });
        Assert.Equal([Machine.Nics[0].Mac, DesiredBuilder.Nic(10).Mac], (await _simulated.Interfaces(default)).Select(i => i.Mac));
    }

    [Fact]
    public async Task A_guest_that_keeps_it_is_asked_and_a_new_wish_ends_the_asking()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(With(Nic));
        await agent.Until(Machine.Vm, m => Its(m) is { Plugged: true });
        _simulated.Faults.GuestsKeepDevices = true;
        agent.Accept(With(Nic with { Leaving = true }));
        var asked = await agent.Until(Machine.Vm, m => Its(m) is { UnplugAskedAt: not null, Plugged: true });
        Assert.True(Its(asked)!.Leaving);
        agent.Accept(With(Nic));
        await agent.Until(Machine.Vm, m => Its(m) is { UnplugAskedAt: null, Plugged: true, Leaving: false });
    }

    [Fact]
    public async Task Without_a_free_port_it_is_told_not_tried_again_and_there_at_the_next_start()
    {
        var acts = new CountingHypervisor(_simulated);
        await using var agent = new TestAgent(_directory, acts, TimeProvider.System);
        agent.Accept(With());
        await agent.Until(Machine.Vm, m => m.Domain == DomainState.Running);
        _simulated.Faults.NoFreePorts = true;
        agent.Accept(With(Nic));
        await agent.Until(Machine.Vm, m => Its(m) is { Configured: true, Plugged: false, Problem: { Code: "no_port", Final: true } });
        for (var i = 0; i < 3; i++) await agent.Round();
        Assert.Single(acts.Acts, a => a == nameof(IHypervisor.AddInterface));
        agent.Accept(_desired.Power(Machine.Vm, DesiredPower.Stopped, stopDeadlineSeconds: 0));
        await agent.Until(Machine.Vm, m => m.Domain == DomainState.Off && Its(m) is { Problem: null });
        agent.Accept(_desired.Power(Machine.Vm, DesiredPower.Running));
        await agent.Until(Machine.Vm, m => Its(m) is { Plugged: true, Problem: null });
    }

    [Fact]
    public async Task None_is_added_before_the_rules_hold_it()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(With());
        await agent.Until(Machine.Vm, m => m.Domain == DomainState.Running);
        _simulated.Faults.Fail(SimulatedStep.Rules, "rules_differ", "Another program changes them.");
        agent.Accept(With(Nic));
        await agent.Until(Machine.Vm, m => Its(m) is { Problem.Code: "rules_missing", Configured: false, Plugged: false });
        _simulated.Faults.Clear();
        await agent.Until(Machine.Vm, m => Its(m) is { Plugged: true, Problem: null });
    }

    [Fact]
    public async Task What_was_taken_away_by_hand_is_put_back()
    {
        await using var agent = new TestAgent(_directory, _simulated, TimeProvider.System);
        agent.Accept(With(Nic));
        await agent.Until(Machine.Vm, m => Its(m) is { Plugged: true });
        await _simulated.RemoveInterface(Machine.Vm, Nic.Mac, default);
        await agent.Round();
        await agent.Until(Machine.Vm, m => Its(m) is { Plugged: true });
        Assert.Equal(2, (await _simulated.Interfaces(default)).Count(i => i is { Configured: true, Plugged: true }));
    }

    [Theory]
    [InlineData("new, off", false, null, DomainState.Off, true, null, "Add")]
    [InlineData("new, running", false, null, DomainState.Running, true, null, "Add")]
    [InlineData("new, paused", false, null, DomainState.Paused, true, null, "Add")]
    [InlineData("its machine is not defined", false, null, DomainState.Absent, true, null, "Rest")]
    [InlineData("not held by rules", false, null, DomainState.Running, false, null, "AwaitRules")]
    [InlineData("there", false, "cp", DomainState.Running, false, null, "Rest")]
    [InlineData("in the definition of a machine that is off", false, "c", DomainState.Off, true, null, "Rest")]
    [InlineData("in the definition, not in the running machine", false, "c", DomainState.Running, true, null, "Add")]
    [InlineData("in the running machine, not in the definition", false, "p", DomainState.Running, true, null, "Add")]
    [InlineData("to go", true, "cp", DomainState.Running, true, null, "Remove")]
    [InlineData("to go, asked just now", true, "cp", DomainState.Running, true, 1, "Rest")]
    [InlineData("to go, asked a while ago", true, "cp", DomainState.Running, true, 5, "Remove")]
    [InlineData("to go, off", true, "c", DomainState.Off, true, 1, "Remove")]
    [InlineData("gone", true, null, DomainState.Running, true, null, "Fulfilled")]
    [InlineData("gone with its machine", true, null, DomainState.Absent, true, null, "Fulfilled")]
    public void Next(string what, bool leaving, string? has, DomainState machine, bool pinned, int? askedSecondsAgo, string action)
    {
        var info = has is null ? null : new InterfaceInfo(Machine.Vm, Nic.Mac, has.Contains('c'), has.Contains('p'));
        var sight = new InterfaceSight(Nic with { Leaving = leaving }, info, machine, pinned, askedSecondsAgo is { } s ? Now.AddSeconds(-s) : null);
        Assert.Equal((what, action), (what, InterfacePlan.Next(sight, Now).GetType().Name));
    }
}
