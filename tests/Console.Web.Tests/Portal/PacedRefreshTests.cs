using Microsoft.Extensions.Time.Testing;
using Plinth.Web.Components.Live;

namespace Plinth.Web.Tests.Portal;

public sealed class PacedRefreshTests
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(500);
    private readonly FakeTimeProvider _time = new();
    private int _runs;

    private PacedRefresh Counting() => new(_time, Gap, () => { _runs++; return Task.CompletedTask; });

    [Fact]
    public void Many_requests_are_one_refresh()
    {
        using var refresh = Counting();
        for (var i = 0; i < 100; i++) refresh.Request();
        _time.Advance(Gap);
        Assert.Equal(1, _runs);
    }

    [Fact]
    public void The_next_waits_for_the_gap()
    {
        using var refresh = Counting();
        refresh.Request();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _runs);

        refresh.Request();
        _time.Advance(TimeSpan.FromMilliseconds(400));
        Assert.Equal(1, _runs);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(2, _runs);
    }

    [Fact]
    public async Task What_is_asked_during_a_refresh_brings_another()
    {
        var first = new TaskCompletionSource();
        using var refresh = new PacedRefresh(_time, Gap, () => _runs++ == 0 ? first.Task : Task.CompletedTask);
        refresh.Request();
        _time.Advance(Gap);
        refresh.Request();
        _time.Advance(Gap);
        Assert.Equal(1, _runs);

        first.SetResult();
        await PortalStage.Until("the second refresh", () => { _time.Advance(Gap); return _runs == 2; });
    }

    [Fact]
    public void Disposed_it_does_nothing()
    {
        var refresh = Counting();
        refresh.Request();
        refresh.Dispose();
        _time.Advance(Gap);
        Assert.Equal(0, _runs);
    }
}
