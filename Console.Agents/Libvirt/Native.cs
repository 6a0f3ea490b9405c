using System.Runtime.InteropServices;

namespace Plinth.Agents.Libvirt;

/// <summary>
/// The functions of libvirt that the agent uses, under their own names. Bound when first called, so an agent of simulated hosts
/// runs where libvirt is not installed. Results of type <c>const char*</c> stay pointers (libvirt owns them); <c>char*</c> results
/// are copied and freed by <see cref="Take"/>.
/// </summary>
internal static unsafe partial class Native
{
    private const string Lib = "libvirt.so.0";
    private const string LibQemu = "libvirt-qemu.so.0";

    [LibraryImport(Lib)]
    public static partial int virInitialize();

    [LibraryImport(Lib)]
    public static partial void virSetErrorFunc(nint userData, delegate* unmanaged[Cdecl]<nint, nint, void> handler);

    [LibraryImport(Lib)]
    public static partial nint virGetLastError();

    [LibraryImport(Lib)]
    public static partial int virEventRegisterDefaultImpl();

    [LibraryImport(Lib)]
    public static partial int virEventRunDefaultImpl();

    [LibraryImport(Lib)]
    public static partial int virEventAddTimeout(int milliseconds, delegate* unmanaged[Cdecl]<int, nint, void> callback, nint opaque, nint free);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial ConnectHandle virConnectOpen(string uri);

    [LibraryImport(Lib)]
    public static partial int virConnectClose(nint connection);

    [LibraryImport(Lib)]
    public static partial int virConnectIsAlive(ConnectHandle connection);

    [LibraryImport(Lib)]
    public static partial int virConnectSetKeepAlive(ConnectHandle connection, int intervalSeconds, uint count);

    [LibraryImport(Lib)]
    public static partial int virConnectGetVersion(ConnectHandle connection, out ulong version);

    [LibraryImport(Lib)]
    public static partial int virConnectGetLibVersion(ConnectHandle connection, out ulong version);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint virConnectGetDomainCapabilities(ConnectHandle connection, string? emulator, string arch, string machine, string type, uint flags);

    [LibraryImport(Lib)]
    public static partial int virConnectRegisterCloseCallback(ConnectHandle connection, delegate* unmanaged[Cdecl]<nint, int, nint, void> callback, nint opaque, delegate* unmanaged[Cdecl]<nint, void> free);

    [LibraryImport(Lib)]
    public static partial int virConnectUnregisterCloseCallback(ConnectHandle connection, delegate* unmanaged[Cdecl]<nint, int, nint, void> callback);

    /// <summary>The callback's real type depends on the event id: see the callers.</summary>
    [LibraryImport(Lib)]
    public static partial int virConnectDomainEventRegisterAny(ConnectHandle connection, nint domain, int eventId, void* callback, nint opaque, delegate* unmanaged[Cdecl]<nint, void> free);

    [LibraryImport(Lib)]
    public static partial int virConnectDomainEventDeregisterAny(ConnectHandle connection, int callbackId);

    [LibraryImport(Lib)]
    public static partial int virConnectListAllDomains(ConnectHandle connection, out nint domains, uint flags);

    [LibraryImport(Lib)]
    public static partial int virConnectGetAllDomainStats(ConnectHandle connection, uint stats, out nint records, uint flags);

    [LibraryImport(Lib)]
    public static partial void virDomainStatsRecordListFree(nint records);

