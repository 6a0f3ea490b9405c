namespace Plinth.Web.Components.Live;

/// <summary>Runs a refresh soon after it is asked for, never twice within the gap and never two at once; what is asked meanwhile is merged.</summary>
public sealed class PacedRefresh(TimeProvider time, TimeSpan gap, Func<Task> refresh) : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(1);
    private readonly Lock _lock = new();
    private DateTimeOffset _notBefore;
    private ITimer? _timer;
    private bool _running, _again, _disposed;

    public void Request()
    {
        lock (_lock)
        {
            if (_disposed) return;
            if (_running) _again = true;
            else _timer ??= Schedule();
        }
    }

    private ITimer Schedule()
    {
        var wait = _notBefore - time.GetUtcNow();
        // Never at once: a timer that fires while it is being made would leave its own handle behind.
        return time.CreateTimer(_ => _ = Run(), null, wait > Soon ? wait : Soon, Timeout.InfiniteTimeSpan);
    }

    private async Task Run()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _timer?.Dispose();
            _timer = null;
            _running = true;
        }
        try
        {
            await refresh();
        }
        finally
        {
            lock (_lock)
            {
                _running = false;
                _notBefore = time.GetUtcNow() + gap;
                if (_again && !_disposed) _timer ??= Schedule();
                _again = false;
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
            _timer = null;
        }
    }
}
