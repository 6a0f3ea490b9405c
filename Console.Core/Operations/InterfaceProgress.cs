using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>What reports say of a VM's network interfaces. Pure and repeatable.</summary>
public static class InterfaceProgress
{
    /// <summary>The agent's word for a running machine without a free port.</summary>
    public const string NoPort = "no_port";

    /// <summary>The interface after a reading; null where it is gone and its address is free.</summary>
    /// <param name="ended">Its operation, where this reading has ended it.</param>
    /// <param name="since">The desired generation that first told of the wish: an older report says nothing about it.</param>
    public static InterfaceState? Next(MachineInterface nic, OperationRecord? ended, ObservedMachine? seen, Generation since) => ended switch
    {
        // What was not reached is no longer wished: nothing happens later behind anybody's back.
        { State: OperationState.Failed, Kind: OperationKind.AddInterface } => InterfaceState.Removing,
        { State: OperationState.Failed, Kind: OperationKind.RemoveInterface } => InterfaceState.Present,
        _ when seen is null || seen.Generation < since => nic.State,
        _ => nic.State switch
        {
            InterfaceState.Removing when IsGone(nic, seen) => null,
            InterfaceState.Adding when IsThere(nic, seen) => InterfaceState.Present,
            var state => state,
        },
    };

    /// <summary>What is to be told about an interface of a running machine; empty where all is well.</summary>
    public static string Note(MachineInterface nic, ObservedMachine? seen) => Of(nic, seen) switch
    {
        { Configured: true, Plugged: false, Problem.Code: NoPort } => AtNextStart,
        { Problem: { } problem } => problem.Message,
        _ => "",
    };

    /// <summary>What a report says of the interface; null where it says nothing.</summary>
    public static ObservedInterface? Of(MachineInterface nic, ObservedMachine? seen) => seen?.Interfaces?.FirstOrDefault(i => i.Mac == nic.Mac);

    internal static StepReading Read(StepKind step, MachineRecord vm, ObservedMachine seen, DateTimeOffset now)
    {
        if (vm.Interface is not { } nic) return new StepReading.Needless("The VM does not have the interface any more.");
        if (seen.Interfaces is null) return new StepReading.Going($"The agent of {vm.HostName} does not tell of interfaces yet; update it.");
        var its = Of(nic, seen);
        var done = step switch
        {
            StepKind.Plugged => Added(nic, its, seen),
            StepKind.Unplugged => IsGone(nic, seen) ? "The machine does not have it any more." : null,
            _ => null,
        };
        if (done is not null) return new StepReading.Done(now, done);
        if (step == StepKind.UnplugAsked && (IsGone(nic, seen) || its is { Leaving: true, Plugged: false })) return new StepReading.Needless("The machine is off, or did not have it: no guest has to release it.");
        if (step == StepKind.UnplugAsked && its is { Leaving: true, UnplugAskedAt: { } at }) return new StepReading.Done(at, "The guest was asked to release the interface.");
        return its?.Problem switch
        {
            { Final: true } final => new StepReading.Broken(final.Message),
            { } problem => new StepReading.Going($"{problem.Message} The host goes on trying."),
            null => new StepReading.Going(step switch
            {
                StepKind.Plugged => "Waiting for the machine to take it.",
                StepKind.UnplugAsked => $"Waiting for {vm.HostName} to ask the guest.",
                _ => "Waiting for the guest to release it.",
            }),
        };
    }

    private const string AtNextStart = "The running machine has no free port for it: it has the interface from its next start on. Stop the VM and start it; a reboot is not enough.";

    private static string? Added(MachineInterface nic, ObservedInterface? its, ObservedMachine seen) => its switch
    {
        null or { Leaving: true } or { Configured: false } => null,
        { Plugged: true } => $"The guest has it, with the MAC address {nic.Mac}{(nic.Address is null ? "" : $"; DHCP gives it {nic.Address}")}.",
        _ when seen.Domain is DomainState.Off or DomainState.Absent => "The machine is off; it has the interface from its next start on.",
        { Problem.Code: NoPort } => AtNextStart,
        _ => null,
    };

    private static bool IsThere(MachineInterface nic, ObservedMachine seen) => Added(nic, Of(nic, seen), seen) is not null;

    private static bool IsGone(MachineInterface nic, ObservedMachine seen) => seen.Gone || seen.Domain == DomainState.Absent || Of(nic, seen) is { Leaving: true, Gone: true };
}
