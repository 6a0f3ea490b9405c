using System.Threading.Channels;
using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Upgrade;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>Drives an <see cref="AgentSession"/>: brings it what happens, carries out what it wants, connection after connection.</summary>
internal sealed class SessionDriver
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WelcomeWithin = TimeSpan.FromSeconds(30);

    /// <summary>The console has to change first: an operator's act, an update.</summary>
    private static readonly TimeSpan RefusedPause = TimeSpan.FromSeconds(15);

    private readonly IConsoleConnector _connector;
    private readonly AgentLedger _ledger;
    private readonly HostReconciler _reconciler;
    private readonly HostVitals _vitals;
    private readonly CommandRunner _commands;
    private readonly Guid _boot;
    private readonly bool _simulated;
    private readonly ExecutableKeeper? _executable;
    private readonly TimeProvider _time;
    private readonly TimeSpan _reportEvery;
    private readonly AgentLog _log;
    private readonly Channel<object> _inbox = Channel.CreateUnbounded<object>(new UnboundedChannelOptions { SingleReader = true });
    private AgentSession _session = AgentSession.Restore(AgentMemory.Empty).Session;
    private volatile Outbox? _outbox;
    private EndSession? _end;
    private int _dropped;
    private CancellationToken _stop;

    public SessionDriver(IConsoleConnector connector, AgentLedger ledger, HostReconciler reconciler, HostVitals vitals, CommandRunner commands, Guid boot, bool simulated, TimeProvider time, TimeSpan reportEvery, AgentLog log, ExecutableKeeper? executable = null)
    {
        (_connector, _ledger, _reconciler, _vitals, _commands, _boot, _simulated, _time, _reportEvery, _log, _executable) = (connector, ledger, reconciler, vitals, commands, boot, simulated, time, reportEvery, log, executable);
        reconciler.Changed += () => _outbox?.HostChanged();
        vitals.Changed += () => _outbox?.HostChanged();
    }

    /// <summary>The console was told everything about the host in a session of this process.</summary>
    public event Action? ToldInFull;

    /// <summary>A command succeeded, and that is remembered.</summary>
    public event Action<CommandBody>? Succeeded;

    /// <summary>The connection in force is given up and made anew, as after a renewal of the certificate.</summary>
    public void Reconnect() => _inbox.Writer.TryWrite(new Lost(null, "a new certificate is to be used"));

    /// <summary>A telemetry sample; without a session it is dropped and counted.</summary>
    public void Offer(HostSample host, IReadOnlyList<VmSample> machines)
    {
        if (_outbox is { } outbox && _session.Phase == SessionPhase.Open) outbox.Offer(host, machines);
        else Interlocked.Increment(ref _dropped);
    }

    public async Task Run(CancellationToken stop)
    {
        _stop = stop;
        Apply(AgentSession.Restore(_ledger.State.Memory));
        using var ticks = _time.CreateTimer(_ => _inbox.Writer.TryWrite(new Tick()), null, TickEvery, TickEvery);
        var (failures, told) = (0, "");
        while (!stop.IsCancellationRequested)
        {
            string reason;
            var opened = false;
            _end = null;
            try
            {
                await using var connection = await _connector.Connect(stop);
                (opened, reason) = await Serve(connection, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                reason = ConsoleHttp.Cause(e);
            }
            Apply(_session.Disconnected());
            failures = opened ? 1 : failures + 1;
            if (opened || reason != told) _log.Warn(opened ? $"the session has ended: {reason}" : $"no session with the console: {reason}");
            told = reason;
            // Servers that follow take over within seconds: the next is asked at once, and again and again.
            if (_end is { NextServer: true }) failures = 1;
            var pause = _end is { RetrySoon: false } ? RefusedPause : Backoff.Jittered(Math.Min(failures, 4));
            await Idle(_time.GetUtcNow() + pause, stop);
        }
    }

    /// <summary>Serves one connection until its end; whether it came to a session, and why it ended.</summary>
    private async Task<(bool Opened, string Reason)> Serve(IConsoleConnection connection, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var outbox = new Outbox(connection, _reconciler, _vitals, _time, _reportEvery);
        outbox.ToldInFull += () => ToldInFull?.Invoke();
        outbox.CountDropped(Interlocked.Exchange(ref _dropped, 0));
        _outbox = outbox;
        var sending = Send(outbox, connection, over.Token);
        var receiving = Receive(connection, over.Token);
        var (begun, opened) = (_time.GetUtcNow(), false);
        try
        {
            Apply(_session.Connected(AgentVersion.Text, _boot, _simulated, _executable?.Facts));
            while (true)
            {
                var happened = await _inbox.Reader.ReadAsync(stop);
                if (happened is Lost lost && (lost.Connection is null || lost.Connection == connection)) return (opened, lost.Reason);
                if (happened is Received received && received.Connection != connection) continue;
                Happen(happened);
                if (_session.Phase == SessionPhase.Open && !opened)
                {
                    opened = true;
                    _log.Info($"session open, epoch {_session.Epoch}");
                }
                if (_end is { } end) return (opened, $"{end.Reason} ({end.Code})");
                if (_session.Phase == SessionPhase.AwaitingWelcome && _time.GetUtcNow() - begun > WelcomeWithin) return (false, $"the console did not answer the hello within {WelcomeWithin.TotalSeconds:0} s");
            }
        }
        finally
        {
            _outbox = null;
            await over.CancelAsync();
            await Task.WhenAll(sending, receiving);
            Interlocked.Add(ref _dropped, outbox.Unsent);
        }
    }

    /// <summary>Between connections: ends of commands are still remembered.</summary>
    private async Task Idle(DateTimeOffset until, CancellationToken stop)
    {
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var pause = Task.Delay(until - _time.GetUtcNow() is { Ticks: > 0 } left ? left : TimeSpan.Zero, _time, wake.Token);
        while (!pause.IsCompleted)
        {
            var waiting = _inbox.Reader.WaitToReadAsync(wake.Token).AsTask();
            await Task.WhenAny(pause, waiting);
            while (_inbox.Reader.TryRead(out var happened)) Happen(happened);
        }
        await wake.CancelAsync();
    }

    private void Happen(object happened)
    {
        switch (happened)
        {
            case Received received: Apply(_session.Received(received.Message, _time.GetUtcNow())); break;
            case Done done:
                Apply(_session.Finished(done.Command.Id, done.Succeeded, done.Message));
                if (done.Succeeded) Succeeded?.Invoke(done.Command.Body);
                break;
            case Tick: Apply(_session.Tick(_time.GetUtcNow())); break;
        }
    }

    private void Apply(SessionStep step)
    {
        _session = step.Session;
        foreach (var effect in step.Effects)
        {
            switch (effect)
            {
                case SendToConsole send: _outbox?.Answer(send.Message); break;
                case RememberEpoch remember: _ledger.Record(new EpochEntry(remember.Epoch)); break;
                case ReportInFull: _outbox?.Open(_session.Epoch); break;
                case AcceptDesired accept:
                    _ledger.Record(new DesiredEntry(accept.State));
                    _reconciler.Wake();
                    break;
                case BeginCommand begin:
                    _ledger.Record(new CommandEntry(CommandRecord.Begun(begin.Command)));
                    _ = Task.Run(() => Execute(begin.Command), CancellationToken.None);
                    break;
                case RememberCommand remember: _ledger.Record(new CommandEntry(remember.Record)); break;
                case ForgetCommand forget: _ledger.Record(new CommandForgottenEntry(forget.Id)); break;
                case RememberServers remember: _connector.Learn(remember.Hubs); break;
                case EndSession end:
                    _end = end;
                    if (end.NextServer) _connector.GoTo(end.Elsewhere);
                    break;
                case Note note: _log.Warn(note.Sentence); break;
                default: throw new InvalidOperationException($"nobody knows how to do {effect.GetType().Name}");
            }
        }
    }

    private async Task Execute(Command command)
    {
        try
        {
            var (succeeded, message) = await _commands.Run(command, _stop);
            _inbox.Writer.TryWrite(new Done(command, succeeded, message));
        }
        catch (OperationCanceledException)
        {
            // The agent is being stopped: its next start answers the command as interrupted.
        }
    }

    private async Task Send(Outbox outbox, IConsoleConnection connection, CancellationToken stop)
    {
        try
        {
            await outbox.Run(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            _inbox.Writer.TryWrite(new Lost(connection, $"sending failed: {ConsoleHttp.Cause(e)}"));
        }
    }

    private async Task Receive(IConsoleConnection connection, CancellationToken stop)
    {
        try
        {
            await foreach (var message in connection.Messages.ReadAllAsync(stop)) _inbox.Writer.TryWrite(new Received(connection, message));
            _inbox.Writer.TryWrite(new Lost(connection, "the console closed the connection"));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            _inbox.Writer.TryWrite(new Lost(connection, ConsoleHttp.Cause(e)));
        }
    }

    private sealed record Received(IConsoleConnection Connection, ServerMessage Message);

    private sealed record Lost(IConsoleConnection? Connection, string Reason);

    private sealed record Done(Command Command, bool Succeeded, string Message);

    private sealed record Tick;
}
