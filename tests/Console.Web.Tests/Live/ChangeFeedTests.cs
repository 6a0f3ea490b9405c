using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Plinth.Web.Live;

namespace Plinth.Web.Tests.Live;

public sealed class ChangeFeedTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly Channel<ChangeBatch> _batches = Channel.CreateUnbounded<ChangeBatch>();
    private readonly ChangeFeed _feed;

    public ChangeFeedTests() => _feed = new ChangeFeed(_clock, NullLogger<ChangeFeed>.Instance);

    [Fact]
    public async Task The_first_change_comes_at_once_and_the_next_ones_together_after_the_interval()
    {
        using var _ = _feed.Subscribe(c => true, Take);
        _feed.Publish([Vm(1)]);
        Assert.Equal([1L], Versions(await Next()));
        _feed.Publish([Vm(2)]);
        _feed.Publish([Vm(3)]);
        Assert.False(_batches.Reader.TryRead(out ChangeBatch? early));
        Assert.Equal([2L, 3L], Versions(await AfterInterval()));
    }

    [Fact]
    public async Task Of_one_thing_only_the_newest_change_is_told()
    {
        using var _ = _feed.Subscribe(c => true, Take);
        var id = Guid.NewGuid();
        _feed.Publish([new Change("vm", id, null, 1), new Change("vm", id, null, 2), new Change("host", id, null, 3)]);
        Assert.Equal([2L, 3L], Versions(await Next()));
    }

    [Fact]
    public async Task What_is_not_wanted_is_not_told()
    {
        using var _ = _feed.Subscribe(c => c.Kind == "host", Take);
        _feed.Publish([Vm(1), new Change("host", Guid.NewGuid(), null, 2)]);
        Assert.Equal([2L], Versions(await Next()));
    }

    [Fact]
    public async Task Too_much_becomes_an_overflow()
    {
        using var _ = _feed.Subscribe(c => true, Take);
        _feed.Publish([.. Enumerable.Range(0, ChangeFeed.MaxPending + 1).Select(i => Vm(i))]);
        var batch = await Next();
        Assert.True(batch.Overflow);
        Assert.Empty(batch.Changes);
    }

    [Fact]
    public async Task A_receiver_is_never_called_twice_at_once_and_survives_its_own_failure()
    {
        var (begun, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var calls = 0;
        using var _ = _feed.Subscribe(c => true, async batch =>
        {
            Assert.Equal(1, Interlocked.Increment(ref calls));
            begun.TrySetResult();
            await release.Task;
            Interlocked.Decrement(ref calls);
            await Take(batch);
            throw new InvalidOperationException("a page that fails to render");
        });
        _feed.Publish([Vm(1)]);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20));
        _feed.Publish([Vm(2)]);
        release.SetResult();
        await Next();
        Assert.Equal([2L], Versions(await AfterInterval()));
    }

    [Fact]
    public async Task After_disposal_nothing_comes()
    {
        var subscription = _feed.Subscribe(c => true, Take);
        using var other = _feed.Subscribe(c => true, Take);
        subscription.Dispose();
        _feed.Publish([Vm(1)]);
        await Next();
        _clock.Advance(ChangeFeed.Interval);
        Assert.False(_batches.Reader.TryRead(out ChangeBatch? second));
    }

    private Task Take(ChangeBatch batch) => _batches.Writer.WriteAsync(batch).AsTask();
    private async Task<ChangeBatch> Next() => await _batches.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>The pump sets its timer after the callback has ended, on a thread of its own: time is moved until it has noticed.</summary>
    private async Task<ChangeBatch> AfterInterval()
    {
        var next = Next();
        while (!next.IsCompleted)
        {
            _clock.Advance(ChangeFeed.Interval);
            await Task.WhenAny(next, Task.Delay(5));
        }
        return await next;
    }

    private static Change Vm(long version) => new("vm", Guid.NewGuid(), null, version);
    private static IEnumerable<long> Versions(ChangeBatch batch) => batch.Changes.Select(c => c.Version);
}
