using System.Collections.Immutable;

namespace Plinth.Web.Live;

/// <summary>
/// The live feed inside one console process. Publishing never waits: it adds to each subscriber's bounded buffer and wakes its pump.
/// A pump hands over what has gathered, waits until the callback has ended and the interval is over, and looks again.
/// </summary>
public sealed class ChangeFeed(TimeProvider clock, ILogger<ChangeFeed> log) : IChangeFeed
{
    /// <summary>People cannot follow faster, and each batch costs every open page a rendering.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>More than a page could show; past it the receiver is told to read everything anew.</summary>
    public const int MaxPending = 1000;

    private ImmutableList<Subscription> _subscriptions = [];

    public void Publish(IReadOnlyList<Change> changes)
    {
        if (changes.Count == 0) return;
        foreach (var subscription in Volatile.Read(ref _subscriptions)) subscription.Add(changes);
    }

    public IDisposable Subscribe(Func<Change, bool> wanted, Func<ChangeBatch, Task> onBatch)
    {
        var subscription = new Subscription(this, wanted, onBatch);
        ImmutableInterlocked.Update(ref _subscriptions, (list, s) => list.Add(s), subscription);
        return subscription;
    }

    private sealed class Subscription(ChangeFeed feed, Func<Change, bool> wanted, Func<ChangeBatch, Task> onBatch) : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly CancellationTokenSource _stop = new();
        // The newest change of a thing stands for the older ones: a receiver reads the thing anew in any case.
        private Dictionary<(string Kind, Guid Id), Change> _pending = [];
        private bool _overflow;
        private bool _pumping;

        public void Add(IReadOnlyList<Change> changes)
        {
            lock (_lock)
            {
                if (_stop.IsCancellationRequested) return;
                foreach (var change in changes)
                {
                    if (_overflow) break;
                    if (!wanted(change)) continue;
                    if (_pending.Count >= MaxPending && !_pending.ContainsKey((change.Kind, change.Id)))
                    {
                        _overflow = true;
                        _pending.Clear();
                        break;
                    }
                    _pending[(change.Kind, change.Id)] = change;
                }
                if (_pumping || (_pending.Count == 0 && !_overflow)) return;
                _pumping = true;
            }
            // A receiver is nobody's continuation: neither a write under way nor a leader's term is its own.
            using (ExecutionContext.SuppressFlow()) _ = Task.Run(Pump);
        }

        private async Task Pump()
        {
            while (Take() is { } batch)
            {
                try
                {
                    await onBatch(batch);
                }
                catch (Exception e) when (!_stop.IsCancellationRequested)
                {
                    feed.Failed(e);
                }
                catch (Exception)
                {
                    // The receiver went away in the middle of its last batch.
                    return;
                }
                try
                {
                    await Task.Delay(Interval, feed.Clock, _stop.Token);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }

        private ChangeBatch? Take()
        {
            lock (_lock)
            {
                if (_stop.IsCancellationRequested || (_pending.Count == 0 && !_overflow))
                {
                    _pumping = false;
                    return null;
                }
                var batch = new ChangeBatch(_pending.Values.OrderBy(c => c.Version).ToList(), _overflow);
                (_pending, _overflow) = ([], false);
                return batch;
            }
        }

        public void Dispose()
        {
            ImmutableInterlocked.Update(ref feed._subscriptions, (list, s) => list.Remove(s), this);
            _stop.Cancel();
        }
    }

    private TimeProvider Clock => clock;

    private void Failed(Exception e) => log.LogWarning(e, "A receiver of live changes failed; it gets the next batch all the same.");
}
