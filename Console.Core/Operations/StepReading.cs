using Plinth.Core.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>What a report says about one step.</summary>
internal abstract record StepReading
{
    internal sealed record Going(string Detail, int? Percent = null) : StepReading;
    internal sealed record Done(DateTimeOffset At, string Detail) : StepReading;
    internal sealed record Needless(string Detail) : StepReading;
    internal sealed record Broken(string Sentence) : StepReading;
}

/// <summary>Reads one step out of the newest report for its generation. One small function a step; nothing is remembered.</summary>
internal static class StepReader
{
    public static StepReading Read(StepKind step, OperationRecord operation, MachineRecord vm, ObservedMachine? seen, CommandOutcome? command, DateTimeOffset now)
    {
        if (operation.Kind == OperationKind.DeleteVm && vm.HostName is null) return new StepReading.Needless("Nothing of the VM existed on a host.");
        if (operation.Kind == OperationKind.RestoreVm && vm.Power == DesiredPower.Stopped) return new StepReading.Needless("It was stopped when it was deleted, and stays so.");
        if (operation.Kind == OperationKind.RebuildVm && step is StepKind.Started or StepKind.GuestAgent && vm.Power == DesiredPower.Stopped) return new StepReading.Needless("It was stopped before it was rebuilt, and stays so.");
        if (step == StepKind.RebootSent) return Commanded(command, $"Waiting for {vm.HostName} to restart the guest.", "The guest was told to restart.");
        if (step == StepKind.Paused) return Commanded(command, $"Waiting for {vm.HostName} to pause the machine.", "The machine stands still; its memory is kept.", seen?.Domain is null or DomainState.Running);
        if (step == StepKind.Resumed) return Commanded(command, $"Waiting for {vm.HostName} to let the machine go on.", "The machine goes on where it was.", seen?.Domain is null or DomainState.Paused);
        if (step == StepKind.SnapshotTaken) return Commanded(command, $"Waiting for {vm.HostName} to take the snapshot.", "The snapshot is taken.");
        if (step == StepKind.SnapshotReverted) return Commanded(command, $"Waiting for {vm.HostName} to go back.", "The machine is as it was when the snapshot was taken.");
        if (step == StepKind.SnapshotRemoved) return Commanded(command, $"Waiting for {vm.HostName} to remove the snapshot.", "The snapshot is gone.");
        if (step == StepKind.Placed) return new StepReading.Going(operation.Steps.First(s => s.Kind == StepKind.Placed).Detail);
        // A report for an older generation describes what was there before the operation.
        if (seen is null || seen.Generation < operation.Generation) return new StepReading.Going($"Waiting for {vm.HostName} to take it up.");
        if (seen.Problem is { Final: true } problem && Concerns(problem, step, operation.Kind) && !IsDone(step, operation, seen)) return new StepReading.Broken(problem.Message);
        if (operation.Kind == OperationKind.RebuildVm && Rebuild(step, operation, seen, now) is { } rebuild) return rebuild;
        if (OperationSteps.IsOfInterface(operation.Kind)) return InterfaceProgress.Read(step, vm, seen, now);
        return step switch
        {
            StepKind.Disk => seen.DiskReadyAt is { } at ? new StepReading.Done(at, operation.Kind == OperationKind.CloneVm ? "The disk is a whole copy, and needs the source no more; the seed is in place." : "The disk and the seed are in place.") : Going(seen, step, "The disk is being prepared."),
            StepKind.Defined => seen.DefinedAt is { } at ? new StepReading.Done(at, "The hypervisor knows the machine.") : Going(seen, step, "The machine is being defined."),
            StepKind.Started => IsStarted(operation, seen) ? new StepReading.Done(seen.StartedAt ?? now, "The hypervisor has started the machine.") : Going(seen, step, "The machine is being started.", operation.Kind),
            StepKind.GuestAgent => GuestUp(operation, vm, seen, now),
            StepKind.ShutdownAsked => ShutdownAsked(seen),
            StepKind.Stopped => IsOff(seen) ? new StepReading.Done(now, OffSentence.Of(seen.Off, asked: true)) : Going(seen, step, "Waiting for the machine to be off."),
            StepKind.Resized => seen.Defined == vm.Size ? new StepReading.Done(now, ResizeSentence.Of(vm.Size!, seen.Running)) : Going(seen, step, "The machine's definition is being changed."),
            StepKind.Undefined => seen.Gone || seen.Domain == DomainState.Absent ? new StepReading.Done(now, "The hypervisor has forgotten the machine.") : Going(seen, step, "The machine is being removed."),
            StepKind.DiskRemoved => seen.Gone ? new StepReading.Done(now, "The disk and the seed are gone.") : Going(seen, step, "The disk is being removed."),
            _ => throw new ArgumentOutOfRangeException(nameof(step), step, null),
        };
    }

    // The steps that are read otherwise than those of a create or a stop; a machine that has its new disk has all of them behind it.
    private static StepReading? Rebuild(StepKind step, OperationRecord operation, ObservedMachine seen, DateTimeOffset now)
    {
        var rebuilt = seen.Disk >= operation.PowerGeneration;
        return step switch
        {
            StepKind.Disk => rebuilt || seen.DiskMade >= operation.PowerGeneration
                ? new StepReading.Done(seen.DiskReadyAt ?? now, "The new disk and the seed are in place, beside the former ones.")
                : Going(seen, step, "The new disk is being prepared; the VM goes on with its own meanwhile."),
            StepKind.ShutdownAsked when rebuilt && seen.ShutdownAskedAt is null => new StepReading.Needless("The machine was off, or was switched off at once."),
            StepKind.Stopped when rebuilt => new StepReading.Done(now, "The machine was off."),
            StepKind.Rebuilt => rebuilt ? new StepReading.Done(now, "The machine has the new disk; the former one and its snapshots are gone.") : Going(seen, step, "The machine is being given its new disk."),
            _ => null,
        };
    }

