using System.Text;
using CsCheck;
using Plinth.Agents.Machines.Serial;
using Xunit;

namespace Plinth.Agents.Tests.Machines;

public sealed class SerialFeedTests
{
    [Fact]
    public void Who_comes_late_reads_the_last_64_KiB_and_then_each_byte_once() =>
        Gen.Select(Gen.Byte.Array[0, 9_000].Array[0, 20], Gen.Byte.Array[0, 9_000].Array[0, 20]).Sample((before, after) =>
        {
            var feed = new SerialFeed();
            foreach (var piece in before) feed.Publish(piece);
            var stream = feed.Attach(Ignore);
            foreach (var piece in after) feed.Publish(piece);
            feed.End();
            byte[] past = [.. before.SelectMany(b => b)];
            Assert.Equal([.. past.TakeLast(SerialFeed.ReplayBytes), .. after.SelectMany(b => b)], ReadAll(stream));
        }, iter: 50);

    [Fact]
    public void A_viewer_that_does_not_read_is_told_what_it_lost_and_holds_nobody_up()
    {
        var feed = new SerialFeed();
        var (slow, quick) = (feed.Attach(Ignore), feed.Attach(Ignore));
        var read = new List<byte>();
        var buffer = new byte[16];
        for (var i = 0; i < SerialFeed.MaxWaitingPieces + 10; i++)
        {
            feed.Publish("x"u8);
            read.AddRange(buffer[..quick.Read(buffer, 0, 16)]);
        }
        Assert.Equal(SerialFeed.MaxWaitingPieces + 10, read.Count);

        var kept = 0;
        while (kept < SerialFeed.MaxWaitingPieces) kept += slow.Read(buffer, 0, 16);
        feed.Publish("after"u8);
        feed.End();
        Assert.Matches("skipped here.*\\s+after$", Encoding.UTF8.GetString(ReadAll(slow)));
    }

    [Fact]
    public void The_last_to_leave_is_noticed_once()
    {
        var feed = new SerialFeed();
        var left = 0;
        feed.Deserted += () => left++;
        var (first, second) = (feed.Attach(Ignore), feed.Attach(Ignore));
        first.Dispose();
        first.Dispose();
        Assert.Equal(0, left);
        second.Dispose();
        Assert.Equal(1, left);
    }

    private static ValueTask Ignore(ReadOnlyMemory<byte> keys, CancellationToken stop) => ValueTask.CompletedTask;

    private static byte[] ReadAll(Stream stream)
    {
        using var all = new MemoryStream();
        stream.CopyTo(all);
        return all.ToArray();
    }
}
