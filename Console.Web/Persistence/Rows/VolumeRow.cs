using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Web.Persistence.Rows;

/// <summary>A volume: what was asked, what is wanted now, what was last seen.</summary>
public sealed class VolumeRow : IVersioned, ILogged
{
    public required VolumeId Id { get; set; }
    public required ProjectId Project { get; set; }
    /// <summary>Unique in the project among volumes that are not deleted.</summary>
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    public required string StorageClass { get; set; }
    public int SizeGib { get; set; }
    /// <summary>Where it is kept, from the first moment on.</summary>
    public required HostId Host { get; set; }

    public VolumeState State { get; set; }
    public string StateReason { get; set; } = "";
    /// <summary>The VM it should be attached to.</summary>
    public VmId? Vm { get; set; }
    /// <summary>The host has been seen to have it.</summary>
    public bool Made { get; set; }
    /// <summary>The host's desired generation in which its part last changed.</summary>
    public Generation Generation { get; set; }

    public ObservedVolume? Observed { get; set; }
    /// <summary>Receipt of the last report about it.</summary>
    [Heartbeat] public DateTimeOffset? ObservedAt { get; set; }

    /// <summary>The unfinished operation, if there is one.</summary>
    public OperationId? Operation { get; set; }
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Volume;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}