    public static bool IsOff(ObservedMachine seen) => seen.Gone || seen.Domain is DomainState.Off or DomainState.Absent;

    private static bool IsDone(StepKind step, OperationRecord operation, ObservedMachine seen) => step switch
    {
        StepKind.Disk => operation.Kind == OperationKind.RebuildVm ? Math.Max(seen.Disk, seen.DiskMade) >= operation.PowerGeneration : seen.DiskReadyAt is not null,
        StepKind.Rebuilt => seen.Disk >= operation.PowerGeneration,
        StepKind.Defined => seen.DefinedAt is not null,
        StepKind.Started => IsStarted(operation, seen),
        StepKind.GuestAgent => seen.GuestAgentAt is not null,
        _ => false,
    };

    private static bool IsStarted(OperationRecord operation, ObservedMachine seen) =>
        seen.StartedForPowerGeneration >= operation.PowerGeneration
        && (seen.Domain is DomainState.Running or DomainState.Paused || (seen.Domain == DomainState.Off && seen.Off != OffReason.NeverStarted && seen.StartedAt is not null));

    // What comes before a start fails it as well: one whose disk is lost is told at once.
    private static bool Concerns(MachineProblem problem, StepKind step, OperationKind kind) =>
        problem.Step == step
        || (step == StepKind.Started && problem.Step is StepKind.Disk or StepKind.Defined && OperationSteps.For(kind).All(d => d.Kind != problem.Step));

    private static StepReading Going(ObservedMachine seen, StepKind step, string otherwise, OperationKind kind = OperationKind.CreateVm)
    {
        if (seen.Problem is { } problem && Concerns(problem, step, kind)) return new StepReading.Going($"{problem.Message} The host goes on trying.");
        if (seen.Progress is not { } progress) return new StepReading.Going(otherwise);
        return new StepReading.Going(progress.Sentence, progress.Total > 0 ? (int)Math.Clamp(progress.Done * 100 / progress.Total, 0, 100) : null);
    }

    private static StepReading GuestUp(OperationRecord operation, MachineRecord vm, ObservedMachine seen, DateTimeOffset now)
    {
        if (!vm.HasGuestAgent) return new StepReading.Needless("The image has no guest agent: the VM is up once its machine runs.");
        if (seen.Domain == DomainState.Off && seen.StartedForPowerGeneration >= operation.PowerGeneration)
            return new StepReading.Broken($"The machine went off before its guest agent answered. {OffSentence.Of(seen.Off, asked: false)} Its serial console may show why; start it to try again.");
        if (seen.Domain == DomainState.Paused)
            return new StepReading.Going("The machine is paused; resume it.");
        // After a restart of the guest, only an answer since then counts.
        var since = operation.Kind == OperationKind.RebootVm ? operation.Steps.First(s => s.Kind == StepKind.RebootSent).EndedAt : null;
        return seen.Domain == DomainState.Running && seen.GuestAgentAt is { } at && (since is null || at >= since)
            ? new StepReading.Done(at, "The guest agent answers.")
            : new StepReading.Going("The guest is booting; its agent has not answered yet.");
    }

    private static StepReading ShutdownAsked(ObservedMachine seen)
    {
        if (seen.ShutdownAskedAt is { } at) return new StepReading.Done(at, "The guest was asked to shut down.");
        return IsOff(seen) ? new StepReading.Needless("The machine was off, or was switched off at once.") : new StepReading.Going("Waiting for the host to ask the guest.");
    }

    /// <param name="unseen">The report that shows it has not come yet.</param>
    private static StepReading Commanded(CommandOutcome? command, string waiting, string done, bool unseen = false) => command switch
    {
        null => new StepReading.Going(waiting),
        { Succeeded: true } => unseen ? new StepReading.Going("The host has done it; its next report will show it.") : new StepReading.Done(command.At, done),
        _ => new StepReading.Broken(command.Message),
    };
}

/// <summary>When a new size takes effect, and why not now.</summary>
public static class ResizeSentence
{
    /// <param name="running">What the machine has now; null while it is off.</param>
    public static string Of(MachineSize wanted, MachineSize? running)
    {
        if (running is null) return "The machine is off: it has the new size from its next start on.";
        if (running == wanted) return "The running machine has the new size.";
        List<string> why = [];
        if (running.MemoryMib != wanted.MemoryMib) why.Add("memory cannot be changed while it runs");
        if (running.Vcpus > wanted.Vcpus) why.Add("vCPUs cannot be taken away while it runs");
        if (running.Vcpus < wanted.Vcpus) why.Add("it was started without room for so many vCPUs");
        return $"The machine runs on with {running.Vcpus} vCPU and {running.MemoryMib} MiB; it has {wanted.Vcpus} vCPU and {wanted.MemoryMib} MiB once it is stopped and started (a reboot is not enough): {string.Join(", and ", why)}.";
    }
}

/// <summary>Why a machine is off, as a sentence.</summary>
internal static class OffSentence
{
    public static string Of(OffReason off, bool asked) => off switch
    {
        OffReason.None or OffReason.Unknown => asked ? "The machine is off." : "The machine went off; the hypervisor does not say why.",
        OffReason.NeverStarted => "The machine was never started.",
        OffReason.GuestShutdown => asked ? "The guest shut down." : "The guest shut down by itself.",
        OffReason.SwitchedOff => asked ? "The machine was switched off." : "The machine was switched off on its host, not through this console.",
        OffReason.Crashed => "The guest crashed.",
        OffReason.HostRestarted => "The host restarted.",
        _ => throw new ArgumentOutOfRangeException(nameof(off), off, null),
    };
}
