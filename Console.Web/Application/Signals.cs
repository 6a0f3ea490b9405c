using System.Threading.Channels;

namespace Plinth.Web.Application;

/// <summary>Wakes one worker; many rings before it looks are one.</summary>
public sealed class Signal
{
    private readonly Channel<bool> _channel = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Ring() => _channel.Writer.TryWrite(true);

    /// <summary>Returns when rung, or after <paramref name="atMost"/>.</summary>
    public async Task Wait(TimeSpan atMost, TimeProvider time, CancellationToken stop)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var rung = _channel.Reader.WaitToReadAsync(timer.Token).AsTask();
        await Task.WhenAny(rung, Task.Delay(atMost, time, timer.Token));
        await timer.CancelAsync();
        stop.ThrowIfCancellationRequested();
        while (_channel.Reader.TryRead(out _))
        {
        }
    }
}

/// <summary>What wakes the workers, besides their timers.</summary>
public sealed class Signals
{
    /// <summary>A VM waits for a place, or there is new room.</summary>
    public Signal Placement { get; } = new();

    /// <summary>Agents are to be replaced, or one has said something new.</summary>
    public Signal Agents { get; } = new();

    /// <summary>An audit entry awaits its place in the tree.</summary>
    public Signal Audit { get; } = new();

    /// <summary>A server has taken or deleted an image.</summary>
    public Signal Images { get; } = new();
}
