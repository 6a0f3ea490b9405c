using System.Threading.Channels;

namespace Plinth.Agents.Machines;

/// <summary>One viewer's end of a console: reads the machine's output, writes what the viewer sends. Ends when the domain goes off.</summary>
internal sealed class ViewerStream(ChannelReader<byte[]> output, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> input, Action closed) : Stream
{
    private ReadOnlyMemory<byte> _rest;
    private int _closed;

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException("a console has no length");

    public override long Position
    {
        get => throw new NotSupportedException("a console has no position");
        set => throw new NotSupportedException("a console has no position");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (_rest.IsEmpty)
        {
            if (output.TryRead(out var piece)) _rest = piece;
            else if (!await output.WaitToReadAsync(cancellationToken)) return 0;
        }
        var count = Math.Min(buffer.Length, _rest.Length);
        _rest[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => input(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("a console cannot seek");
    public override void SetLength(long value) => throw new NotSupportedException("a console has no length");

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _closed, 1) == 0) closed();
        base.Dispose(disposing);
    }
}
