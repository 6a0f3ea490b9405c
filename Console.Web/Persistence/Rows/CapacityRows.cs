using Plinth.Core.Placement;
using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Rows;

/// <summary>The ledger: one place taken on one host by one VM. Written by the single writer alone.</summary>
public sealed class AllocationRow : ILogged
{
    public required VmId Vm { get; set; }
    public required ProjectId Project { get; set; }
    public required HostId Host { get; set; }
    public int Vcpus { get; set; }
    public int MemoryMib { get; set; }
    public int DiskGib { get; set; }
    public DateTimeOffset At { get; set; }

    string ILogged.LogKind => LogKinds.Allocation;
    Guid ILogged.LogId => Vm.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}

/// <summary>The ledger: the disk taken on one host by one volume.</summary>
public sealed class VolumeAllocationRow : ILogged
{
    public required VolumeId Volume { get; set; }
    public required ProjectId Project { get; set; }
    public required HostId Host { get; set; }
    public int DiskGib { get; set; }
    public DateTimeOffset At { get; set; }

    string ILogged.LogKind => LogKinds.VolumeAllocation;
    Guid ILogged.LogId => Volume.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}

/// <summary>The ledger of addresses: one address of one network, taken by one interface for as long as its VM lives.</summary>
public sealed class NetworkAddressRow
{
    public required NetworkId Network { get; set; }
    public required string Address { get; set; }
    public required string Mac { get; set; }
    public required VmId Vm { get; set; }
    public DateTimeOffset At { get; set; }
}

/// <summary>A placement decision, abridged, with what is needed to make it again in full.</summary>
public sealed class DecisionRow
{
    public required DecisionId Id { get; set; }
    public required VmId Vm { get; set; }
    public required ProjectId Project { get; set; }
    /// <summary>The "now" that the engine was given.</summary>
    public DateTimeOffset At { get; set; }
    public required PlacementDecision Decision { get; set; }
    public required PlacementPolicy Policy { get; set; }
    /// <summary>The hosts without a fresh report at that time, with the receipt of their last one: heartbeats are not in the change log, and staleness refuses.</summary>
    public IReadOnlyDictionary<HostId, DateTimeOffset?> Unheard { get; set; } = new Dictionary<HostId, DateTimeOffset?>();
}
