using System.Diagnostics;
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

    private static readonly TimeSpan OpenDeadline = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private readonly string _uri;
    private readonly Action<DomainEvent> _tell;
    private readonly CancellationTokenSource _stop = new();
    private LibvirtSession? _session;
    private Opening? _opening;
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
        Opening opening;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            if (_session is { } open) return open;
            // A thread of its own: a libvirtd that hangs holds it for good, and every call must still come back.
            opening = _opening ??= new Opening(Task.Factory.StartNew(Open, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default), Stopwatch.GetTimestamp());
        }
        try
        {
            var left = OpenDeadline - Stopwatch.GetElapsedTime(opening.BeganAt);
            if (opening.Session.Wait(left > TimeSpan.Zero ? left : TimeSpan.Zero)) return opening.Session.Result;
            throw Refusals.Unreachable($"libvirtd at {_uri} takes a connection and does not answer. Restart it: systemctl restart libvirtd; guests run on.");
        }
        catch (AggregateException e) when (e.InnerException is LibvirtException cause)
        {
            lock (_gate) BeginReconnecting();
            throw Refusals.Unreachable($"libvirtd cannot be reached at {_uri}. Check that it runs: systemctl status libvirtd. ({cause.Said})", cause);
        }
    }

    private LibvirtSession Open()
    {
        LibvirtSession? session = null;
        try
        {
            EventLoop.Ensure();
            var handle = Native.virConnectOpen(_uri);
            if (handle.IsInvalid) throw LibvirtException.Last($"connecting to {_uri}");
            return session = LibvirtSession.Begin(handle, KeepAliveSeconds, KeepAliveCount, _tell, Broken);
        }
        finally
        {
            lock (_gate) (_session, _opening) = (session, null);
        }
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
            if (_stop.IsCancellationRequested) return;
            try
            {
                Session();
            }
            catch (HypervisorException)
            {
                // Still away; the next round tries again, and calls in between say so.
                continue;
            }
            _tell(new DomainEvent(null, "reconnected"));
            return;
        }
    }

    private sealed record Opening(Task<LibvirtSession> Session, long BeganAt);
}
