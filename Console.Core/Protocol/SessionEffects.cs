using System.Collections.Immutable;
using Plinth.Core.Primitives;

namespace Plinth.Core.Protocol;

/// <summary>What the driver of an <see cref="AgentSession"/> has to do, in the order given; a remembering is durable before the next effect.</summary>
public abstract record SessionEffect;

/// <summary>Send it on the connection in force; lost when there is none (everything that matters is sent again).</summary>
public sealed record SendToConsole(AgentMessage Message) : SessionEffect;

/// <summary>Store: no session below this epoch is accepted any more.</summary>
public sealed record RememberEpoch(Epoch Epoch) : SessionEffect;

/// <summary>Store as the last accepted desired state and wake the reconciler.</summary>
public sealed record AcceptDesired(DesiredHostState State) : SessionEffect;

/// <summary>Store that the command has begun, then do it and answer by <see cref="AgentSession.Finished"/>.</summary>
public sealed record BeginCommand(Command Command) : SessionEffect;

/// <summary>Store what became of a command.</summary>
public sealed record RememberCommand(CommandRecord Record) : SessionEffect;

/// <summary>The console has the result and a re-delivery can no longer be executed: forget it.</summary>
public sealed record ForgetCommand(CommandId Id) : SessionEffect;

/// <summary>Report everything, not only changes.</summary>
public sealed record ReportInFull : SessionEffect;

/// <summary>Store where the console's servers are; whichever leads is found among them.</summary>
public sealed record RememberServers(IReadOnlyList<string> Hubs) : SessionEffect;

/// <summary>Close the connection. <paramref name="RetrySoon"/> is false when the console has to change first: try again slowly.</summary>
/// <param name="NextServer">Another server of the console gives sessions: go on to it.</param>
/// <param name="Elsewhere">Which one, where it is known.</param>
public sealed record EndSession(string Code, string Reason, bool RetrySoon, bool NextServer = false, string? Elsewhere = null) : SessionEffect;

/// <summary>Something was refused and had no effect; for the log.</summary>
public sealed record Note(string Sentence) : SessionEffect;

/// <summary>What became of one command on this host.</summary>
/// <param name="Deadline">The console's clock.</param>
/// <param name="Finished">False from the moment before the act until its end.</param>
/// <param name="Acknowledged">The console has stored the result.</param>
public sealed record CommandRecord(CommandId Id, DateTimeOffset Deadline, bool Finished, bool Succeeded, string Message, bool Acknowledged)
{
    public static CommandRecord Begun(Command command) => new(command.Id, command.Deadline, false, false, "", false);
}

/// <summary>What survives a restart of the agent.</summary>
public sealed record AgentMemory(Epoch LastEpoch, Generation LastGeneration, ImmutableDictionary<CommandId, CommandRecord> Commands)
{
    public static AgentMemory Empty { get; } = new(Epoch.None, Generation.None, ImmutableDictionary<CommandId, CommandRecord>.Empty);
}

/// <summary>The session after a message, and what is to be done.</summary>
public sealed record SessionStep(AgentSession Session, IReadOnlyList<SessionEffect> Effects);
