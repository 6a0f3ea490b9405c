using System.Threading.Channels;

namespace Plinth.Agents.Reconcile;

/// <summary>Wakes one loop, by a call or by the clock. Calls made while it is awake are merged into one.</summary>
internal sealed class WakeSignal(TimeProvider time)
{
    private readonly Channel<byte> _calls = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _calls.Writer.TryWrite(0);

    /// <summary>Returns when called, or at <paramref name="until"/>.</summary>
    public async Task Wait(DateTimeOffset until, CancellationToken stop)
    {
        if (_calls.Reader.TryRead(out _)) return;
        var pause = until - time.GetUtcNow();
        if (pause <= TimeSpan.Zero) return;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var call = _calls.Reader.WaitToReadAsync(waiting.Token).AsTask();
        await Task.WhenAny(call, Task.Delay(pause, time, waiting.Token));
        await waiting.CancelAsync();
        stop.ThrowIfCancellationRequested();
        _calls.Reader.TryRead(out _);
    }
}