    [LibraryImport(Lib)]
    public static partial DomainHandle virDomainLookupByUUID(ConnectHandle connection, byte* uuid);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial DomainHandle virDomainDefineXMLFlags(ConnectHandle connection, string xml, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainRef(nint domain);

    [LibraryImport(Lib)]
    public static partial int virDomainFree(nint domain);

    [LibraryImport(Lib)]
    public static partial int virDomainGetUUID(DomainHandle domain, byte* uuid);

    [LibraryImport(Lib, EntryPoint = "virDomainGetUUID")]
    public static partial int virDomainGetUUIDOf(nint domain, byte* uuid);

    [LibraryImport(Lib)]
    public static partial nint virDomainGetName(DomainHandle domain);

    [LibraryImport(Lib)]
    public static partial uint virDomainGetID(DomainHandle domain);

    [LibraryImport(Lib)]
    public static partial int virDomainGetState(DomainHandle domain, out int state, out int reason, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint virDomainGetMetadata(DomainHandle domain, int type, string uri, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainSetMetadata(DomainHandle domain, int type, string? metadata, string? key, string? uri, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainGetVcpusFlags(DomainHandle domain, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainSetVcpusFlags(DomainHandle domain, uint vcpus, uint flags);

    /// <summary>Disks that QEMU has met an error on; how many, or -1. With no room for any, how many there could be.</summary>
    [LibraryImport(Lib)]
    public static partial int virDomainGetDiskErrors(DomainHandle domain, [Out] DiskErrorStruct[]? errors, uint room, uint flags);

    /// <summary>virDomainDiskError; the name is to be freed.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct DiskErrorStruct
    {
        public nint Disk;
        public int Error;
    }

    [LibraryImport(Lib)]
    public static partial int virDomainGetInfo(DomainHandle domain, out DomainInfoStruct info);

    /// <summary>virDomainInfo.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct DomainInfoStruct
    {
        public byte State;
        public nuint MaxMemoryKib;
        public nuint MemoryKib;
        public ushort Vcpus;
        public ulong CpuTimeNanoseconds;
    }

    [LibraryImport(Lib)]
    public static partial nint virDomainGetXMLDesc(DomainHandle domain, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainCreateWithFlags(DomainHandle domain, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainSuspend(DomainHandle domain);

    [LibraryImport(Lib)]
    public static partial int virDomainResume(DomainHandle domain);

    [LibraryImport(Lib)]
    public static partial int virDomainShutdownFlags(DomainHandle domain, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainDestroyFlags(DomainHandle domain, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainReboot(DomainHandle domain, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainReset(DomainHandle domain, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainUndefineFlags(DomainHandle domain, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainAttachDeviceFlags(DomainHandle domain, string xml, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainDetachDeviceFlags(DomainHandle domain, string xml, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainBlockResize(DomainHandle domain, string disk, ulong size, uint flags);

    /// <summary>Parameters is a <c>virTypedParameterPtr</c>; with a count of 0 the number of parameters is given.</summary>
    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainGetBlockIoTune(DomainHandle domain, string disk, nint parameters, ref int count, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainSetBlockIoTune(DomainHandle domain, string disk, nint parameters, int count, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virTypedParamsAddULLong(ref nint parameters, ref int count, ref int capacity, string name, ulong value);

    /// <summary>Frees what is in the parameters, and not their array.</summary>
    [LibraryImport(Lib)]
    public static partial void virTypedParamsClear(nint parameters, int count);

    [LibraryImport(Lib)]
    public static partial void virTypedParamsFree(nint parameters, int count);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SnapshotHandle virDomainSnapshotCreateXML(DomainHandle domain, string xml, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SnapshotHandle virDomainSnapshotLookupByName(DomainHandle domain, string name, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainListAllSnapshots(DomainHandle domain, out nint snapshots, uint flags);

    [LibraryImport(Lib)]
    public static partial nint virDomainSnapshotGetXMLDesc(SnapshotHandle snapshot, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainRevertToSnapshot(SnapshotHandle snapshot, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainSnapshotDelete(SnapshotHandle snapshot, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainSnapshotFree(nint snapshot);

    [LibraryImport(Lib)]
    public static partial int virDomainAgentSetResponseTimeout(DomainHandle domain, int seconds, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainFSFreeze(DomainHandle domain, nint mountPoints, uint count, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainFSThaw(DomainHandle domain, nint mountPoints, uint count, uint flags);

    [LibraryImport(LibQemu, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainQemuMonitorCommand(DomainHandle domain, string command, out nint answer, uint flags);

    [LibraryImport(LibQemu, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint virDomainQemuAgentCommand(DomainHandle domain, string command, int timeoutSeconds, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial PoolHandle virStoragePoolLookupByName(ConnectHandle connection, string name);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial PoolHandle virStoragePoolDefineXML(ConnectHandle connection, string xml, uint flags);

    [LibraryImport(Lib)]
    public static partial nint virStoragePoolGetXMLDesc(PoolHandle pool, uint flags);

    [LibraryImport(Lib)]
    public static partial int virStoragePoolIsActive(PoolHandle pool);

    [LibraryImport(Lib)]
    public static partial int virStoragePoolCreate(PoolHandle pool, uint flags);

    [LibraryImport(Lib)]
    public static partial int virStoragePoolSetAutostart(PoolHandle pool, int autostart);

    [LibraryImport(Lib)]
    public static partial int virStoragePoolRefresh(PoolHandle pool, uint flags);

    [LibraryImport(Lib)]
    public static partial int virStoragePoolFree(nint pool);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial VolumeHandle virStorageVolCreateXML(PoolHandle pool, string xml, uint flags);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial VolumeHandle virStorageVolLookupByName(PoolHandle pool, string name);

    [LibraryImport(Lib)]
    public static partial int virStorageVolResize(VolumeHandle volume, ulong capacity, uint flags);

    [LibraryImport(Lib)]
    public static partial int virStorageVolFree(nint volume);

    [LibraryImport(Lib)]
    public static partial NetworkHandle virNetworkLookupByUUID(ConnectHandle connection, byte* uuid);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    public static partial NetworkHandle virNetworkDefineXML(ConnectHandle connection, string xml);

    [LibraryImport(Lib)]
    public static partial nint virNetworkGetXMLDesc(NetworkHandle network, uint flags);

    [LibraryImport(Lib)]
    public static partial int virNetworkIsActive(NetworkHandle network);

    [LibraryImport(Lib)]
    public static partial int virNetworkCreate(NetworkHandle network);

    [LibraryImport(Lib)]
    public static partial int virNetworkSetAutostart(NetworkHandle network, int autostart);

    [LibraryImport(Lib)]
    public static partial int virNetworkFree(nint network);

    [LibraryImport(Lib)]
    public static partial StreamHandle virStreamNew(ConnectHandle connection, uint flags);

    [LibraryImport(Lib)]
    public static partial int virDomainOpenConsole(DomainHandle domain, nint deviceName, StreamHandle stream, uint flags);

    /// <summary>One end of a socket pair whose other end QEMU serves RFB on. Only over a UNIX socket to libvirtd.</summary>
    [LibraryImport(Lib)]
    public static partial int virDomainOpenGraphicsFD(DomainHandle domain, uint index, uint flags);

    [LibraryImport(Lib)]
    public static partial int virStreamRecv(StreamHandle stream, byte* data, nuint count);

    [LibraryImport(Lib)]
    public static partial int virStreamSend(StreamHandle stream, byte* data, nuint count);

    [LibraryImport(Lib)]
    public static partial int virStreamEventAddCallback(StreamHandle stream, int events, delegate* unmanaged[Cdecl]<nint, int, nint, void> callback, nint opaque, delegate* unmanaged[Cdecl]<nint, void> free);

    [LibraryImport(Lib)]
    public static partial int virStreamEventUpdateCallback(StreamHandle stream, int events);

    [LibraryImport(Lib)]
    public static partial int virStreamEventRemoveCallback(StreamHandle stream);

    [LibraryImport(Lib)]
    public static partial int virStreamAbort(StreamHandle stream);

    [LibraryImport(Lib)]
    public static partial int virStreamFree(nint stream);

    [LibraryImport("libc")]
    public static partial void free(nint memory);

    /// <summary>Copies and frees a <c>char*</c> that the caller owns; null for null.</summary>
    public static string? Take(nint text)
    {
        if (text == 0) return null;
        var copy = Marshal.PtrToStringUTF8(text);
        free(text);
        return copy;
    }
}
