using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plinth.Agents.Libvirt;

/// <summary>
/// A domain's serial console as a stream of libvirt: takes keystrokes, and gives each piece of output to a delegate on
/// libvirt's thread. libvirt allows one such stream on a domain.
/// </summary>
internal sealed unsafe class ConsoleStream : IDisposable
{
    private const uint NonBlocking = 1;
    private const int Readable = 1, Writable = 2, Error = 4, HangUp = 8;
    private const int WouldBlock = -2;

    /// <summary>Keystrokes that wait for the guest to read them; a guest that reads nothing must not fill the agent's memory.</summary>
    private const int MaxWaitingBytes = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly StreamHandle _stream;
    private readonly Action<byte[]> _output;
    private readonly List<byte> _waiting = [];
    private bool _open = true;

    private ConsoleStream(StreamHandle stream, Action<byte[]> output) => (_stream, _output) = (stream, output);

    public bool Open
    {
        get { lock (_gate) return _open; }
    }

    /// <exception cref="LibvirtException">Somebody else has the console open, or the domain is off.</exception>
    public static ConsoleStream Attach(ConnectHandle connection, DomainHandle domain, Action<byte[]> output)
    {
        var handle = Native.virStreamNew(connection, NonBlocking);
        if (handle.IsInvalid) throw LibvirtException.Last("making a stream");
        var stream = new ConsoleStream(handle, output);
        if (Native.virDomainOpenConsole(domain, 0, handle, 0) < 0)
        {
            var error = LibvirtException.Last("opening the serial console");
            handle.Dispose();
            throw error;
        }
        var opaque = Callback.Hold(stream);
        if (Native.virStreamEventAddCallback(handle, Readable | Error | HangUp, &OnEvent, opaque, Callback.Free) < 0)
        {
            Callback.Release(opaque);
            var error = LibvirtException.Last("watching the serial console");
            handle.Dispose();
            throw error;
        }
        return stream;
    }

    /// <summary>False where the console is closed or the guest has left too much unread.</summary>
    public bool Send(ReadOnlySpan<byte> keys)
    {
        lock (_gate)
        {
            if (!_open || _waiting.Count + keys.Length > MaxWaitingBytes) return false;
            _waiting.AddRange(keys);
            return Flush();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (!_open) return;
            _open = false;
        }
        Shut();
    }

    private bool Flush()
    {
        while (_waiting.Count > 0)
        {
            int sent;
            fixed (byte* bytes = CollectionsMarshal.AsSpan(_waiting)) sent = Native.virStreamSend(_stream, bytes, (nuint)_waiting.Count);
            if (sent == WouldBlock) break;
            if (sent < 0) return false;
            _waiting.RemoveRange(0, sent);
        }
        return Native.virStreamEventUpdateCallback(_stream, Readable | Error | HangUp | (_waiting.Count > 0 ? Writable : 0)) >= 0;
    }

    private void Shut()
    {
        _ = Native.virStreamEventRemoveCallback(_stream);
        _ = Native.virStreamAbort(_stream);
        _stream.Dispose();
    }

    private void Handle(int events)
    {
        var ended = (events & (Error | HangUp)) != 0;
        if ((events & Readable) != 0) ended |= !Drain();
        lock (_gate)
        {
            if (!_open) return;
            if (!ended && (events & Writable) != 0) ended = !Flush();
            if (!ended) return;
            _open = false;
        }
        // Not in libvirt's own callback of this stream.
        _ = Task.Run(Shut);
    }

    private bool Drain()
    {
        Span<byte> buffer = stackalloc byte[4096];
        while (true)
        {
            int read;
            fixed (byte* bytes = buffer) read = Native.virStreamRecv(_stream, bytes, (nuint)buffer.Length);
            if (read == WouldBlock) return true;
            if (read <= 0) return false;
            _output(buffer[..read].ToArray());
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnEvent(nint stream, int events, nint opaque)
    {
        try
        {
            Callback.Target<ConsoleStream>(opaque).Handle(events);
        }
        catch (ObjectDisposedException)
        {
            // Disposed of while the event was on its way.
        }
    }
}
