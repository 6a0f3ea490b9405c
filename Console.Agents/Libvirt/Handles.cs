using System.Runtime.InteropServices;

namespace Plinth.Agents.Libvirt;

/// <summary>A counted reference to an object of libvirt; a call keeps it alive while another thread disposes of it.</summary>
internal abstract class LibvirtHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;
}

internal sealed class ConnectHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => Native.virConnectClose(handle) >= 0;
}

internal sealed class DomainHandle : LibvirtHandle
{
    public DomainHandle()
    {
    }

    /// <summary>Takes over a reference that an array of results carries.</summary>
    public DomainHandle(nint owned) => SetHandle(owned);

    protected override bool ReleaseHandle() => Native.virDomainFree(handle) >= 0;
}

internal sealed class SnapshotHandle : LibvirtHandle
{
    public SnapshotHandle()
    {
    }

    public SnapshotHandle(nint snapshot) => SetHandle(snapshot);

    protected override bool ReleaseHandle() => Native.virDomainSnapshotFree(handle) >= 0;
}

internal sealed class PoolHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => Native.virStoragePoolFree(handle) >= 0;
}

internal sealed class VolumeHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => Native.virStorageVolFree(handle) >= 0;
}

internal sealed class NetworkHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => Native.virNetworkFree(handle) >= 0;
}

internal sealed class StreamHandle : LibvirtHandle
{
    protected override bool ReleaseHandle() => Native.virStreamFree(handle) >= 0;
}
