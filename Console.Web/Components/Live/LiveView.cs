using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Live;

namespace Plinth.Web.Components.Live;

/// <summary>
/// What a page shows, without the page: reads through the use cases, listens to the change feed, reads again what changed,
/// and says so. Tested without a browser. All reading and writing of its state happens inside <see cref="Dispatch"/>.
/// </summary>
public abstract class LiveView(Caller caller) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<IDisposable> _subscriptions = [];

    /// <summary>Runs work where the page renders; a page sets its <c>InvokeAsync</c>.</summary>
    public Func<Func<Task>, Task> Dispatch { get; set; } = static work => work();

    /// <summary>Something of the view as a whole is new. Rows say so themselves.</summary>
    public event Action? Changed;

    /// <summary>Why there is nothing to show; empty while all is well.</summary>
    public IReadOnlyList<Refusal> Refusals { get; private set; } = [];

    /// <summary>The first read has ended, well or not.</summary>
    public bool Loaded { get; private set; }

    protected Caller Caller { get; } = caller;
    protected CancellationToken Stop => _stop.Token;

    /// <summary>Reads everything that the page shows.</summary>
    public async Task Load()
    {
        await Read();
        Loaded = true;
        NotifyChanged();
    }

    protected abstract Task Read();

    /// <summary>From now on until disposed, <paramref name="onBatch"/> runs inside <see cref="Dispatch"/> for batches with wanted changes.</summary>
    protected void Listen(IChangeFeed feed, Func<Change, bool> wanted, Func<ChangeBatch, Task> onBatch) =>
        _subscriptions.Add(feed.Subscribe(wanted, batch => Dispatch(async () =>
        {
            if (_stop.IsCancellationRequested) return;
            try
            {
                await onBatch(batch);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // The page was left while its data was read.
            }
        })));

    /// <summary>The value, or null with <see cref="Refusals"/> set.</summary>
    protected T? Take<T>(Result<T> result) where T : class
    {
        Refusals = result.Refusals;
        return result.Succeeded ? result.Value : null;
    }

    protected void NotifyChanged() => Changed?.Invoke();

    protected virtual void OnDisposed()
    {
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions) subscription.Dispose();
        _subscriptions.Clear();
        _stop.Cancel();
        OnDisposed();
        GC.SuppressFinalize(this);
    }
}
