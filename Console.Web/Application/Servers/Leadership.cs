using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence.Leading;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Servers;

/// <summary>Whether this server leads, and who else is there. Hub, workers and use cases ask; <c>Workers/LeaderElection</c> answers.</summary>
public interface ILeadership
{
    /// <summary>The epoch that this server leads under; null while it follows or does not know.</summary>
    Epoch? Term { get; }

    /// <summary>Completes when <see cref="Term"/> changes.</summary>
    Task Changed { get; }

    /// <summary>The other server that leads; null when this one does, or none.</summary>
    ServerView? Elsewhere { get; }

    /// <summary>Agent hubs of all servers.</summary>
    IReadOnlyList<string> Hubs { get; }

    /// <summary>A term of this server has ended. Called once for each, at once.</summary>
    event Action? Ended;

    /// <summary>The list of <see cref="Hubs"/> is another one.</summary>
    event Action? HubsChanged;

    /// <summary>Runs <paramref name="act"/> so that every write in it stands or falls with the term.</summary>
    /// <exception cref="LeadershipOverException">The term is over, by what is known here or by what the database says.</exception>
    Task Under(Epoch term, Func<Task> act);
}

internal static class Sessions
{
    /// <summary>The host's agent has a session with this server, or, by what the database says, with the one that leads.</summary>
    /// <param name="connected"><see cref="HostRow.Connected"/> of that host.</param>
    public static bool HasSession(this ILeadership leadership, IAgentGateway gateway, HostId host, bool connected) =>
        gateway.IsConnected(host) || (leadership.Elsewhere is not null && connected);
}

/// <inheritdoc cref="ILeadership"/>
internal sealed class Leader(TimeProvider time) : ILeadership
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Epoch? _term;
    private long _renewed;

    public event Action? Ended;
    public event Action? HubsChanged;

    public Epoch? Term
    {
        get
        {
            lock (_lock)
                // A server that was asleep finds out before it acts, not after its next look at the database.
                return Overdue ? null : _term;
        }
    }

    public Task Changed { get { lock (_lock) return _changed.Task; } }
    public ServerView? Elsewhere { get; private set; }
    public IReadOnlyList<string> Hubs { get; private set; } = [];

    /// <summary>How long a term goes on without a renewal; null for one that needs none.</summary>
    public TimeSpan? Bound { get; init; }

    /// <summary>What a look at the database said that was begun at <paramref name="began"/> (<see cref="TimeProvider.GetTimestamp"/>).</summary>
    public void Take(Epoch? term, long began, ServerView? elsewhere, IReadOnlyList<string> hubs)
    {
        var moved = !hubs.SequenceEqual(Hubs);
        (Elsewhere, Hubs) = (elsewhere, hubs);
        Set(term, began);
        if (moved) HubsChanged?.Invoke();
    }

    public async Task Under(Epoch term, Func<Task> act)
    {
        if (Term != term) throw new LeadershipOverException($"This server does not lead any more; its epoch {term} is over.");
        try
        {
            await Persistence.Leading.Term.Under(term, act);
        }
        catch (TermOverException e)
        {
            // Whatever was known here: the database decides.
            if (_term == term) Set(null, 0);
            throw new LeadershipOverException(e.Message);
        }
    }

    /// <summary>Ends a term that was not renewed in time.</summary>
    public void Lapse()
    {
        lock (_lock)
            if (_term is null || Term is not null) return;
        Set(null, 0);
    }

    private bool Overdue => Bound is { } bound && time.GetElapsedTime(_renewed) >= bound;

    private void Set(Epoch? term, long began)
    {
        TaskCompletionSource changed;
        bool ended;
        lock (_lock)
        {
            var overdue = Overdue;
            _renewed = began;
            // A term that was renewed too late, and in time for the database, was not in force for a moment: who found that out waits.
            if (_term == term && !(overdue && term is not null)) return;
            (ended, _term) = (_term is not null && _term != term, term);
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        if (ended) Ended?.Invoke();
        changed.TrySetResult();
    }
}

/// <summary>Under which addresses this server is reached; known once its listeners are open.</summary>
public interface IServerAddresses
{
    string PortalUrl { get; }
    string HubUrl { get; }
}
