using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;

namespace Plinth.Web.Persistence.Rows;

/// <summary>A disk image; see <see cref="Image"/>.</summary>
public sealed class ImageRow : IVersioned, ILogged
{
    public required ImageId Id { get; set; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    public ImageState State { get; set; }
    public required string Format { get; set; }
    /// <summary>"sha256:" + 64 hex digits.</summary>
    public required string Digest { get; set; }
    public long SizeBytes { get; set; }
    public int MinDiskGib { get; set; }
    public int MinMemoryMib { get; set; }
    public bool HasGuestAgent { get; set; }
    public string DefaultUser { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Image;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => this;
}

/// <summary>A named size.</summary>
public sealed class FlavorRow : IVersioned, ILogged
{
    public required FlavorId Id { get; set; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    public int Vcpus { get; set; }
    public int MemoryMib { get; set; }
    public int DiskGib { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Flavor;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => this;
}

/// <summary>A network that VMs attach to; see <see cref="VirtualNetwork"/>.</summary>
public sealed class NetworkRow : IVersioned, ILogged
{
    public required NetworkId Id { get; set; }
    public required ProjectId Project { get; set; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    public NetworkKind Kind { get; set; }
    public required string Cidr { get; set; }
    /// <summary>The VXLAN id; 0 for a network without a segment.</summary>
    public int Vni { get; set; }
    public IReadOnlyList<PortRule> Rules { get; set; } = [];
    public DateTimeOffset CreatedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Network;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}

/// <summary>A promise about disks; see <see cref="Core.Storage.StorageClass"/>.</summary>
public sealed class StorageClassRow : IVersioned, ILogged
{
    public required StorageClassId Id { get; set; }
    public required string Name { get; set; }
    public string Description { get; set; } = "";
    /// <summary>Fixed from the first moment on: disks were placed by it.</summary>
    public StorageNeeds Needs { get; set; } = StorageNeeds.Nothing;
    public IoLimits Limits { get; set; } = IoLimits.None;
    public DateTimeOffset CreatedAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.StorageClass;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => this;
}
