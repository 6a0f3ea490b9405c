using CsCheck;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Operations;

/// <summary>Whatever an agent reports, in whatever order: the derivation never throws, is repeatable, and never un-ends anything.</summary>
public sealed class ProgressProperties
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<DateTimeOffset?> Moment = Gen.Int[-100, 160].Select(s => s > 100 ? null : (DateTimeOffset?)Begin.AddSeconds(s));

    private static readonly Gen<ObservedMachine> Seen =
        from generation in Gen.Long[0, 3]
        from domain in Gen.Enum<DomainState>()
        from off in Gen.Enum<OffReason>()
        from started in Gen.Long[0, 3]
        from moments in Gen.Select(Moment, Moment, Moment, Moment, Moment)
        from gone in Gen.Bool
        from problem in Gen.Select(Gen.Enum<StepKind>(), Gen.Bool).Select(p => new MachineProblem("x", "It broke.", p.Item1, p.Item2)).Null(0.7)
        from progress in Gen.Select(Gen.Long[-5, 50], Gen.Long[0, 20]).Select(p => new Progress("fetching", p.Item1, p.Item2)).Null(0.5)
        from disk in Gen.Select(Gen.Long[0, 4], Gen.Long[0, 4])
        select new ObservedMachine(default, new Generation(generation), domain, off, started, moments.Item1, moments.Item2, moments.Item3, moments.Item4, moments.Item5, gone, "k", [], progress, problem, Disk: disk.Item1, DiskMade: disk.Item2);

    private static readonly Gen<MachineRecord> Vm =
        from state in Gen.Enum<VmState>()
        from power in Gen.Enum<DesiredPower>()
        from generation in Gen.Long[1, 3]
        from agent in Gen.Bool
        from placed in Gen.Bool
        from before in Gen.Enum<DesiredPower>()
        from left in Gen.Int[-60, 600]
        from disk in Gen.Bool
        select new MachineRecord(default, state, "", power, generation, agent, placed ? "kvm-1" : null, 60, Deletion: state == VmState.Restorable ? new MachineDeletion(Begin.AddSeconds(left), before) : null, HasDisk: disk);

    // Volumes have acts and a reader of their own.
    private static readonly Gen<OperationKind> Kind = Gen.OneOf(Enum.GetValues<OperationKind>().Where(kind => kind < OperationKind.CreateVolume).ToArray());

    private static readonly Gen<OperationRecord> Operation = Of(Kind);

    private static Gen<OperationRecord> Of(Gen<OperationKind> kinds) =>
        from kind in kinds
        from generation in Gen.Long[0, 3]
        from power in Gen.Long[0, 3]
        from cancelling in Gen.Bool
        select OperationProgress.Begin(kind, "ana", new Generation(generation), power, Begin) with { State = cancelling ? OperationState.Cancelling : OperationState.Pending };

    [Fact]
    public void Reading_a_report_twice_says_nothing_new() => Gen.Select(Vm, Operation, Seen.Null(0.1), Gen.Int[0, 900]).Sample((vm, operation, seen, after) =>
    {
        var now = Begin.AddSeconds(after);
        var once = MachineProgress.Advance(vm, operation, seen, null, now);
        var twice = MachineProgress.Advance(vm with { State = once.State, Reason = once.Reason }, once.Operation, seen, null, now);
        Assert.Equal(once.Operation!.State, twice.Operation!.State);
        Assert.Equal(once.Operation.Steps, twice.Operation.Steps);
        if (!once.Operation.IsFinished) Assert.Equal(once.State, twice.State);
    });

    [Fact]
    public void Steps_never_end_before_they_begin_and_an_ended_operation_stays() =>
        Gen.Select(Vm, Operation, Seen.Array[1, 8]).Sample((vm, operation, reports) =>
        {
            var now = Begin;
            foreach (var seen in reports)
            {
                now = now.AddSeconds(7);
                var next = MachineProgress.Advance(vm, operation, seen, null, now);
                if (operation.IsFinished) Assert.Same(operation, next.Operation);
                foreach (var step in next.Operation!.Steps)
                {
                    if (step.StartedAt is { } a && step.EndedAt is { } b) Assert.True(a <= b && b <= now);
                    Assert.InRange(step.Percent ?? 0, 0, 100);
                }
                if (next.Operation.IsFinished) Assert.DoesNotContain(next.Operation.Steps, s => s.State is StepState.Pending or StepState.Running);
                Assert.InRange(OperationProgress.Percent(next.Operation), 0, 100);
                (vm, operation) = (vm with { State = next.State }, next.Operation);
            }
        });

    [Fact]
    public void A_report_of_an_older_generation_ends_no_start_stop_or_delete() => Gen.Select(Vm, Operation, Seen).Sample((vm, operation, seen) =>
    {
        var asked = operation with { Generation = seen.Generation.Next() };
        if (asked.Kind is OperationKind.StartVm or OperationKind.StopVm or OperationKind.DeleteVm && asked.State == OperationState.Pending && vm.HostName is not null)
            Assert.False(MachineProgress.Advance(vm, asked, seen, null, Begin).Operation!.IsFinished);
    });

    [Fact]
    public void Every_act_on_every_state_is_answered() => Gen.Select(Vm, Operation.Null(0.3), Kind).Sample((vm, current, kind) =>
    {
        if (OperationSteps.Creates(kind)) return;
        var act = kind == OperationKind.SoftDeleteVm ? MachineActs.Delete(vm, current, false, TimeSpan.FromMinutes(10), "ana", new Generation(4), Begin) : MachineActs.Ask(vm, current, kind, 60, "ana", new Generation(4), Begin);
        if (!act.Succeeded) Assert.NotEmpty(act.Reason);
        else if (kind is OperationKind.StartVm or OperationKind.StopVm or OperationKind.DeleteVm) Assert.Equal(vm.PowerGeneration + 1, act.Value.Vm.PowerGeneration);
    });

    [Fact]
    public void A_rebuild_ends_on_the_disk_that_a_report_shows_and_nothing_is_taken_for_done_before() => Gen.Select(Gen.Bool, Seen.Array[1, 8]).Sample((wanted, reports) =>
    {
        var rebuild = new RebuildWish(3, ImageId.New(Begin), "web-1", "plinth", [], "", wanted);
        var spec = new VmSpec("web-1", "", new Dictionary<string, string>(), ImageId.New(Begin), null, new Resources(1, 512, 2), "default", [], "plinth", [], "", DiskGeneration: 2, Rebuild: rebuild);
        Assert.Equal(wanted ? rebuild.Image : spec.Image, RebuildActs.Wished(spec).Image);
        foreach (var seen in reports)
        {
            var answers = seen.Generation.Value >= 2;
            var next = RebuildActs.Settle(spec, seen, answers);
            Assert.Equal(spec.Rebuild is null || seen.Disk == 3 || (!wanted && answers), next.Rebuild is null);
            if (spec.Rebuild is not null) Assert.Equal(seen.Disk == 3 ? (3, rebuild.Image) : (2, spec.Image), (next.DiskGeneration, next.Image));
            else Assert.Same(spec, next);
            spec = next;
        }
    });

    [Fact]
    public void A_source_is_needed_until_its_copy_stands_and_no_longer() => Gen.Select(Vm, Of(Gen.OneOf(OperationKind.CreateVm, OperationKind.CloneVm)), Seen.Array[1, 6]).Sample((vm, begun, reports) =>
    {
        var operation = OperationProgress.Placed(begun with { State = OperationState.Pending }, "Placed on kvm-1.", new Generation(1), Begin);
        var now = Begin;
        foreach (var seen in reports)
        {
            now = now.AddSeconds(3);
            operation = MachineProgress.Advance(vm with { HostName = "kvm-1" }, operation, seen, null, now).Operation!;
            var copied = operation.Steps.First(s => s.Kind == StepKind.Disk).State == StepState.Done;
            Assert.Equal(operation.Kind == OperationKind.CloneVm && !operation.IsFinished && !copied, CloneActs.NeedsSource(operation));
        }
    });

    [Fact]
    public void Only_what_is_stopped_and_placed_is_copied() => Gen.Select(Gen.Enum<VmState>(), Gen.Bool).Sample((state, placed) =>
        Assert.Equal(state == VmState.Stopped && placed, CloneActs.WhyNot(state, placed ? "kvm-1" : null) is null));

    [Fact]
    public void A_rebuild_takes_nothing_from_a_machine_before_its_new_disk_stands() => Gen.Select(Vm, Seen).Sample((vm, seen) =>
    {
        var asked = MachineActs.Rebuild(vm, null, 60, "ana", new Generation(1), Begin);
        if (!asked.Succeeded) return;
        Assert.True(asked.Value.Vm.PowerGeneration == vm.PowerGeneration + 1 && !vm.Protected);
        var number = asked.Value.Operation.PowerGeneration;
        var next = MachineProgress.Advance(asked.Value.Vm, asked.Value.Operation, seen, null, Begin.AddSeconds(5)).Operation!;
        var done = next.Steps.Where(s => s.State == StepState.Done).Select(s => s.Kind).ToHashSet();
        if (seen.Generation < asked.Value.Operation.Generation || Math.Max(seen.Disk, seen.DiskMade) < number) Assert.Equal([StepKind.Accepted], done);
        if (seen.Disk < number) Assert.DoesNotContain(StepKind.Rebuilt, done);
        Assert.Equal(next.State == OperationState.Failed && !done.Contains(StepKind.Rebuilt), RebuildActs.IsGivenUp(next));
    });

    [Fact]
    public void A_deletion_that_is_undone_leaves_the_wish_as_it_was_and_one_at_once_leaves_nothing_to_undo() => Gen.Select(Vm, Gen.Int[0, 900], Gen.Int[0, 900], Gen.Bool).Sample((vm, window, after, atOnce) =>
    {
        var asked = MachineActs.Delete(vm, null, atOnce, TimeSpan.FromSeconds(window), "ana", new Generation(4), Begin);
        if (!asked.Succeeded) return;
        var (deleted, now) = (asked.Value.Vm, Begin.AddSeconds(after));
        Assert.Equal(DesiredPower.Stopped, deleted.Power);
        Assert.Equal(asked.Value.Operation.Kind == OperationKind.SoftDeleteVm, deleted.Deletion is not null);
        if (atOnce || window == 0 || !vm.HasDisk || vm.HostName is null) Assert.Equal((VmState.Deleting, OperationKind.DeleteVm), (deleted.State, asked.Value.Operation.Kind));
        // The clock decides, and nothing else: what can be restored is not over, and what is over cannot be restored.
        var restored = MachineActs.Restore(deleted, asked.Value.Operation, "ana", new Generation(5), now);
        Assert.Equal(deleted.State == VmState.Restorable && after < window, restored.Succeeded);
        Assert.Equal(deleted.State == VmState.Restorable && after >= window, MachineActs.IsOver(deleted, now));
        if (!restored.Succeeded) return;
        Assert.Equal((vm.Power, (MachineDeletion?)null), (restored.Value.Vm.Power, restored.Value.Vm.Deletion));
        Assert.Equal(vm.Power == DesiredPower.Running ? VmState.Starting : VmState.Stopped, restored.Value.Vm.State);
        Assert.Equal(OperationState.Cancelled, restored.Value.Superseded!.State);
    });
}
