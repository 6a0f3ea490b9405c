using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.WebUtilities;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;

namespace Plinth.Web.Hubs.Consoles;

/// <summary>
/// Tickets for consoles, and the meeting points where an agent's socket is awaited. A ticket is used up by its first socket;
/// each viewer has a ticket, a meeting point and an agent socket of its own, so several people can look at one VM.
/// </summary>
public sealed class ConsoleSockets(TimeProvider clock) : IConsoleBroker
{
    /// <summary>Time from the click to the socket.</summary>
    public static readonly TimeSpan TicketLifetime = TimeSpan.FromSeconds(30);

    /// <summary>Tickets that were issued and not used yet; past it the oldest are dropped. 1,000 clicks within 30 s are no people.</summary>
    private const int MaxTickets = 1000;

    private readonly ConcurrentDictionary<string, Ticket> _tickets = new();
    private readonly ConcurrentDictionary<string, Meeting> _meetings = new();
    private readonly ConcurrentDictionary<CommandId, Meeting> _commands = new();

    public sealed record Ticket(string PrincipalId, VmId Vm, HostId Host, ConsoleKind Kind, DateTimeOffset ExpiresAt);

    /// <summary>Where a browser waits for the agent of <paramref name="Host"/>.</summary>
    public sealed record Meeting(string Id, VmId Vm, HostId Host, Command Command)
    {
        /// <summary>The agent's socket, or the refusal that it sent instead.</summary>
        public TaskCompletionSource<WebSocket> Agent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The request of the agent's socket lives until this ends.</summary>
        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public ConsoleTicketView Issue(Principal principal, VmId vm, HostId host, ConsoleKind kind)
    {
        var now = clock.GetUtcNow();
        foreach (var (old, ticket) in _tickets)
            if (ticket.ExpiresAt < now || _tickets.Count >= MaxTickets) _tickets.TryRemove(old, out _);
        var secret = Secret();
        var expires = now + TicketLifetime;
        _tickets[secret] = new Ticket(principal.Id, vm, host, kind, expires);
        return new ConsoleTicketView(secret, "/consoles/" + secret, expires);
    }

    /// <summary>Uses up a ticket. Null when it is unknown, used, expired or another person's.</summary>
    public Ticket? Use(string secret, Principal principal) =>
        _tickets.TryRemove(secret, out var ticket) && ticket.PrincipalId == principal.Id && ticket.ExpiresAt >= clock.GetUtcNow() ? ticket : null;

    public Meeting Arrange(Ticket ticket, TimeSpan patience)
    {
        var now = clock.GetUtcNow();
        var id = Secret();
        var meeting = new Meeting(id, ticket.Vm, ticket.Host, new Command(Epoch.None, CommandId.New(now), now + patience, new OpenConsole(ticket.Vm, id, ticket.Kind)));
        _meetings[id] = meeting;
        _commands[meeting.Command.Id] = meeting;
        return meeting;
    }

    public void Dissolve(Meeting meeting)
    {
        _meetings.TryRemove(meeting.Id, out _);
        _commands.TryRemove(meeting.Command.Id, out _);
        meeting.Over.TrySetResult();
    }

    /// <summary>The meeting that this host's agent was asked to; each can be joined once.</summary>
    public Meeting? Join(string id, HostId host) =>
        _meetings.TryGetValue(id, out var meeting) && meeting.Host == host && _meetings.TryRemove(id, out _) ? meeting : null;

    /// <summary>True when the result answers a request for a console. A refusal ends the waiting with the agent's own words.</summary>
    public bool Answered(CommandResult result)
    {
        if (!_commands.TryGetValue(result.Command, out var meeting)) return false;
        if (!result.Succeeded) meeting.Agent.TrySetException(new ConsoleRefusedException(result.Message));
        return true;
    }

    private static string Secret() => WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));
}

/// <summary>The agent could not open the console; the message is its reason.</summary>
public sealed class ConsoleRefusedException(string message) : Exception(message);
