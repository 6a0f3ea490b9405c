using Plinth.Core.Primitives;

namespace Plinth.Core.Storage;

/// <summary>How the disks of a class are kept on a host.</summary>
public enum PoolKind
{
    /// <summary>Files in a directory of the host (libvirt pool type <c>dir</c>).</summary>
    Directory,
}

/// <summary>A promise about disks that a tenant can choose by name; each host realises it as a libvirt pool of the same name.</summary>
public sealed record StorageClass(StorageClassId Id, string Name, string Description, PoolKind Kind);
