using CsCheck;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Operations;

public sealed class InterfaceProgressTests
{
    private const string Mac = "52:54:00:00:00:01";
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly MachineInterface Nic = new(Mac, "shop", "10.20.0.7", InterfaceState.Adding);
    private static readonly MachineRecord Vm = new(new VmId(Guid.Parse("01930000-0000-7000-8000-000000000001")), VmState.Running, "", DesiredPower.Running, 1, true, "kvm-1", 60);
    private static readonly ObservedInterface There = new(Mac, true, true, false, null, false, null, []);

    private static readonly Gen<ObservedInterface> Its =
        from flags in Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool)
        from asked in Gen.Bool
        from problem in Gen.Select(Gen.Bool, Gen.Bool).Select(p => new MachineProblem(p.Item1 ? InterfaceProgress.NoPort : "interface_failed", "It broke.", StepKind.Plugged, p.Item2)).Null(0.5)
        select new ObservedInterface(Mac, flags.Item1, flags.Item2, flags.Item3, asked ? Now : null, flags.Item3 && flags.Item4 && !flags.Item1 && !flags.Item2, problem, []);

    private static readonly Gen<ObservedMachine> Seen =
        from generation in Gen.Long[0, 3]
        from domain in Gen.Enum<DomainState>()
        from its in Its.Null(0.2)
        from tells in Gen.Int[0, 9]
        select Report(generation, its, domain) with { Interfaces = tells == 0 ? null : its is null ? [] : [its] };

    private static ObservedMachine Report(long generation, ObservedInterface? its, DomainState domain = DomainState.Running) =>
        new(Vm.Vm, new Generation(generation), domain, OffReason.None, 1, Now, Now, Now, Now, null, false, "k", [], null, null, Interfaces: its is null ? [] : [its]);

    private static MachineAct Ask(OperationKind kind, MachineInterface nic, OperationRecord? current = null) =>
        InterfaceActs.Ask(Vm with { Interface = current is null ? null : nic }, current, kind, nic, "ana", new Generation(2), Now).Value!;

    private static OperationRecord Advance(OperationRecord operation, MachineInterface nic, ObservedMachine? seen, DateTimeOffset now) =>
        MachineProgress.Advance(Vm with { Interface = nic }, operation, seen, null, now).Operation!;

    [Fact]
    public void An_interface_is_added_when_a_report_of_that_generation_shows_it()
    {
        var add = Ask(OperationKind.AddInterface, Nic).Operation;
        Assert.Equal("Waiting for kvm-1 to take it up.", Advance(add, Nic, Report(1, There), Now).Steps[1].Detail);
        Assert.Equal("Waiting for the machine to take it.", Advance(add, Nic, Report(2, null), Now).Steps[1].Detail);
        Assert.Equal("The agent of kvm-1 does not tell of interfaces yet; update it.", Advance(add, Nic, Report(2, null) with { Interfaces = null }, Now).Steps[1].Detail);
        var done = Advance(add, Nic, Report(2, There), Now);
        Assert.Equal((OperationState.Succeeded, $"The guest has it, with the MAC address {Mac}; DHCP gives it 10.20.0.7."), (done.State, done.Steps[1].Detail));
        Assert.Equal(InterfaceState.Present, InterfaceProgress.Next(Nic, done, Report(2, There), new Generation(2)));
    }

    [Fact]
    public void Without_a_free_port_it_comes_at_the_next_start_and_that_is_said()
    {
        var add = Ask(OperationKind.AddInterface, Nic).Operation;
        var full = Report(2, There with { Plugged = false, Problem = new MachineProblem(InterfaceProgress.NoPort, "No port.", StepKind.Plugged, true) });
        var done = Advance(add, Nic, full, Now);
        Assert.Equal(OperationState.Succeeded, done.State);
        Assert.Contains("from its next start on. Stop the VM and start it", done.Steps[1].Detail);
        Assert.Equal(done.Steps[1].Detail, InterfaceProgress.Note(Nic, full));
        Assert.Equal("", InterfaceProgress.Note(Nic, Report(2, There)));
        Assert.Equal("The machine is off; it has the interface from its next start on.", Advance(add, Nic, Report(2, There with { Plugged = false }, DomainState.Off), Now).Steps[1].Detail);
    }

    [Fact]
    public void What_can_not_be_added_fails_at_once_and_is_taken_back()
    {
        var add = Ask(OperationKind.AddInterface, Nic).Operation;
        var broken = Report(2, There with { Configured = false, Plugged = false, Problem = new MachineProblem("interface_failed", "The bridge is gone.", StepKind.Plugged, true) });
        var failed = Advance(add, Nic, broken, Now);
        Assert.Equal((OperationState.Failed, "The bridge is gone."), (failed.State, failed.Reason));
        Assert.Equal(InterfaceState.Removing, InterfaceProgress.Next(Nic, failed, broken, new Generation(2)));
        // The machine goes on as it was.
        Assert.Equal(VmState.Running, MachineProgress.Advance(Vm with { Interface = Nic }, add, broken, null, Now).State);
    }

    [Fact]
    public void A_guest_that_keeps_it_keeps_it_and_the_wish_is_taken_back()
    {
        var leaving = Nic with { State = InterfaceState.Removing };
        var remove = Ask(OperationKind.RemoveInterface, leaving).Operation;
        var asked = Advance(remove, leaving, Report(2, There with { Leaving = true, UnplugAskedAt = Now }), Now);
        Assert.Equal("Waiting for the guest to release it.", asked.Steps[2].Detail);
        var failed = Advance(asked, leaving, Report(2, There with { Leaving = true, UnplugAskedAt = Now }), Now.AddSeconds(61));
        Assert.Equal(OperationState.Failed, failed.State);
        Assert.Contains("was not reached within 1 min", failed.Reason);
        Assert.Contains("stop the VM and remove it then", failed.Reason);
        Assert.Equal(InterfaceState.Present, InterfaceProgress.Next(leaving, failed, Report(2, There with { Leaving = true }), new Generation(2)));

        var gone = Report(2, new ObservedInterface(Mac, false, false, true, Now, true, null, []));
        Assert.Equal(OperationState.Succeeded, Advance(asked, leaving, gone, Now).State);
        Assert.Null(InterfaceProgress.Next(leaving, null, gone, new Generation(2)));
    }

    [Fact]
    public void One_thing_at_a_time_but_a_removal_ends_the_adding_before_it()
    {
        var add = Ask(OperationKind.AddInterface, Nic).Operation;
        var remove = Ask(OperationKind.RemoveInterface, Nic, add);
        Assert.Equal((OperationState.Cancelled, OperationKind.RemoveInterface), (remove.Superseded!.State, remove.Operation.Kind));
        var other = InterfaceActs.Ask(Vm with { Interface = Nic }, add, OperationKind.RemoveInterface, Nic with { Mac = "52:54:00:00:00:02" }, "ana", new Generation(2), Now);
        Assert.Equal("operation_under_way", other.Refusals.Single().Code);
    }

    [Theory]
    [InlineData(OperationKind.AddInterface, VmState.Paused, null)]
    [InlineData(OperationKind.RemoveInterface, VmState.Paused, "vm_paused")]
    [InlineData(OperationKind.RemoveInterface, VmState.Stopped, null)]
    [InlineData(OperationKind.AddInterface, VmState.Waiting, "vm_not_settled")]
    [InlineData(OperationKind.AddInterface, VmState.Restorable, "vm_not_settled")]
    [InlineData(OperationKind.RemoveInterface, VmState.Lost, "vm_not_settled")]
    public void An_act_that_makes_no_sense_says_why(OperationKind kind, VmState state, string? code) => Assert.Equal(code, InterfaceActs.WhyNot(kind, state)?.Code);

    [Fact]
    public void Eight_are_the_most_and_one_to_a_network()
    {
        var eight = Enumerable.Range(0, InterfaceActs.MaxPerVm).Select(i => Nic with { Network = $"net-{i}" }).ToArray();
        Assert.Contains("has 8 interfaces", InterfaceActs.WhyNotAdd(VmState.Running, eight, "shop")!.Message);
        Assert.Null(InterfaceActs.WhyNotAdd(VmState.Running, eight[1..], "shop"));
        Assert.Equal("network", InterfaceActs.WhyNotAdd(VmState.Running, [Nic], "shop")!.Field);
        Assert.Contains("wait until it is gone", InterfaceActs.WhyNotAdd(VmState.Running, [Nic with { State = InterfaceState.Removing }], "shop")!.Message);
    }

    [Fact]
    public void A_snapshot_with_memory_waits_for_the_interfaces_that_it_had()
    {
        var snapshot = new VmSnapshot(default, "before", true, 1, 128, SnapshotState.Available, "", Now, "ana", Interfaces: [Mac]);
        var size = new MachineSize(1, 128);
        Assert.Null(SnapshotActs.WhyNotRevert(snapshot, VmState.Stopped, size, 0, [Mac]));
        Assert.Null(SnapshotActs.WhyNotRevert(snapshot with { Interfaces = null }, VmState.Stopped, size, 0, []));
        Assert.Null(SnapshotActs.WhyNotRevert(snapshot with { WithMemory = false }, VmState.Stopped, size, 0, []));
        var less = SnapshotActs.WhyNotRevert(snapshot, VmState.Stopped, size, 0, [])!;
        Assert.Equal(("other_interfaces", $"The memory in before is that of a machine with other interfaces ({Mac}; the VM has none). Add {Mac} again first."), (less.Code, less.Message));
        Assert.Contains("Remove 52:54:00:00:00:02 first.", SnapshotActs.WhyNotRevert(snapshot, VmState.Stopped, size, 0, [Mac, "52:54:00:00:00:02"])!.Message);
    }

    /// <summary>Whatever is reported: an address is free only once the interface was to go and is gone, and nothing is read from before the wish.</summary>
    [Fact]
    public void An_address_is_free_only_once_its_interface_is_gone() => Gen.Select(Gen.Enum<InterfaceState>(), Seen.Array[1, 8], Gen.Long[0, 3]).Sample((state, reports, since) =>
    {
        var nic = Nic with { State = state };
        foreach (var seen in reports)
        {
            var next = InterfaceProgress.Next(nic, null, seen, new Generation(since));
            if (seen.Generation < new Generation(since)) Assert.Equal(nic.State, next);
            if (next is null)
            {
                Assert.Equal(InterfaceState.Removing, nic.State);
                Assert.True(seen.Domain == DomainState.Absent || seen.Interfaces!.Single() is { Gone: true, Leaving: true, Plugged: false, Configured: false });
                return;
            }
            // The same report says nothing new, and what was there does not begin to go by itself.
            nic = nic with { State = next.Value };
            if (next == InterfaceState.Present) Assert.NotEqual(InterfaceState.Removing, state);
            Assert.Equal(next, InterfaceProgress.Next(nic, null, seen, new Generation(since)));
        }
    });

    [Fact]
    public void Whatever_is_reported_an_operation_ends_with_what_it_says() => Gen.Select(Gen.Bool, Seen.Array[1, 10]).Sample((adding, reports) =>
    {
        var nic = Nic with { State = adding ? InterfaceState.Adding : InterfaceState.Removing };
        var operation = Ask(adding ? OperationKind.AddInterface : OperationKind.RemoveInterface, nic).Operation;
        var now = Now;
        foreach (var seen in reports)
        {
            now = now.AddSeconds(30);
            var next = Advance(operation, nic, seen, now);
            if (operation.IsFinished) Assert.Same(operation, next);
            else if (next.State == OperationState.Succeeded)
            {
                Assert.True(seen.Generation >= operation.Generation);
                Assert.Equal(adding ? InterfaceState.Present : (InterfaceState?)null, InterfaceProgress.Next(nic, next, seen, operation.Generation));
            }
            else if (next.State == OperationState.Failed) Assert.Equal(adding ? InterfaceState.Removing : InterfaceState.Present, InterfaceProgress.Next(nic, next, seen, operation.Generation));
            operation = next;
        }
    });
}
