using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;

namespace Plinth.Core.Operations;

/// <summary>What people ask of a VM's network interfaces, judged; pure.</summary>
public static class InterfaceActs
{
    /// <summary>Each machine has so many ports for interfaces, taken or free.</summary>
    public const int MaxPerVm = 8;

    /// <summary>Why it makes no sense in this state; null where it does.</summary>
    public static Refusal? WhyNot(OperationKind kind, VmState state) => (kind, state) switch
    {
        (OperationKind.RemoveInterface, VmState.Paused) => Refusal.Conflict("vm_paused", "The VM is paused: its guest cannot release an interface. Resume it, or stop it first."),
        (_, VmState.Running or VmState.Stopped or VmState.Paused) => null,
        _ => Refusal.Conflict("vm_not_settled", $"The VM is {VmLifecycle.Word(state)}; interfaces are added and removed while it runs or is stopped."),
    };

    /// <param name="has">The interfaces that it has now.</param>
    /// <param name="network">The name of the network that the new one is to be on.</param>
    public static Refusal? WhyNotAdd(VmState state, IReadOnlyList<MachineInterface> has, string network)
    {
        if (WhyNot(OperationKind.AddInterface, state) is { } no) return no;
        if (has.FirstOrDefault(i => i.Network == network) is { } there)
            return Refusal.Conflict("already_on_network", there.State == InterfaceState.Removing
                ? $"The VM still has an interface on the network {network}, {there.Mac}, which is being removed; wait until it is gone."
                : $"The VM has an interface on the network {network} already, {there.Mac}; choose another network.") with { Field = "network" };
        return has.Count >= MaxPerVm
            ? Refusal.Conflict("too_many_interfaces", $"The VM has {has.Count} interfaces; at most {MaxPerVm} are possible. Remove one first.")
            : null;
    }

    /// <summary>Begins to add or remove an interface. A removal ends the adding of the same that is under way; all else waits its turn.</summary>
    /// <param name="nic">The one to be removed; null where one is to be added.</param>
    /// <param name="next">The desired generation that will carry it.</param>
    public static Result<MachineAct> Ask(MachineRecord vm, OperationRecord? current, OperationKind kind, MachineInterface? nic, string by, Generation next, DateTimeOffset now)
    {
        if (WhyNot(kind, vm.State) is { } no) return no;
        var underWay = current is { IsFinished: false } ? current : null;
        var takesOver = kind == OperationKind.RemoveInterface && underWay?.Kind == OperationKind.AddInterface && vm.Interface is { } adding && adding.Mac == nic?.Mac;
        if (underWay is not null && !takesOver)
            return Refusal.Conflict("operation_under_way", $"“{OperationSteps.Title(underWay.Kind)}” is under way on this VM; wait until it has ended.");
        return new MachineAct(vm, underWay is null ? null : OperationProgress.Supersede(underWay, kind, now), OperationProgress.Begin(kind, by, next, vm.PowerGeneration, now));
    }
}
