using System.Collections.Concurrent;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Hubs.Consoles;

namespace Plinth.Web.Hubs;

/// <summary>
/// The sessions in force, one per host: the newest. Brings each agent's messages to the application one after the other, and the
/// application's wakes and commands to the agents. Only the server that leads has sessions; what their messages set off is written under its term.
/// </summary>
public sealed class AgentSessions : IAgentGateway, IDisposable
{
    /// <summary>A refused agent reads the reason and closes; one that does not is cut off.</summary>
    private static readonly TimeSpan RefusalGrace = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<HostId, AgentConnection> _current = new();
    // One gate per host that ever connected: the application is told that calls for one host never overlap.
    private readonly ConcurrentDictionary<HostId, SemaphoreSlim> _gates = new();
    private readonly IAgentDirectory _directory;
    private readonly ConsoleSockets _consoles;
    private readonly ILeadership _leadership;
    private readonly TimeProvider _clock;
    private readonly ILogger<AgentSessions> _log;
    private long _reports;

    public AgentSessions(IAgentDirectory directory, ConsoleSockets consoles, ILeadership leadership, TimeProvider clock, ILogger<AgentSessions> log)
    {
        (_directory, _consoles, _leadership, _clock, _log) = (directory, consoles, leadership, clock, log);
        _leadership.Ended += EndAll;
        _leadership.HubsChanged += WakeAll;
    }

    public void Dispose()
    {
        _leadership.Ended -= EndAll;
        _leadership.HubsChanged -= WakeAll;
    }

    public int Count => _current.Count;

    /// <summary>How many were taken in since the start.</summary>
    public long Reports => Interlocked.Read(ref _reports);

    public bool IsConnected(HostId host) => _current.ContainsKey(host);

    public void Wake(HostId host)
    {
        if (_current.TryGetValue(host, out var connection)) connection.WantDesired();
    }

    public Task Send(HostId host, Command command, CancellationToken stop)
    {
        if (_current.TryGetValue(host, out var connection)) connection.Send(command with { Epoch = connection.Epoch });
        return Task.CompletedTask;
    }

    public void Open(AgentConnection connection) =>
        _ = connection.Pump(() => Serially(connection.Host, () => _directory.Desired(connection.Host, connection.Closed), connection.Closed), () => _leadership.Hubs);

    /// <summary>Takes one frame. Whoever breaks the protocol or speaks for a session that is over loses the connection.</summary>
    public async Task Receive(AgentConnection connection, Frame frame)
    {
        try
        {
            if (connection.Join(frame) is { } message)
                await Serially(connection.Host, () => Handle(connection, message, connection.Closed), connection.Closed);
        }
        catch (InvalidDataException e)
        {
            Refuse(connection, "protocol_error", e.Message);
        }
        catch (StaleEpochException e)
        {
            Refuse(connection, "stale_epoch", e.Message);
        }
        catch (LeadershipOverException e)
        {
            connection.End(e.Message);
        }
        catch (OperationCanceledException) when (connection.Closed.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // The agent keeps what it knows and reports it again in a new session.
            _log.LogError(e, "A message of host {Host} could not be handled.", connection.Host);
            connection.End("a message could not be handled");
        }
    }

    public async Task Close(AgentConnection connection)
    {
        _current.TryRemove(new KeyValuePair<HostId, AgentConnection>(connection.Host, connection));
        if (connection.Epoch == Epoch.None || connection.Term is not { } term) return;
        try
        {
            await Serially(connection.Host, async () =>
            {
                await _leadership.Under(term, () => _directory.Disconnected(connection.Host, connection.Epoch, CancellationToken.None));
                return Done.Value;
            }, CancellationToken.None);
        }
        catch (Exception e) when (e is StaleEpochException or LeadershipOverException)
        {
            // A newer session is in force, or another server: nobody misses this one.
        }
    }

