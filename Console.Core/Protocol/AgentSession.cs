using System.Collections.Immutable;
using Plinth.Core.Primitives;

namespace Plinth.Core.Protocol;

public enum SessionPhase
{
    /// <summary>No connection, or one that was given up.</summary>
    Closed,
    /// <summary>Hello is sent; only a welcome or a refusal makes sense.</summary>
    AwaitingWelcome,
    /// <summary>Both ends agree on the epoch.</summary>
    Open,
}

/// <summary>
/// The agent's end of the protocol: message in, state and effects out; no clock, no I/O. Its memory is what the ledger holds,
/// so a restarted agent continues here. Guarantees, whatever is repeated, reordered or lost: a command is begun at most once,
/// an accepted generation is always newer than the one before, nothing of another epoch has an effect.
/// </summary>
public sealed record AgentSession
{
    /// <summary>How long past its deadline the id of an acknowledged command is kept, in case the console's clock was set back.</summary>
    public static readonly TimeSpan RememberPastDeadline = TimeSpan.FromHours(1);

    private AgentSession(AgentMemory memory) => Memory = memory;

    public AgentMemory Memory { get; private init; }
    public SessionPhase Phase { get; private init; }
    public Epoch Epoch { get; private init; }

    /// <summary>Console's clock minus ours, from the last welcome.</summary>
    public TimeSpan ClockOffset { get; private init; }

    /// <summary>The start of the process. A command that was begun and not finished is answered as interrupted: doing it again could do it twice.</summary>
    public static SessionStep Restore(AgentMemory memory)
    {
        var commands = memory.Commands;
        var effects = new List<SessionEffect>();
        foreach (var begun in memory.Commands.Values.Where(c => !c.Finished))
        {
            var record = begun with { Finished = true, Succeeded = false, Message = "The agent was restarted while it executed this; it may have taken effect. Look at the machine, then ask again." };
            commands = commands.SetItem(record.Id, record);
            effects.Add(new RememberCommand(record));
        }
        return new SessionStep(new AgentSession(memory with { Commands = commands }), effects);
    }

    /// <summary>A connection stands: say hello.</summary>
    public SessionStep Connected(string agentVersion, Guid bootId, bool simulated, AgentExecutable? executable = null) => new(
        this with { Phase = SessionPhase.AwaitingWelcome, Epoch = Epoch.None },
        [new SendToConsole(new Hello(HubNames.ProtocolVersion, agentVersion, bootId, Memory.LastEpoch, Memory.LastGeneration, simulated, executable))]);

    public SessionStep Disconnected() => new(this with { Phase = SessionPhase.Closed, Epoch = Epoch.None }, []);

    public SessionStep Received(ServerMessage message, DateTimeOffset now) => (Phase, message) switch
    {
        (SessionPhase.Closed, _) => Ignore($"{message.GetType().Name} arrived after the session was closed"),
        (SessionPhase.AwaitingWelcome, Welcome welcome) => Welcomed(welcome, now),
        (SessionPhase.AwaitingWelcome, Refused refused) => Turned(refused, retrySoon: false),
        (SessionPhase.AwaitingWelcome, _) => Ignore($"{message.GetType().Name} arrived before the welcome"),
        (SessionPhase.Open, Refused refused) => Turned(refused, retrySoon: true),
        (SessionPhase.Open, Welcome welcome) => welcome.Epoch == Epoch ? Ignore("the welcome was repeated") : Ignore($"a welcome to epoch {welcome.Epoch} arrived inside epoch {Epoch}"),
        (SessionPhase.Open, Desired desired) => InEpoch(desired.Epoch, () => Knowing(desired.Servers, OfferDesired(desired.State))),
        (SessionPhase.Open, Command command) => InEpoch(command.Epoch, () => OfferCommand(command, now)),
        (SessionPhase.Open, CommandAck ack) => InEpoch(ack.Epoch, () => Acknowledge(ack.Id, now)),
        _ => throw new ArgumentOutOfRangeException(nameof(message), message, null),
    };

    /// <summary>The act of a begun command has ended. Stored first, then sent, and sent again until it is acknowledged.</summary>
    public SessionStep Finished(CommandId id, bool succeeded, string message)
    {
        if (!Memory.Commands.TryGetValue(id, out var record)) throw new InvalidOperationException($"command {id} was finished and never begun");
        if (record.Finished) throw new InvalidOperationException($"command {id} was finished twice");
        return Record(record with { Finished = true, Succeeded = succeeded, Message = message });
    }

    /// <summary>Now and then: unacknowledged results go out again, and what cannot come back is forgotten.</summary>
    public SessionStep Tick(DateTimeOffset now)
    {
        var forgotten = Memory.Commands.Values.Where(c => c.Acknowledged && CanForget(c, now)).Select(c => c.Id).ToList();
        var session = this with { Memory = Memory with { Commands = Memory.Commands.RemoveRange(forgotten) } };
        return new SessionStep(session, [.. forgotten.Select(id => new ForgetCommand(id)), .. session.Unacknowledged()]);
    }

