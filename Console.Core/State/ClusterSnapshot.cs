using System.Collections.Immutable;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;

namespace Plinth.Core.State;

/// <summary>One place taken on one host by one VM: a row of the allocation ledger, the authority on what is in use.</summary>
public sealed record Allocation(VmId Vm, ProjectId Project, HostId Host, Resources Size);

/// <summary>A host as placement sees it.</summary>
/// <param name="Pool">What its pool can do; null where its agent has not said.</param>
/// <param name="ReportedAt">Receipt of the last report; null before the first.</param>
public sealed record HostSnapshot(
    HostId Id,
    string Name,
    HostState State,
    DateTimeOffset? ReportedAt,
    Acceleration Acceleration,
    string Architecture,
    Resources Capacity,
    Resources Allocated,
    HostPool? Pool = null,
    FirmwareSupport? Firmware = null)
{
    public Resources Free => Capacity - Allocated;
}

/// <summary>
/// The fleet at one version of the change log. Immutable; a commit makes a new one.
/// </summary>
public sealed record ClusterSnapshot(long Version, ImmutableArray<HostSnapshot> Hosts)
{
    public static ClusterSnapshot Empty { get; } = new(0, []);

    /// <summary>The snapshot after <paramref name="allocation"/> was committed.</summary>
    public ClusterSnapshot With(Allocation allocation) => Change(allocation.Host, h => h with { Allocated = h.Allocated + allocation.Size });

    public ClusterSnapshot Without(Allocation allocation) => Change(allocation.Host, h => h with { Allocated = h.Allocated - allocation.Size });

    private ClusterSnapshot Change(HostId id, Func<HostSnapshot, HostSnapshot> change)
    {
        for (var i = 0; i < Hosts.Length; i++)
            if (Hosts[i].Id == id) return this with { Hosts = Hosts.SetItem(i, change(Hosts[i])) };
        throw new InvalidOperationException($"host {id} is not part of snapshot {Version}");
    }
}
