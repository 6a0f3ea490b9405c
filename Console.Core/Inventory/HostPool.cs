namespace Plinth.Core.Inventory;

/// <summary>How a host's pool keeps disks.</summary>
public enum PoolKind
{
    /// <summary>Files in a directory of the host (libvirt pool type <c>dir</c>).</summary>
    Directory,
    /// <summary>Thin volumes of a volume group. Described only: no agent makes such a pool yet.</summary>
    LvmThin,
    /// <summary>Files on an export that several hosts mount. Described only: no agent makes such a pool yet.</summary>
    Nfs,
}

/// <summary>What the disks lie on.</summary>
public enum StorageMedium
{
    /// <summary>The kernel does not say.</summary>
    Unknown,
    Rotating,
    SolidState,
}

/// <summary>A host's pool and what it can do, as its agent reports it.</summary>
/// <param name="ThinProvisioning">A disk takes what was written to it, not its size.</param>
/// <param name="Shared">Other hosts reach the same disks.</param>
/// <param name="OnlineResize">A disk grows under its running guest.</param>
public sealed record HostPool(string Name, PoolKind Kind, StorageMedium Medium, bool ThinProvisioning, bool Shared, bool Snapshots, bool OnlineResize)
{
    /// <summary>The one pool that each host has.</summary>
    public const string DefaultName = "default";

    /// <summary>A pool with all that its kind can do.</summary>
    public static HostPool Of(PoolKind kind, StorageMedium medium, string name = DefaultName) => kind switch
    {
        // qcow2 files: thin, with snapshots, grown under the guest; the directory is this host's alone.
        PoolKind.Directory => new(name, kind, medium, ThinProvisioning: true, Shared: false, Snapshots: true, OnlineResize: true),
        PoolKind.LvmThin => new(name, kind, medium, ThinProvisioning: true, Shared: false, Snapshots: true, OnlineResize: true),
        PoolKind.Nfs => new(name, kind, medium, ThinProvisioning: true, Shared: true, Snapshots: true, OnlineResize: true),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>"a directory".</summary>
    public static string Word(PoolKind kind) => kind switch
    {
        PoolKind.Directory => "a directory",
        PoolKind.LvmThin => "an LVM thin pool",
        PoolKind.Nfs => "an NFS export",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>"solid state".</summary>
    public static string Word(StorageMedium medium) => medium switch
    {
        StorageMedium.Unknown => "an unknown medium",
        StorageMedium.Rotating => "rotating disks",
        StorageMedium.SolidState => "solid state",
        _ => throw new ArgumentOutOfRangeException(nameof(medium), medium, null),
    };
}
