using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Live;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence;

/// <summary>
/// The console's state. Reads take a context of their own; every write of this process goes through one queue, and many
/// writes share one transaction, so durability costs one fsync per batch.
/// </summary>
public interface IConsoleStore
{
    /// <summary>A context for reading, without tracking. The caller disposes it.</summary>
    ConsoleDb Read();

    /// <summary>
    /// Runs <paramref name="change"/> as if it were alone, saves what it changed together with change-log and audit entries, and
    /// returns when that is durable; then the live feed is told. An exception undoes this change and no other.
    /// </summary>
    /// <param name="change">May run more than once (busy database, lost race), so it reads what it needs through the scope and
    /// has no effect outside of it; effects go to <see cref="WriteScope.AfterCommit"/>. It holds up all other writers: no waiting
    /// for anything but the database in it, and no <see cref="Write{T}"/> inside.</param>
    Task<T> Write<T>(Func<WriteScope, Task<T>> change, CancellationToken stop = default);
}

/// <summary>One write under way.</summary>
public sealed class WriteScope
{
    private readonly List<ChangeLogRow> _logged = [];
    private readonly List<Change> _live = [];
    private readonly List<Action> _afterCommit = [];

    internal WriteScope(ConsoleDb db, DateTimeOffset now)
    {
        (Db, Now) = (db, now);
        db.Scope = this;
    }

    /// <summary>Tracks; what is changed in it is saved at the end of the write.</summary>
    public ConsoleDb Db { get; }

    /// <summary>The time of this write, in whole milliseconds as it will be stored.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>Appends an audit entry that stands or falls with this write.</summary>
    /// <param name="action">"vm.create", "sign-in": what was done or tried.</param>
    /// <param name="target">The thing's kind and id or name: "vm/0193…".</param>
    /// <param name="outcome">See <see cref="AuditOutcomes"/>.</param>
    /// <param name="detail">A sentence or JSON for people; no secrets.</param>
    public void Audit(Principal actor, string? remoteAddress, string action, string target, ProjectId? project, string outcome, string detail = "") =>
        Db.AuditEntries.Add(new AuditEntryRow
        {
            At = Now,
            ActorKind = actor.Kind,
            ActorId = actor.Id,
            Actor = actor.Name,
            Action = action,
            Target = target,
            Project = project,
            Outcome = outcome,
            Detail = detail,
            RemoteAddress = remoteAddress,
        });

    /// <summary>Tells the live feed of something that is not in the change log (a heartbeat, a sample).</summary>
    public void Publish(string kind, Guid id, ProjectId? project = null) => _live.Add(new Change(kind, id, project?.Value, 0));

    /// <summary>Runs when the write is durable: wake a worker, send a message. Must not throw and must not wait.</summary>
    public void AfterCommit(Action act) => _afterCommit.Add(act);

    /// <summary>Forgets every change made so far; what is added afterwards (the audit entry of a refusal) is saved.</summary>
    public void Discard()
    {
        Db.ChangeTracker.Clear();
        _logged.Clear();
        _live.Clear();
        _afterCommit.Clear();
    }

    internal void Log(ChangeLogRow row)
    {
        Db.ChangeLog.Add(row);
        _logged.Add(row);
    }

    internal IEnumerable<Change> Changes => _logged.Select(r => new Change(r.Kind, r.Id, r.Project?.Value, r.Version)).Concat(_live);

    internal bool Logged => _logged.Count > 0;

    internal IReadOnlyList<Action> Acts => _afterCommit;
}

/// <summary>How what an audit entry tells of ended.</summary>
public static class AuditOutcomes
{
    public const string Done = "done", Refused = "refused", Failed = "failed";
}