    private SessionStep Welcomed(Welcome welcome, DateTimeOffset now)
    {
        if (!(welcome.Epoch > Memory.LastEpoch))
            return End("console_behind", $"The console offers epoch {welcome.Epoch}; this agent has already been in {Memory.LastEpoch}. It was probably restored from a backup: adopt the host on its page.", retrySoon: false);
        var session = this with
        {
            Phase = SessionPhase.Open,
            Epoch = welcome.Epoch,
            ClockOffset = welcome.ServerTime - now,
            Memory = Memory with { LastEpoch = welcome.Epoch },
        };
        return new SessionStep(session, [new RememberEpoch(welcome.Epoch), new ReportInFull(), .. session.Unacknowledged()]);
    }

    private SessionStep OfferDesired(DesiredHostState state) => Fencing.Judge(state.Generation, Memory.LastGeneration) switch
    {
        GenerationVerdict.Newer => new SessionStep(this with { Memory = Memory with { LastGeneration = state.Generation } }, [new AcceptDesired(state)]),
        GenerationVerdict.Same => new SessionStep(this, []),
        _ => Ignore($"desired state of generation {state.Generation} was refused: {Memory.LastGeneration} is accepted already"),
    };

    private SessionStep OfferCommand(Command command, DateTimeOffset now)
    {
        if (Memory.Commands.TryGetValue(command.Id, out var known))
            return known.Finished ? new SessionStep(this, [Result(known)]) : Ignore($"command {command.Id} was repeated while it is executed");
        var late = now + ClockOffset - command.Deadline;
        if (late > TimeSpan.Zero)
            return Record(CommandRecord.Begun(command) with { Finished = true, Message = $"Expired, not executed: it arrived {late.TotalSeconds:0.0} s after its deadline." });
        return new SessionStep(With(CommandRecord.Begun(command)), [new BeginCommand(command)]);
    }

    private SessionStep Acknowledge(CommandId id, DateTimeOffset now)
    {
        if (!Memory.Commands.TryGetValue(id, out var record) || record.Acknowledged) return new SessionStep(this, []);
        if (!record.Finished) return Ignore($"command {id} was acknowledged before it was finished");
        if (CanForget(record, now))
            return new SessionStep(this with { Memory = Memory with { Commands = Memory.Commands.Remove(id) } }, [new ForgetCommand(id)]);
        var acknowledged = record with { Acknowledged = true };
        return new SessionStep(With(acknowledged), [new RememberCommand(acknowledged)]);
    }

    private SessionStep InEpoch(Epoch epoch, Func<SessionStep> step) =>
        Fencing.Check(epoch, Epoch) is { } refusal ? Ignore(refusal.Message) : step();

    private SessionStep Record(CommandRecord record)
    {
        var session = With(record);
        return new SessionStep(session, session.Phase == SessionPhase.Open ? [new RememberCommand(record), session.Result(record)] : [new RememberCommand(record)]);
    }

    private SessionStep End(string code, string reason, bool retrySoon) =>
        new(this with { Phase = SessionPhase.Closed, Epoch = Epoch.None }, [new EndSession(code, reason, retrySoon)]);

    // A server that does not lead is no fault: the next one is tried at once.
    private SessionStep Turned(Refused refused, bool retrySoon) => Knowing(refused.Servers, refused.Code == Refused.NotLeaderCode
        ? new(this with { Phase = SessionPhase.Closed, Epoch = Epoch.None }, [new EndSession(refused.Code, refused.Message, true, true, refused.Elsewhere)])
        : End(refused.Code, refused.Message, retrySoon));

    private static SessionStep Knowing(IReadOnlyList<string>? servers, SessionStep step) =>
        servers is { Count: > 0 } ? step with { Effects = [new RememberServers(servers), .. step.Effects] } : step;

    private SessionStep Ignore(string sentence) => new(this, [new Note(sentence)]);

    private bool CanForget(CommandRecord record, DateTimeOffset now) => now + ClockOffset > record.Deadline + RememberPastDeadline;

    private AgentSession With(CommandRecord record) => this with { Memory = Memory with { Commands = Memory.Commands.SetItem(record.Id, record) } };

    private SendToConsole Result(CommandRecord record) => new(new CommandResult(Epoch, record.Id, record.Succeeded, record.Message));

    private IEnumerable<SessionEffect> Unacknowledged() => Phase != SessionPhase.Open ? [] :
        Memory.Commands.Values.Where(c => c.Finished && !c.Acknowledged).OrderBy(c => c.Id.Value).Select(Result);
}
