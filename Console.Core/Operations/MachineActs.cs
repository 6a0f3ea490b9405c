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

    /// <summary>Start, stop, reboot or delete. <paramref name="next"/> is the desired generation that will carry it.</summary>
    public static Result<MachineAct> Ask(MachineRecord vm, OperationRecord? current, OperationKind kind, int stopDeadlineSeconds, string by, Generation next, DateTimeOffset now)
    {
        if (kind == OperationKind.RebootVm) return Reboot(vm, current, by, next, now);
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
        };
        var superseded = current is { IsFinished: false } ? OperationProgress.Supersede(current, kind, now) : null;
        return new MachineAct(changed, superseded, OperationProgress.Begin(kind, by, next, changed.PowerGeneration, now));
    }

    /// <summary>Undoes a create (the VM goes) or a start (it is switched off).</summary>
    public static Result<MachineAct> Cancel(MachineRecord vm, OperationRecord operation, string by, Generation next)
    {
        var cancelled = OperationProgress.Cancel(operation, by);
        if (!cancelled.Succeeded) return Result<MachineAct>.No(cancelled.Refusals);
        if (operation.State == OperationState.Cancelling) return new MachineAct(vm, null, operation);
        var moved = VmLifecycle.Next(vm.State, operation.Kind == OperationKind.CreateVm ? VmEvent.Cancelled : VmEvent.StopAsked);
        if (!moved.Succeeded) return Result<MachineAct>.No(moved.Refusals);
        return new MachineAct(
            vm with { State = moved.Value, Reason = VmLifecycle.Sentence(moved.Value), Power = DesiredPower.Stopped, PowerGeneration = vm.PowerGeneration + 1, StopDeadlineSeconds = 0 },
            null,
            cancelled.Value with { Generation = next, PowerGeneration = vm.PowerGeneration + 1 });
    }

    private static Result<MachineAct> Reboot(MachineRecord vm, OperationRecord? current, string by, Generation next, DateTimeOffset now)
    {
        if (vm.State != VmState.Running) return Refusal.Conflict("vm_not_running", $"The VM is {VmLifecycle.Word(vm.State)}; only a running one can be restarted.");
        if (current is { IsFinished: false }) return Refusal.Conflict("operation_under_way", $"“{OperationSteps.Title(current.Kind)}” is under way on this VM; wait until it has ended.");
        // A one-shot command carries it; the desired state stays as it is.
        return new MachineAct(vm, null, OperationProgress.Begin(OperationKind.RebootVm, by, Generation.None, vm.PowerGeneration, now));
    }
}
