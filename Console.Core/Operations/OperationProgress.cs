using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Core.Operations;

/// <summary>
/// The course of an operation, derived: stored operation + VM + newest report + clock give the next steps, state and reason.
/// Pure and repeatable: reading the same report twice changes nothing, so a restart of the console loses nothing.
/// </summary>
public static class OperationProgress
{
    public static OperationRecord Begin(OperationKind kind, string by, Generation generation, long powerGeneration, DateTimeOffset now) =>
        new(kind, OperationState.Pending, OperationLifecycle.Sentence(OperationState.Pending), StepList.Accepted(kind, now, by), now, null, generation, powerGeneration);

    /// <summary>No host has room; <paramref name="sentence"/> is the placement engine's own.</summary>
    public static OperationRecord Wait(OperationRecord operation, string sentence)
    {
        var steps = new StepList(operation.Steps);
        steps.Note(StepKind.Placed, sentence, null);
        return Running(operation) with { Steps = steps.Steps, Reason = sentence };
    }

    /// <summary>The VM has a host, whose desired state carries it from <paramref name="generation"/> on.</summary>
    public static OperationRecord Placed(OperationRecord operation, string sentence, Generation generation, DateTimeOffset now)
    {
        var steps = new StepList(operation.Steps);
        steps.Done(StepKind.Placed, now, now, sentence);
        steps.Begin(StepKind.Disk, now);
        return Running(operation) with { Steps = steps.Steps, Reason = OperationLifecycle.Sentence(OperationState.Running), Generation = generation };
    }

    /// <summary>A newer operation on the same VM takes over: two that pull in different directions would never both end.</summary>
    public static OperationRecord Supersede(OperationRecord operation, OperationKind by, DateTimeOffset now)
    {
        var steps = new StepList(operation.Steps);
        steps.SkipRest();
        return operation with { State = OperationState.Cancelled, Steps = steps.Steps, Reason = $"Superseded: “{OperationSteps.Title(by)}” was asked for before this had ended.", EndedAt = now };
    }

    /// <summary>Begins to undo. Refused once finished, and for what has no undo, with the reason why it has none.</summary>
    public static Result<OperationRecord> Cancel(OperationRecord operation, string by)
    {
        var next = OperationLifecycle.Next(operation.State, OperationEvent.CancelAsked);
        if (!next.Succeeded) return Result<OperationRecord>.No(next.Refusals);
        if (OperationSteps.IsRoll(operation.Kind))
            return operation.State == OperationState.Cancelling ? operation : operation with { State = next.Value, Reason = $"Cancelled by {by}; the host under way is brought to its end first." };
        if (operation.Kind == OperationKind.RebuildVm && operation.Steps.First(s => s.Kind == StepKind.Rebuilt).State == StepState.Done)
            return Refusal.Conflict("too_late", "Too late to cancel: the machine has its new disk, and the former one is gone.");
        if (operation.Kind is not (OperationKind.CreateVm or OperationKind.CloneVm or OperationKind.StartVm or OperationKind.RebuildVm))
            return Refusal.Conflict("no_undo", $"“{OperationSteps.Title(operation.Kind)}” cannot be cancelled: {OperationSteps.For(operation.Kind)[1].Undo["none: ".Length..]}.");
        return operation.State == OperationState.Cancelling
            ? operation
            : operation with { State = next.Value, Reason = $"Cancelled by {by}; what was done is being undone." };
    }

    /// <summary>When the step under way is overdue; null when nothing is under way.</summary>
    public static DateTimeOffset? Deadline(OperationRecord operation, int stopDeadlineSeconds)
    {
        // A roll has none as a whole: each of its hosts has its own.
        if (operation.IsFinished || operation.State == OperationState.Cancelling || OperationSteps.IsRoll(operation.Kind)) return null;
        var current = new StepList(operation.Steps).Current;
        return current?.StartedAt is { } start ? start + Allowed(operation.Kind, current.Kind, stopDeadlineSeconds) : null;
    }

