using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Core.Operations;

/// <summary>What the console holds about a volume when a report is read.</summary>
/// <param name="Vm">The wish: the VM it should be attached to; null for none.</param>
/// <param name="VmName">Of the VM that it is, or is to be, attached to.</param>
/// <param name="Made">The host has been seen to have it.</param>
public sealed record VolumeRecord(VolumeId Volume, string Name, VolumeState State, string Reason, int SizeGib, HostId Host, string HostName, VmId? Vm, string? VmName, bool Made);

/// <summary>The whole effect of one reading. Equal to what was there when nothing changed.</summary>
public sealed record VolumeAdvance(VolumeRecord Volume, OperationRecord? Operation);

/// <summary>
/// What one reading means for a volume and its operation together: the counterpart of <see cref="MachineProgress"/>, over the same
/// operations. Pure and repeatable.
/// </summary>
public static class VolumeProgress
{
    /// <param name="about">The VM that the operation attaches to or detaches from.</param>
    public static VolumeAdvance Advance(VolumeRecord volume, OperationRecord? operation, VmId? about, ObservedVolume? seen, DateTimeOffset now)
    {
        var next = operation is null or { IsFinished: true }
            ? operation
            : OperationProgress.Follow(
                operation,
                (step, _) => Read(step, operation, volume, seen, now),
                step => OperationProgress.Allowed(operation.Kind, step, 0),
                step => Fix(step, volume),
                now);
        var (state, reason, vm) = (volume.State, volume.Reason, volume.Vm);
        var made = volume.Made || seen is { SizeBytes: > 0 };
        if (next is { State: OperationState.Failed } && operation is { IsFinished: false })
        {
            Move(operation.Kind == OperationKind.CreateVolume && made ? VolumeEvent.Free : VolumeEvent.StepFailed, next.Reason);
            // What was not reached is no longer wished: nothing happens later behind anybody's back.
            vm = operation.Kind switch { OperationKind.CreateVolume or OperationKind.AttachVolume => null, OperationKind.DetachVolume => about, _ => vm };
        }
        else if (seen is not null)
        {
            foreach (var (e, sentence) in Events(volume, seen, next is { IsFinished: false })) Move(e, sentence);
        }
        return new VolumeAdvance(volume with { State = state, Reason = reason, Vm = vm, Made = made }, next);

        void Move(VolumeEvent e, string? sentence)
        {
            // Of an observation, a refusal means that it tells nothing in this state.
            if (VolumeLifecycle.Next(state, e) is not { Succeeded: true, Value: var to } || to == state) return;
            (state, reason) = (to, sentence ?? VolumeLifecycle.Sentence(to));
        }
    }

    private static IEnumerable<(VolumeEvent Event, string? Sentence)> Events(VolumeRecord volume, ObservedVolume seen, bool operationUnderWay)
    {
        if (seen.Gone) yield return (VolumeEvent.Gone, null);
        else if (seen.SizeBytes > 0 && seen.Vm == volume.Vm) yield return (volume.Vm is null ? VolumeEvent.Free : VolumeEvent.Plugged, null);
        else if (seen.SizeBytes == 0 && volume.Made && !operationUnderWay)
            yield return (VolumeEvent.Missing, $"{volume.HostName} does not have the volume any more. It is not made anew, because that would hide the loss: put its file back, or delete the volume.");
    }

    private static StepReading Read(StepKind step, OperationRecord operation, VolumeRecord volume, ObservedVolume? seen, DateTimeOffset now)
    {
        // A report for an older generation describes what was there before the operation.
        if (seen is null || seen.Generation < operation.Generation) return new StepReading.Going($"Waiting for {volume.HostName} to take it up.");
        var done = step switch
        {
            StepKind.VolumeMade => seen.SizeBytes > 0 ? $"{volume.HostName} has the volume, {volume.SizeGib} GiB." : null,
            StepKind.Plugged => seen.Vm is { } on && on == volume.Vm ? seen.Plugged ? $"The guest sees it as /dev/disk/by-id/virtio-{DesiredStates.Serial(volume.Volume)}." : "The machine is off; it has the disk from its next start." : null,
            StepKind.Unplugged => seen.Vm is null ? "The machine does not have it any more." : null,
            StepKind.Grown => seen.SizeBytes >= (long)volume.SizeGib << 30 ? seen.Plugged ? $"The guest sees {volume.SizeGib} GiB; it may enlarge its file system." : $"{volume.SizeGib} GiB." : null,
            StepKind.VolumeRemoved => seen.Gone ? "The volume is gone." : null,
            _ => null,
        };
        if (done is not null) return new StepReading.Done(now, done);
        if (step == StepKind.Plugged && volume.Vm is null) return new StepReading.Needless("No VM was named.");
        if (step == StepKind.UnplugAsked && (seen.Vm is null || !seen.Plugged)) return new StepReading.Needless("The machine is off: no guest has to release it.");
        if (step == StepKind.UnplugAsked && seen.UnplugAskedAt is { } at) return new StepReading.Done(at, "The guest was asked to release the disk.");
        return seen.Problem switch
        {
            { Final: true } final => new StepReading.Broken(final.Message),
            { } problem => new StepReading.Going($"{problem.Message} The host goes on trying."),
            null => new StepReading.Going(Going(step, volume)),
        };
    }

    private static string Going(StepKind step, VolumeRecord volume) => step switch
    {
        StepKind.VolumeMade => "The volume is being made.",
        StepKind.Plugged => $"Waiting for the machine of {volume.VmName} to take it.",
        StepKind.UnplugAsked => $"Waiting for {volume.HostName} to ask the guest.",
        StepKind.Unplugged => "Waiting for the guest to release it.",
        StepKind.Grown => "The volume is being grown.",
        _ => "The volume is being removed.",
    };

    private static string Fix(StepKind step, VolumeRecord volume) => step switch
    {
        StepKind.Unplugged => "It stays attached. Unmount it in the guest and detach it again, or stop the VM and detach it then.",
        StepKind.UnplugAsked => $"It stays attached. Check that the agent of {volume.HostName} is connected, then detach it again.",
        StepKind.Plugged => "It stays unattached; attach it again once the reason is mended.",
        StepKind.VolumeRemoved => $"The removal goes on as soon as {volume.HostName} reports again.",
        StepKind.Grown => $"{volume.HostName} goes on trying.",
        _ => $"Look at {volume.HostName}; delete the volume, or create another.",
    };
}
