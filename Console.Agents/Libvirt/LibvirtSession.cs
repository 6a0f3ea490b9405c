using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plinth.Agents.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Libvirt;

/// <summary>One opened connection with its event registrations, from opening until it breaks.</summary>
internal sealed unsafe class LibvirtSession : IDisposable
{
    private const int Lifecycle = 0, Reboot = 1, IoError = 4, BlockJob = 16, AgentLifecycle = 18;
    private static readonly string[] LifecycleWords = ["defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown", "pm-suspended", "crashed"];

    private readonly List<int> _registrations = [];
    private readonly Action<DomainEvent> _tell;
    private readonly Action<LibvirtSession> _broken;

    private LibvirtSession(ConnectHandle handle, Action<DomainEvent> tell, Action<LibvirtSession> broken) =>
        (Handle, _tell, _broken) = (handle, tell, broken);

    public ConnectHandle Handle { get; }

    public bool Alive
    {
        get
        {
            try
            {
                return Native.virConnectIsAlive(Handle) == 1;
            }
            // Closed already, by the thread that saw it break first.
            catch (ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <param name="tell">Gets each event, on libvirt's thread: it must not block.</param>
    /// <param name="broken">Told once, on libvirt's thread, when the connection is lost.</param>
    public static LibvirtSession Begin(ConnectHandle handle, int keepAliveSeconds, uint keepAliveCount, Action<DomainEvent> tell, Action<LibvirtSession> broken)
    {
        var session = new LibvirtSession(handle, tell, broken);
        try
        {
            if (Native.virConnectSetKeepAlive(handle, keepAliveSeconds, keepAliveCount) < 0) throw LibvirtException.Last("setting keep-alive");
            session.Register(Lifecycle, (delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, int>)&OnLifecycle);
            session.Register(Reboot, (delegate* unmanaged[Cdecl]<nint, nint, nint, void>)&OnReboot);
            session.Register(IoError, (delegate* unmanaged[Cdecl]<nint, nint, nint, nint, int, nint, void>)&OnIoError);
            session.Register(BlockJob, (delegate* unmanaged[Cdecl]<nint, nint, nint, int, int, nint, void>)&OnBlockJob);
            session.Register(AgentLifecycle, (delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, void>)&OnAgent);
            var opaque = Callback.Hold(session);
            if (Native.virConnectRegisterCloseCallback(handle, &OnClose, opaque, Callback.Free) < 0)
            {
                Callback.Release(opaque);
                throw LibvirtException.Last("watching the connection");
            }
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (Handle.IsClosed) return;
        // On a broken connection these fail; they still let go of the callbacks on this side.
        foreach (var registration in _registrations) _ = Native.virConnectDomainEventDeregisterAny(Handle, registration);
        _ = Native.virConnectUnregisterCloseCallback(Handle, &OnClose);
        Handle.Dispose();
    }

    private void Register(int eventId, void* callback)
    {
        var opaque = Callback.Hold(this);
        var id = Native.virConnectDomainEventRegisterAny(Handle, 0, eventId, callback, opaque, Callback.Free);
        if (id < 0)
        {
            Callback.Release(opaque);
            throw LibvirtException.Last($"registering for events of kind {eventId}");
        }
        _registrations.Add(id);
    }

    private static void Tell(nint opaque, nint domain, string what) =>
        Callback.Target<LibvirtSession>(opaque)._tell(new DomainEvent(IdOf(domain), what));

    private static VmId? IdOf(nint domain)
    {
        Span<byte> uuid = stackalloc byte[16];
        fixed (byte* bytes = uuid)
            return Native.virDomainGetUUIDOf(domain, bytes) < 0 ? null : new VmId(new Guid(uuid, bigEndian: true));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnLifecycle(nint connection, nint domain, int kind, int detail, nint opaque)
    {
        Tell(opaque, domain, kind >= 0 && kind < LifecycleWords.Length ? LifecycleWords[kind] : "changed");
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnReboot(nint connection, nint domain, nint opaque) => Tell(opaque, domain, DomainEvent.Rebooted);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnIoError(nint connection, nint domain, nint path, nint device, int action, nint opaque) => Tell(opaque, domain, "io-error");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnBlockJob(nint connection, nint domain, nint disk, int type, int status, nint opaque) => Tell(opaque, domain, "block-job");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnAgent(nint connection, nint domain, int state, int reason, nint opaque) =>
        Tell(opaque, domain, state == 1 ? "agent-connected" : "agent-disconnected");

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnClose(nint connection, int reason, nint opaque)
    {
        var session = Callback.Target<LibvirtSession>(opaque);
        session._broken(session);
    }
}