    /// <summary>How long a step may take. Where the guest is given time to shut down, that time is on top.</summary>
    public static TimeSpan Allowed(OperationKind kind, StepKind step, int stopDeadlineSeconds)
    {
        var allowed = OperationSteps.For(kind).First(d => d.Kind == step).Deadline;
        return kind is OperationKind.StopVm or OperationKind.SoftDeleteVm or OperationKind.RebuildVm && step == StepKind.Stopped ? allowed + TimeSpan.FromSeconds(stopDeadlineSeconds) : allowed;
    }

    /// <summary>0–100 over all steps, the one under way counted by its own progress.</summary>
    public static int Percent(OperationRecord operation)
    {
        if (operation.State == OperationState.Succeeded) return 100;
        var ended = operation.Steps.Count(s => s.State is StepState.Done or StepState.Skipped);
        var part = operation.Steps.FirstOrDefault(s => s.State == StepState.Running)?.Percent ?? 0;
        // Having been asked for is no half of a fleet.
        if (OperationSteps.IsRoll(operation.Kind)) return Math.Min(99, part);
        return Math.Min(99, ((ended * 100) + part) / operation.Steps.Count);
    }

    /// <summary>The operation after this reading; the same when the reading says nothing new.</summary>
    public static OperationRecord Advance(OperationRecord operation, MachineRecord vm, ObservedMachine? seen, CommandOutcome? command, DateTimeOffset now)
    {
        if (operation.IsFinished) return operation;
        if (operation.State == OperationState.Cancelling) return AdvanceUndo(operation, vm, seen, now);
        return Follow(
            operation,
            (step, sofar) => StepReader.Read(step, sofar, vm, seen, command, now),
            step => Allowed(operation.Kind, step, vm.StopDeadlineSeconds),
            step => Fix(operation.Kind, step, vm),
            now);
    }

    /// <summary>Step after step as <paramref name="read"/> tells, until one is still going, failed, or overdue.</summary>
    /// <param name="fix">What to do about a step that was not reached in time.</param>
    internal static OperationRecord Follow(OperationRecord operation, Func<StepKind, OperationRecord, StepReading> read, Func<StepKind, TimeSpan> allowed, Func<StepKind, string> fix, DateTimeOffset now)
    {
        var steps = new StepList(operation.Steps);
        while (steps.Current is { } step)
        {
            steps.Begin(step.Kind, now);
            step = steps[step.Kind];
            // The reader sees the steps as they are now, the ones just ended included.
            switch (read(step.Kind, operation with { Steps = steps.Steps }))
            {
                case StepReading.Done done:
                    steps.Done(step.Kind, done.At, now, done.Detail);
                    continue;
                case StepReading.Needless needless:
                    steps.Skip(step.Kind, now, needless.Detail);
                    continue;
                case StepReading.Broken broken:
                    return Fail(operation, steps, step.Kind, broken.Sentence, now);
                case StepReading.Going going when now > step.StartedAt + allowed(step.Kind):
                    return Fail(operation, steps, step.Kind, Overdue(operation, step.Kind, allowed(step.Kind), going.Detail, fix(step.Kind)), now);
                case StepReading.Going going:
                    steps.Note(step.Kind, going.Detail, going.Percent);
                    return Same(operation, steps.Steps) ? operation : Running(operation) with { Steps = steps.Steps };
            }
        }
        return operation with
        {
            State = OperationLifecycle.Next(operation.State, OperationEvent.Succeeded).Value,
            Steps = steps.Steps,
            Reason = OperationLifecycle.Sentence(OperationState.Succeeded),
            EndedAt = steps.Steps.Max(s => s.EndedAt) ?? now,
        };
    }

