using Plinth.Core.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Core.Operations;

/// <summary>What an accepted act changes: the VM's wish and state, the operation it replaces, the one it begins or turns.</summary>
/// <param name="Superseded">The operation that was under way, as it ends by this act; null where there was none.</param>
public sealed record MachineAct(MachineRecord Vm, OperationRecord? Superseded, OperationRecord Operation);

/// <summary>What people ask of a VM, judged and turned into a wish; pure.</summary>
public static class MachineActs
{
    public const int DefaultStopDeadlineSeconds = 60, MaxStopDeadlineSeconds = 3600;

    /// <summary>Why a command makes no sense in this state; null where it does.</summary>
    public static Refusal? WhyNot(OperationKind command, VmState state) => command switch
    {
        OperationKind.RebootVm when state != VmState.Running => Refusal.Conflict("vm_not_running", $"The VM is {VmLifecycle.Word(state)}; only a running one can be restarted."),
        OperationKind.PauseVm when state != VmState.Running => Refusal.Conflict("vm_not_running", $"The VM is {VmLifecycle.Word(state)}; only a running one can be paused."),
        OperationKind.ResumeVm when state != VmState.Paused => Refusal.Conflict("vm_not_paused", $"The VM is {VmLifecycle.Word(state)}; only a paused one can be resumed."),
        OperationKind.ResizeVm when state is not (VmState.Running or VmState.Stopped or VmState.Paused) => Refusal.Conflict("vm_not_settled", $"The VM is {VmLifecycle.Word(state)}; a running, paused or stopped one can be resized."),
        _ => null,
    };

    /// <summary>Why a VM is not deleted, and how that is lifted; null where nothing protects it.</summary>
    public static Refusal? Protection(MachineRecord vm) => vm.Protected
        ? Refusal.Conflict("vm_protected", $"The VM is protected against deletion. Lift the protection first: edit it on the VM's page, or PATCH it with {{\"protected\": false}}.")
        : null;