    private async Task<Done> Handle(AgentConnection connection, AgentMessage message, CancellationToken stop)
    {
        if (message is Hello hello)
        {
            // Asked once: the whole session belongs to this term.
            if (_leadership.Term is { } term) await _leadership.Under(term, () => Greet(connection, hello, term, stop));
            else TurnAway(connection);
            return Done.Value;
        }
        if (connection.Term is not { } own) throw new InvalidDataException($"{message.GetType().Name} arrived before a welcome");
        await _leadership.Under(own, () => Take(connection, message, stop));
        return Done.Value;
    }

    private void TurnAway(AgentConnection connection)
    {
        var leader = _leadership.Elsewhere;
        Refuse(connection, new Refused(Refused.NotLeaderCode,
            leader is null ? "No server of this console leads for the moment; ask again." : $"Sessions are given by the server that leads, {leader.Name} at {leader.HubUrl}.", _leadership.Hubs, leader?.HubUrl), expected: true);
    }

    private void EndAll()
    {
        foreach (var connection in _current.Values) connection.End("this server does not lead any more");
    }

    private void WakeAll()
    {
        foreach (var connection in _current.Values) connection.WantDesired();
    }

    private async Task Take(AgentConnection connection, AgentMessage message, CancellationToken stop)
    {
        var epoch = message switch
        {
            Report report => report.Epoch,
            TelemetryBatch batch => batch.Epoch,
            CommandResult result => result.Epoch,
            _ => throw new InvalidDataException($"{message.GetType().Name} is not known"),
        };
        if (epoch != connection.Epoch) throw new StaleEpochException(connection.Host, epoch, connection.Epoch);
        switch (message)
        {
            case Report report:
                await _directory.Report(connection.Host, report, stop);
                Interlocked.Increment(ref _reports);
                break;
            case TelemetryBatch batch:
                await _directory.Telemetry(connection.Host, batch, stop);
                break;
            case CommandResult result:
                // A console is opened by a command that nobody stored: its answer goes to the waiting browser.
                if (!_consoles.Answered(result)) await _directory.CommandResult(connection.Host, result, stop);
                connection.Send(new CommandAck(connection.Epoch, result.Command));
                break;
        }
    }

    private async Task Greet(AgentConnection connection, Hello hello, Epoch term, CancellationToken stop)
    {
        if (connection.Greeted) throw new InvalidDataException("a second hello arrived in one session");
        connection.Greeted = true;
        switch (await _directory.Hello(connection.Host, hello, stop))
        {
            case Welcome welcome:
                (connection.Epoch, connection.Term) = (welcome.Epoch, term);
                AgentConnection? former = null;
                _current.AddOrUpdate(connection.Host, connection, (_, present) => { former = present; return connection; });
                if (former is not null && former != connection) former.End("the host has begun another session");
                // Ended before it was on the list: nobody else would end it.
                if (_leadership.Term != term) throw new LeadershipOverException("This server does not lead any more.");
                connection.Send(welcome);
                connection.WantDesired();
                foreach (var command in await _directory.PendingCommands(connection.Host, welcome.Epoch, stop)) connection.Send(command with { Epoch = welcome.Epoch });
                break;
            case Refused refused:
                Refuse(connection, refused.Code, refused.Message);
                break;
            case var other:
                throw new InvalidOperationException($"hello of host {connection.Host} was answered by {other.GetType().Name}");
        }
    }

    private void Refuse(AgentConnection connection, string code, string message) => Refuse(connection, new Refused(code, message, _leadership.Hubs));

    private void Refuse(AgentConnection connection, Refused refused, bool expected = false)
    {
        _log.Log(expected ? LogLevel.Debug : LogLevel.Warning, "Host {Host} is refused: {Code}: {Reason}", connection.Host, refused.Code, refused.Message);
        connection.Send(refused);
        _ = CutOff();

        async Task CutOff()
        {
            try
            {
                await Task.Delay(RefusalGrace, _clock, connection.Closed);
                connection.End("it was refused");
            }
            catch (OperationCanceledException)
            {
                // The agent has closed by itself.
            }
        }
    }

    private async Task<T> Serially<T>(HostId host, Func<Task<T>> act, CancellationToken stop)
    {
        var gate = _gates.GetOrAdd(host, _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(stop);
        try
        {
            return await act();
        }
        finally
        {
            gate.Release();
        }
    }
}
