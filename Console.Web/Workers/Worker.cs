using Plinth.Web.Application;

namespace Plinth.Web.Workers;

/// <summary>
/// One loop: woken by a timer or a signal, it reads everything, acts idempotently and leaves retry to its next wake. A pass that
/// throws is logged and does not end the loop.
/// </summary>
public abstract class Worker(TimeProvider time, ILogger log) : BackgroundService
{
    private string? _failure;

    /// <summary>Longest time between two passes.</summary>
    protected abstract TimeSpan Every { get; }

    /// <summary>Wakes it early; null where only the timer does.</summary>
    protected virtual Signal? Signal => null;

    /// <summary>Why the last pass failed; null when it did not. What readiness shows.</summary>
    public string? Failure => _failure;

    public string Name => GetType().Name;

    /// <summary>One pass over everything.</summary>
    public abstract Task Pass(CancellationToken stop);

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await Task.Yield();
        var timer = Signal ?? new Signal();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await Pass(stop);
                if (_failure is not null) log.LogInformation("{Worker} works again.", Name);
                _failure = null;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
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
}