    /// <summary>Start, stop, reboot, pause, resume, rebuild or delete, or what else works on an existing VM. <paramref name="next"/> is the desired generation that will carry it.</summary>
    public static Result<MachineAct> Ask(MachineRecord vm, OperationRecord? current, OperationKind kind, int stopDeadlineSeconds, string by, Generation next, DateTimeOffset now)
    {
        if (OperationSteps.IsCommand(kind)) return Command(vm, current, kind, by, now);
        if (kind == OperationKind.ResizeVm) return Resize(vm, current, by, next, now);
        if (kind == OperationKind.RebuildVm) return Rebuild(vm, current, stopDeadlineSeconds, by, next, now);
        if (OperationSteps.IsOfInterface(kind)) return InterfaceActs.Ask(vm, current, kind, null, by, next, now);
        if (kind == OperationKind.DeleteVm && Protection(vm) is { } kept) return kept;
        if (kind != OperationKind.DeleteVm && HoldsDisk(current) is { } busy) return busy;
        if (kind is OperationKind.RestoreVm) return Restore(vm, current, by, next, now);
        var moved = VmLifecycle.Next(vm.State, kind switch
        {
            OperationKind.StartVm => VmEvent.StartAsked,
            OperationKind.StopVm => VmEvent.StopAsked,
            OperationKind.DeleteVm => VmEvent.DeleteAsked,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "only what is asked of an existing VM"),
        });
        if (!moved.Succeeded) return Result<MachineAct>.No(moved.Refusals);
        if (vm.HostName is null && kind != OperationKind.DeleteVm) return Refusal.Conflict("vm_not_placed", $"The VM is {VmLifecycle.Word(vm.State)} and has no host; delete it and create it again.");
        var changed = vm with
        {
            State = moved.Value,
            Reason = VmLifecycle.Sentence(moved.Value),
            Power = kind == OperationKind.StartVm ? DesiredPower.Running : DesiredPower.Stopped,
            PowerGeneration = vm.PowerGeneration + 1,
            StopDeadlineSeconds = kind == OperationKind.StopVm ? stopDeadlineSeconds : vm.StopDeadlineSeconds,
            Deletion = null,
        };
        return Begin(changed, current, kind, by, next, now);
    }

    /// <summary>
    /// Deletes. Within <paramref name="window"/> it can be restored: meanwhile it is stopped, as a stop does it, and keeps everything.
    /// With <paramref name="atOnce"/>, without a window, or where no disk was made yet, its disk is removed at once.
    /// </summary>
    public static Result<MachineAct> Delete(MachineRecord vm, OperationRecord? current, bool atOnce, TimeSpan window, string by, Generation next, DateTimeOffset now)
    {
        if (atOnce || !CanBeKept(vm, window)) return Ask(vm, current, OperationKind.DeleteVm, 0, by, next, now);
        if ((Protection(vm) ?? HoldsDisk(current)) is { } no) return no;
        var moved = VmLifecycle.Next(vm.State, VmEvent.SoftDeleteAsked);
        if (!moved.Succeeded) return Result<MachineAct>.No(moved.Refusals);
        var changed = vm with
        {
            State = moved.Value,
            Reason = VmLifecycle.Sentence(moved.Value).Replace("Deleted:", $"Deleted by {by}:", StringComparison.Ordinal),
            Power = DesiredPower.Stopped,
            PowerGeneration = vm.PowerGeneration + 1,
            StopDeadlineSeconds = DefaultStopDeadlineSeconds,
            Deletion = new MachineDeletion(now + window, vm.Power),
        };
        return Begin(changed, current, OperationKind.SoftDeleteVm, by, next, now);
    }

    /// <summary>Whether a delete leaves something that can be restored.</summary>
    public static bool CanBeKept(MachineRecord vm, TimeSpan window) => window > TimeSpan.Zero && vm is { HostName: not null, HasDisk: true };

    /// <summary>The time to restore it has run out: its disk is to be removed. The clock alone decides, so no restart loses or hastens it.</summary>
    public static bool IsOver(MachineRecord vm, DateTimeOffset now) => vm is { State: VmState.Restorable, Deletion.Until: var until } && now >= until;

    /// <summary>Undoes a deletion: the VM is what it was, and runs again if it was to run. Room for it is the capacity writer's question.</summary>
    public static Result<MachineAct> Restore(MachineRecord vm, OperationRecord? current, string by, Generation next, DateTimeOffset now)
    {
        var moved = VmLifecycle.Next(vm.State, VmEvent.RestoreAsked);
        if (!moved.Succeeded) return Result<MachineAct>.No(moved.Refusals);
        if (IsOver(vm, now)) return Refusal.Conflict("too_late", $"Too late to restore the VM: the time for it ended at {vm.Deletion!.Until:u}, and its disk is being removed.");
        var runs = vm.Deletion is { Power: DesiredPower.Running };
        var state = runs ? VmLifecycle.Next(moved.Value, VmEvent.StartAsked).Value : moved.Value;
        var changed = vm with
        {
            State = state,
            Reason = VmLifecycle.Sentence(state),
            Power = runs ? DesiredPower.Running : DesiredPower.Stopped,
            PowerGeneration = runs ? vm.PowerGeneration + 1 : vm.PowerGeneration,
            Deletion = null,
        };
        return Begin(changed, current, OperationKind.RestoreVm, by, next, now);
    }

    /// <summary>Another size: for a machine that exists and is not on its way elsewhere. Room for it is the capacity writer's question.</summary>
    public static Result<MachineAct> Resize(MachineRecord vm, OperationRecord? current, string by, Generation next, DateTimeOffset now)
    {
        if (WhyNot(OperationKind.ResizeVm, vm.State) is { } no) return no;
        if (UnderWay(current) is { } other) return other;
        return new MachineAct(vm, null, OperationProgress.Begin(OperationKind.ResizeVm, by, next, vm.PowerGeneration, now));
    }

    /// <summary>
    /// A fresh root disk: what runs is stopped as a stop does it and started again, what is off stays off. The wish stands in the
    /// specification (<see cref="RebuildActs"/>); the new power generation is its number.
    /// </summary>
    public static Result<MachineAct> Rebuild(MachineRecord vm, OperationRecord? current, int stopDeadlineSeconds, string by, Generation next, DateTimeOffset now)
    {
        if ((Protection(vm) ?? RebuildActs.WhyNot(vm.State, vm.HostName) ?? UnderWay(current)) is { } no) return no;
        // One that failed is what a rebuild mends: it is to run.
        var state = vm.State == VmState.Failed ? VmLifecycle.Next(vm.State, VmEvent.StartAsked).Value : vm.State;
        var changed = vm with
        {
            State = state,
            Reason = state == vm.State ? vm.Reason : VmLifecycle.Sentence(state),
            // Also where somebody started it behind the console's back: it ran, so it runs again.
            Power = vm.State == VmState.Stopped ? vm.Power : DesiredPower.Running,
            PowerGeneration = vm.PowerGeneration + 1,
            StopDeadlineSeconds = stopDeadlineSeconds,
        };
        return Begin(changed, null, OperationKind.RebuildVm, by, next, now);
    }

    /// <summary>Undoes a create or a clone (the VM goes), a start (it is switched off) or a rebuild (the VM keeps its disk).</summary>
    public static Result<MachineAct> Cancel(MachineRecord vm, OperationRecord operation, string by, Generation next)
    {
        var cancelled = OperationProgress.Cancel(operation, by);
        if (!cancelled.Succeeded) return Result<MachineAct>.No(cancelled.Refusals);
        if (operation.State == OperationState.Cancelling) return new MachineAct(vm, null, operation);
        if (OperationSteps.Creates(operation.Kind) && Protection(vm) is { } kept) return kept;
        // The wish is taken back; what was stopped for it is started again by the wish that stands.
        if (operation.Kind == OperationKind.RebuildVm) return new MachineAct(vm, null, cancelled.Value with { Generation = next });
        var moved = VmLifecycle.Next(vm.State, OperationSteps.Creates(operation.Kind) ? VmEvent.Cancelled : VmEvent.StopAsked);
        if (!moved.Succeeded) return Result<MachineAct>.No(moved.Refusals);
        return new MachineAct(
            vm with { State = moved.Value, Reason = VmLifecycle.Sentence(moved.Value), Power = DesiredPower.Stopped, PowerGeneration = vm.PowerGeneration + 1, StopDeadlineSeconds = 0 },
            null,
            cancelled.Value with { Generation = next, PowerGeneration = vm.PowerGeneration + 1 });
    }

    private static Result<MachineAct> Command(MachineRecord vm, OperationRecord? current, OperationKind kind, string by, DateTimeOffset now)
    {
        if (WhyNot(kind, vm.State) is { } no) return no;
        if (UnderWay(current) is { } other) return other;
        // A one-shot command carries it; the desired state stays as it is.
        return new MachineAct(vm, null, OperationProgress.Begin(kind, by, Generation.None, vm.PowerGeneration, now));
    }

    // What was under way gives way.
    private static MachineAct Begin(MachineRecord changed, OperationRecord? current, OperationKind kind, string by, Generation next, DateTimeOffset now) => new(
        changed,
        current is { IsFinished: false } ? OperationProgress.Supersede(current, kind, now) : null,
        OperationProgress.Begin(kind, by, next, changed.PowerGeneration, now));

    private static Refusal? HoldsDisk(OperationRecord? current) => current is not null && OperationSteps.HoldsDisk(current.Kind) ? UnderWay(current) : null;

    private static Refusal? UnderWay(OperationRecord? current) => current is { IsFinished: false }
        ? Refusal.Conflict("operation_under_way", $"“{OperationSteps.Title(current.Kind)}” is under way on this VM; wait until it has ended.")
        : null;
}
