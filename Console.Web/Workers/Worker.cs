using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;

namespace Plinth.Web.Workers;

/// <summary>
/// One loop: woken by a timer or a signal, it reads everything, acts idempotently and leaves retry to its next wake. A pass that
/// throws is logged and does not end the loop.
/// </summary>
/// <param name="leadership">Passes are made only while this server leads, and all they write stands or falls with its term; null for
/// what every server does for itself.</param>
public abstract class Worker(TimeProvider time, ILogger log, ILeadership? leadership) : BackgroundService
{
    private string? _failure;
    private Epoch _term;

    /// <summary>Longest time between two passes.</summary>
    protected abstract TimeSpan Every { get; }

    /// <summary>Wakes it early; null where only the timer does.</summary>
    protected virtual Signal? Signal => null;

    /// <summary>Why the last pass failed; null when it did not. What readiness shows.</summary>
    public string? Failure => _failure;

    public string Name => GetType().Name;

    /// <summary>One pass over everything.</summary>
    public abstract Task Pass(CancellationToken stop);

    /// <summary>Before the first pass of a term: what another server did meanwhile is not known here.</summary>
    protected virtual void Begin()
    {
    }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await Task.Yield();
        var timer = Signal ?? new Signal();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (leadership is null) await Pass(stop);
                else if (!await Led(leadership, stop)) continue;
                if (_failure is not null) log.LogInformation("{Worker} works again.", Name);
                _failure = null;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (LeadershipOverException e)
            {
                log.LogInformation("{Worker} stops: {Reason}", Name, e.Message);
                _failure = null;
                continue;
            }
            catch (Exception e)
            {
                if (_failure != e.Message) log.LogError(e, "A pass of {Worker} failed; it is tried again within {Every}.", Name, Every);
                _failure = e.Message;
            }
            try
            {
                await timer.Wait(Every, time, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>A pass under the term in force; without one, waits for the next and gives false.</summary>
    private async Task<bool> Led(ILeadership leadership, CancellationToken stop)
    {
        var changed = leadership.Changed;
        if (leadership.Term is not { } term)
        {
            _failure = null;
            await changed.WaitAsync(stop);
            return false;
        }
        if (_term != term) Begin();
        _term = term;
        await leadership.Under(term, () => Pass(stop));
        return true;
    }
}
