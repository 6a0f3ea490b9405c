using Plinth.Core.Identity;

namespace Plinth.Web.Live;

/// <summary>Something changed: which kind of thing, which one, in which version of the change log. The receiver reads it anew.</summary>
/// <param name="Kind">"vm", "volume", "host", "operation", "image", "flavor", "join-token", "role-binding", "user", "session", "host-sample", "vm-sample".</param>
public readonly record struct Change(string Kind, Guid Id, Guid? Project, long Version)
{
    /// <summary>Somebody may do more or less than before, perhaps this one.</summary>
    public bool ConcernsRightsOf(Principal principal) => Kind is "role-binding" or "user" || (Kind == "session" && Id == principal.Session?.Value);
}

/// <summary>What happened since the last batch. After <see cref="Overflow"/> the receiver reads everything anew.</summary>
public sealed record ChangeBatch(IReadOnlyList<Change> Changes, bool Overflow);

/// <summary>
/// The console's live feed: a commit publishes, pages and <c>watch</c> streams subscribe. Batches come at least 100 ms apart;
/// a slow receiver loses detail (overflow), never the fact that something changed.
/// </summary>
public interface IChangeFeed
{
    void Publish(IReadOnlyList<Change> changes);

    /// <summary>Calls <paramref name="onBatch"/> off the caller's thread until disposed; never two calls at once.</summary>
    IDisposable Subscribe(Func<Change, bool> wanted, Func<ChangeBatch, Task> onBatch);
}
