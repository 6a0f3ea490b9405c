using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Storage;

/// <summary>What the agent needs of a host for volumes: disks of their own that machines get and lose, while they run too.</summary>
public interface IVolumeHost
{
    /// <summary>Every volume of this host and every machine that has one, half made and half attached ones included.</summary>
    Task<IReadOnlyList<VolumeInfo>> Volumes(CancellationToken stop);

    /// <summary>The volume exists, empty when it is new, with at least its size. A running guest sees the new size at once.</summary>
    Task EnsureVolume(DesiredVolume volume, CancellationToken stop);

    /// <summary>The machine has the volume: in its definition, and plugged in while it runs.</summary>
    Task Attach(DesiredVolume volume, VmId vm, CancellationToken stop);

    /// <summary>Asks the guest to release the volume; the machine has lost it once <see cref="Volumes"/> says so. A machine that is off loses it at once.</summary>
    Task Detach(VolumeId volume, VmId vm, CancellationToken stop);

    /// <summary>Removes the volume with what is on it, whatever is left of it. Refused while a machine has it.</summary>
    Task RemoveVolume(VolumeId volume, CancellationToken stop);
}

/// <param name="SizeBytes">What a guest sees; 0 where the file is missing or half made.</param>
/// <param name="Vm">The machine that has it; null for none.</param>
/// <param name="Configured">In the machine's definition: there at its next start.</param>
/// <param name="Plugged">In the running machine.</param>
public sealed record VolumeInfo(VolumeId Volume, long SizeBytes, VmId? Vm, bool Configured, bool Plugged);
