using System.Runtime.InteropServices;

namespace Plinth.Agents.Libvirt;

/// <summary>libvirt's error numbers (virErrorNumber) that decisions are made on.</summary>
internal enum LibvirtError
{
    Unknown = -1,
    InternalError = 1,
    NoConnect = 5,
    InvalidConnection = 6,
    OperationFailed = 9,
    DomainExists = 28,
    SystemError = 38,
    Rpc = 39,
    NoDomain = 42,
    NoNetwork = 43,
    NoStoragePool = 49,
    NoStorageVolume = 50,
    OperationInvalid = 55,
    OperationTimeout = 68,
    NoSnapshot = 72,
    AgentUnresponsive = 86,
    StorageVolumeExists = 90,
    AgentUnsynced = 97,
}

/// <summary>A call of libvirt failed; says what was attempted and what libvirt said.</summary>
internal sealed class LibvirtException(LibvirtError error, string said, string attempted) : Exception($"{attempted}: {said}")
{
    public LibvirtError Error { get; } = error;

    /// <summary>libvirt's own sentence.</summary>
    public string Said { get; } = said;

    /// <summary>The last error of this thread. To be read on the thread of the failed call, with no await between.</summary>
    public static LibvirtException Last(string attempted)
    {
        var error = Native.virGetLastError();
        if (error == 0) return new LibvirtException(LibvirtError.Unknown, "libvirt gave no reason", attempted);
        // struct _virError { int code; int domain; char *message; … }
        var message = Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(error, 8));
        return new LibvirtException((LibvirtError)Marshal.ReadInt32(error), message ?? "libvirt gave no reason", attempted);
    }
}
