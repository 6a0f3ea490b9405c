using Plinth.Agents.Machines;

namespace Plinth.Agents.Libvirt;

/// <summary>
/// A connection to libvirtd that outlives it: broken by a restart or a hang of libvirtd (keep-alive), it is opened again in the
/// background, and "reconnected" is told so that everything is read anew. Calls in between fail as "unreachable".
/// </summary>
internal sealed class LibvirtConnection : IAsyncDisposable
{
    // A libvirtd that does not answer for 15 s is as good as dead; every waiting call then fails instead of hanging.
    private const int KeepAliveSeconds = 5;
    private const uint KeepAliveCount = 2;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly string _uri;
    private readonly Action<DomainEvent> _tell;
    private readonly CancellationTokenSource _stop = new();
    private LibvirtSession? _session;
    private Task _reconnecting = Task.CompletedTask;

    /// <param name="tell">Gets each event, mostly on libvirt's thread: it must not block.</param>
    public LibvirtConnection(string uri, Action<DomainEvent> tell) => (_uri, _tell) = (uri, tell);

    /// <summary>
    /// Runs a blocking piece of work on the connection, off the caller's thread. Nothing in it may await: libvirt's errors belong to the thread.
    /// </summary>
    /// <exception cref="HypervisorException">"unreachable" when libvirtd is away; what <paramref name="refused"/> makes of any other error.</exception>
    public async Task<T> Call<T>(Func<ConnectHandle, T> work, Func<LibvirtException, HypervisorException> refused, CancellationToken stop)
    {
        return await Task.Run(() =>
        {
            var session = Session();
            try
            {
                return work(session.Handle);
            }
            catch (LibvirtException e)
            {
                if (session.Alive) throw refused(e);
                Broken(session);
                throw Refusals.Unreachable($"the connection to libvirtd broke. It is opened again as soon as libvirtd answers. ({e.Message})", e);
            }
            catch (ObjectDisposedException e)
            {
                throw Refusals.Unreachable("the connection to libvirtd broke in the middle of a call.", e);
            }
        }, stop).WaitAsync(stop);
    }

    public Task Call(Action<ConnectHandle> work, Func<LibvirtException, HypervisorException> refused, CancellationToken stop) =>
        Call(connection =>
        {
            work(connection);
            return true;
        }, refused, stop);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task reconnecting;
        lock (_gate) reconnecting = _reconnecting;
        await reconnecting;
        lock (_gate)
        {
            _session?.Dispose();
            _session = null;
        }
    }

    private LibvirtSession Session()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            if (_session is { } open) return open;
            try
            {
                return _session = Open();
            }
            catch (LibvirtException e)
            {
                BeginReconnecting();
                throw Refusals.Unreachable($"libvirtd cannot be reached at {_uri}. Check that it runs: systemctl status libvirtd. ({e.Said})", e);
            }
        }
    }

    private LibvirtSession Open()
    {
        EventLoop.Ensure();
        var handle = Native.virConnectOpen(_uri);
        if (handle.IsInvalid) throw LibvirtException.Last($"connecting to {_uri}");
        return LibvirtSession.Begin(handle, KeepAliveSeconds, KeepAliveCount, _tell, Broken);
    }

    private void Broken(LibvirtSession session)
    {
        lock (_gate)
        {
            if (_session != session) return;
            _session = null;
            BeginReconnecting();
        }
        _tell(new DomainEvent(null, "disconnected"));
        // Not here: this may be libvirt's own thread, in a callback of the connection that is to be closed.
        _ = Task.Run(session.Dispose);
    }

    private void BeginReconnecting()
    {
        if (_reconnecting.IsCompleted && !_stop.IsCancellationRequested) _reconnecting = Task.Run(Reconnect);
    }

    private async Task Reconnect()
    {
        for (var wait = FirstRetry; !_stop.IsCancellationRequested; wait = wait * 2 < LastRetry ? wait * 2 : LastRetry)
        {
            await Task.Delay(wait, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_gate)
            {
                if (_stop.IsCancellationRequested) return;
                try
                {
                    _session ??= Open();
                }
                catch (LibvirtException)
                {
                    // Still away; the next round tries again, and calls in between say so.
                    continue;
                }
            }
            _tell(new DomainEvent(null, "reconnected"));
            return;
        }
    }
}
