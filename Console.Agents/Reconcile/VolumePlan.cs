using Plinth.Agents.Storage;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>The one next thing to do for a volume. Each act is idempotent, so doing it again after a crash completes it.</summary>
internal abstract record VolumeAction(StepKind Step)
{
    /// <summary>Nothing now; look again at <paramref name="Until"/>, or when something happens.</summary>
    internal sealed record Rest(DateTimeOffset? Until = null) : VolumeAction(StepKind.Accepted);

    internal sealed record Make(DesiredVolume Volume) : VolumeAction(StepKind.VolumeMade);
    internal sealed record Grow(DesiredVolume Volume) : VolumeAction(StepKind.Grown);
    internal sealed record Attach(DesiredVolume Volume, VmId Vm) : VolumeAction(StepKind.Plugged);
    internal sealed record Detach(VmId Vm) : VolumeAction(StepKind.Unplugged);
    internal sealed record Remove() : VolumeAction(StepKind.VolumeRemoved);

    /// <summary>The tombstone is fulfilled.</summary>
    internal sealed record Fulfilled() : VolumeAction(StepKind.VolumeRemoved);

    /// <summary>Going on would do harm: a person has to look.</summary>
    internal sealed record Refuse(string Code, string Message) : VolumeAction(StepKind.VolumeMade);
}

/// <summary>A volume as it should be and as it is.</summary>
/// <param name="Desired">Null where only a tombstone names it.</param>
/// <param name="Info">Null where nothing of it is on this host.</param>
/// <param name="Machine">The domain of the VM that it should be attached to; absent without one.</param>
/// <param name="AskedAt">When a guest was last asked to release it.</param>
internal sealed record VolumeSight(DesiredVolume? Desired, VolumeInfo? Info, DomainState Machine, DateTimeOffset? AskedAt);

/// <summary>Decides what to do next for one volume. Pure; the executor has no choices left.</summary>
internal static class VolumePlan
{
    /// <summary>A guest that is still booting misses the first request: it is asked again.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    public static VolumeAction Next(VolumeSight sight, DateTimeOffset now) => sight switch
    {
        { Info: { Vm: { } on } info } when on != sight.Desired?.Vm => Detach(info, on, sight.AskedAt, now),
        { Desired: null, Info: null } => new VolumeAction.Fulfilled(),
        { Desired: null } => new VolumeAction.Remove(),
        { Info: null or { SizeBytes: 0 }, Desired: { Made: true } lost } =>
            new VolumeAction.Refuse("volume_lost", $"The volume {lost.Name} is gone from this host. It is not made anew, because that would hide the loss: put its file back, or delete the volume."),
        { Info: null or { SizeBytes: 0 } } => new VolumeAction.Make(sight.Desired),
        _ when sight.Info.SizeBytes < (long)sight.Desired.SizeGib << 30 => new VolumeAction.Grow(sight.Desired),
        { Desired.Vm: { } vm, Machine: not DomainState.Absent } when !IsAttached(sight.Info, sight.Machine) => new VolumeAction.Attach(sight.Desired, vm),
        _ => new VolumeAction.Rest(),
    };

    private static VolumeAction Detach(VolumeInfo info, VmId on, DateTimeOffset? askedAt, DateTimeOffset now)
    {
        var again = askedAt + AskAgainAfter;
        return info.Plugged && again > now ? new VolumeAction.Rest(again) : new VolumeAction.Detach(on);
    }

    private static bool IsAttached(VolumeInfo info, DomainState machine) => info.Configured && (info.Plugged || machine == DomainState.Off);
}
