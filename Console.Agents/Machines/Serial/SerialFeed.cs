using System.Threading.Channels;

namespace Plinth.Agents.Machines.Serial;

/// <summary>
/// The output of one serial console, given to any number of viewers. A new viewer first gets the last
/// <see cref="ReplayBytes"/> bytes, so that a boot can be read by who comes late, and from then on each byte once.
/// </summary>
public sealed class SerialFeed
{
    /// <summary>Enough for the boot messages of an ordinary Linux guest (some 30 KiB).</summary>
    public const int ReplayBytes = 64 * 1024;

    /// <summary>Pieces that may wait for one viewer. A slower viewer loses output and is told so; it never holds up the others.</summary>
    public const int MaxWaitingPieces = 256;

    private static readonly byte[] SkippedNotice = "\r\n[output was skipped here: this viewer reads too slowly]\r\n"u8.ToArray();

    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[ReplayBytes];
    private readonly List<Viewer> _viewers = [];
    private int _next;
    private int _kept;
    private bool _ended;

    /// <summary>Raised outside the lock when the last viewer has left.</summary>
    public event Action? Deserted;

    public bool Ended
    {
        get { lock (_gate) return _ended; }
    }

    public int Viewers
    {
        get { lock (_gate) return _viewers.Count; }
    }

    /// <summary>New output of the guest.</summary>
    public void Publish(ReadOnlySpan<byte> output)
    {
        if (output.IsEmpty) return;
        var piece = output.ToArray();
        lock (_gate)
        {
            if (_ended) return;
            Keep(output);
            foreach (var viewer in _viewers) viewer.Offer(piece);
        }
    }

    /// <summary>The domain went off: each viewer's stream ends after what it has not read yet.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            foreach (var viewer in _viewers) viewer.Complete();
            _viewers.Clear();
        }
    }

    /// <summary>A viewer; disposing of the stream detaches it. <paramref name="input"/> takes what is typed.</summary>
    public Stream Attach(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> input)
    {
        var viewer = new Viewer(SkippedNotice);
        lock (_gate)
        {
            if (_kept > 0) viewer.Offer(Replay());
            if (_ended) viewer.Complete();
            else _viewers.Add(viewer);
        }
        return new ViewerStream(viewer.Pieces, input, () => Detach(viewer));
    }

    private void Detach(Viewer viewer)
    {
        bool deserted;
        lock (_gate)
        {
            deserted = _viewers.Remove(viewer) && _viewers.Count == 0;
            viewer.Complete();
        }
        if (deserted) Deserted?.Invoke();
    }

    private void Keep(ReadOnlySpan<byte> output)
    {
        if (output.Length > ReplayBytes) output = output[^ReplayBytes..];
        var first = Math.Min(output.Length, ReplayBytes - _next);
        output[..first].CopyTo(_ring.AsSpan(_next));
        output[first..].CopyTo(_ring);
        _next = (_next + output.Length) % ReplayBytes;
        _kept = Math.Min(ReplayBytes, _kept + output.Length);
    }

    private byte[] Replay()
    {
        var start = (_next - _kept + ReplayBytes) % ReplayBytes;
        var first = Math.Min(_kept, ReplayBytes - start);
        return [.. _ring.AsSpan(start, first), .. _ring.AsSpan(0, _kept - first)];
    }

    private sealed class Viewer(byte[] skippedNotice)
    {
        private readonly Channel<byte[]> _pieces = Channel.CreateBounded<byte[]>(MaxWaitingPieces);
        private bool _skipped;

        public ChannelReader<byte[]> Pieces => _pieces.Reader;

        public void Offer(byte[] piece)
        {
            if (_skipped) _skipped = !_pieces.Writer.TryWrite(skippedNotice);
            if (_skipped || !_pieces.Writer.TryWrite(piece)) _skipped = true;
        }

        public void Complete() => _pieces.Writer.TryComplete();
    }
}