    private static OperationRecord AdvanceUndo(OperationRecord operation, MachineRecord vm, ObservedMachine? seen, DateTimeOffset now)
    {
        var answered = seen is not null && seen.Generation >= operation.Generation;
        if (operation.Kind == OperationKind.RebuildVm && answered && seen!.Disk >= operation.PowerGeneration)
            return Fail(operation, new StepList(operation.Steps), StepKind.Rebuilt, $"It was too late to cancel: {vm.HostName} had given the machine its new disk already.", now);
        var undone = vm.HostName is null || (operation.Kind switch
        {
            OperationKind.CreateVm or OperationKind.CloneVm => seen is { Gone: true },
            OperationKind.RebuildVm => answered,
            _ => answered && StepReader.IsOff(seen!),
        });
        if (!undone) return operation;
        var steps = new StepList(operation.Steps);
        steps.Undo(now);
        return operation with
        {
            State = OperationLifecycle.Next(operation.State, OperationEvent.Undone).Value,
            Steps = steps.Steps,
            Reason = OperationLifecycle.Sentence(OperationState.Cancelled),
            EndedAt = now,
        };
    }

    private static OperationRecord Fail(OperationRecord operation, StepList steps, StepKind step, string sentence, DateTimeOffset now)
    {
        steps.Fail(step, now, sentence);
        return operation with { State = OperationLifecycle.Next(operation.State, OperationEvent.Failed).Value, Steps = steps.Steps, Reason = sentence, EndedAt = now };
    }

    private static string Overdue(OperationRecord operation, StepKind step, TimeSpan allowed, string last, string fix)
    {
        var title = OperationSteps.For(operation.Kind).First(d => d.Kind == step).Title;
        var time = allowed.TotalDays >= 1 ? $"{allowed.TotalDays:0} days" : allowed.TotalMinutes >= 1 ? $"{allowed.TotalMinutes:0} min" : $"{allowed.TotalSeconds:0} s";
        // What the host said is a sentence, or what it was doing.
        var seen = last.Length == 0 || last[^1] is '.' or '!' or '?' ? last : $"Last seen: {last}.";
        return $"“{title}” was not reached within {time}. {seen} {fix}".Replace("  ", " ");
    }

    private static string Fix(OperationKind kind, StepKind step, MachineRecord vm) => step switch
    {
        StepKind.Disk or StepKind.ShutdownAsked or StepKind.Stopped or StepKind.Rebuilt when kind == OperationKind.RebuildVm => $"The rebuild is given up and the VM keeps its former disk, unless {vm.HostName} has done it already: its next report tells. Look at {vm.HostName}, then ask again.",
        StepKind.Placed => "Free room on a host or join another, then create the VM again.",
        StepKind.GuestAgent => "The machine may be running all the same: look at its serial console.",
        StepKind.ShutdownAsked or StepKind.Stopped when vm.State == VmState.Restorable => $"{vm.HostName} goes on stopping it; it can be restored all the same.",
        StepKind.ShutdownAsked or StepKind.Stopped => "Look at the host; ask for a stop with a deadline of 0 s to switch the machine off.",
        StepKind.RebootSent or StepKind.Paused or StepKind.Resumed or StepKind.SnapshotTaken or StepKind.SnapshotReverted or StepKind.SnapshotRemoved => $"Check that the agent of {vm.HostName} is connected, then ask again.",
        StepKind.Resized => "The former size is taken back; ask again once the host reports.",
        StepKind.Plugged => "It is taken back; add it again once the reason is mended.",
        StepKind.UnplugAsked => $"The interface stays. Check that the agent of {vm.HostName} is connected, then remove it again.",
        StepKind.Unplugged => "The interface stays. Remove it again once the guest has booted, or stop the VM and remove it then.",
        StepKind.Undefined or StepKind.DiskRemoved => $"The removal goes on as soon as {vm.HostName} reports again.",
        _ => $"Look at {vm.HostName}; delete the VM, or start it to try again.",
    };

    private static OperationRecord Running(OperationRecord operation) => operation.State == OperationState.Pending
        ? operation with { State = OperationLifecycle.Next(operation.State, OperationEvent.Started).Value, Reason = OperationLifecycle.Sentence(OperationState.Running) }
        : operation;

    private static bool Same(OperationRecord operation, IReadOnlyList<OperationStep> steps) =>
        operation.State != OperationState.Pending && operation.Steps.SequenceEqual(steps);
}
