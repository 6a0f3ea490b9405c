using Plinth.Web.Live;
using Plinth.Web.Tests.Application;

namespace Plinth.Web.Tests.Portal;

/// <summary>Hands the changes that the store has published to the views, when a test says so.</summary>
internal sealed class HandFeed : IChangeFeed
{
    private readonly List<(Func<Change, bool> Wanted, Func<ChangeBatch, Task> OnBatch)> _subscriptions = [];

    public int Subscribers => _subscriptions.Count;

    public void Publish(IReadOnlyList<Change> changes) => throw new NotSupportedException("tests deliver by hand");

    public IDisposable Subscribe(Func<Change, bool> wanted, Func<ChangeBatch, Task> onBatch)
    {
        var subscription = (wanted, onBatch);
        _subscriptions.Add(subscription);
        return new Removal(() => _subscriptions.Remove(subscription));
    }

    public async Task Deliver(params IReadOnlyList<Change> changes)
    {
        foreach (var (wanted, onBatch) in _subscriptions.ToArray())
            if (changes.Where(wanted).ToArray() is { Length: > 0 } batch) await onBatch(new ChangeBatch(batch, false));
    }

    private sealed class Removal(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}

/// <summary>Views over the real application and store.</summary>
public abstract class PortalStage : Stage
{
    internal HandFeed Live { get; } = new();

    /// <summary>Everything published since the last call reaches the views; refreshes that are paced are let run.</summary>
    internal async Task Tell()
    {
        var changes = Feed.Changes;
        Feed.Clear();
        await Live.Deliver(changes);
        Time.Advance(TimeSpan.FromSeconds(1));
    }

    /// <summary>Waits for what a timer has set going.</summary>
    internal static async Task Until(string what, Func<bool> holds)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(10); !holds(); await Task.Yield())
            Assert.True(DateTime.UtcNow < deadline, $"did not come about: {what}");
    }
}
