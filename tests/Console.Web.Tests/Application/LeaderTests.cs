using Microsoft.Extensions.Time.Testing;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;

namespace Plinth.Web.Tests.Application;

public sealed class LeaderTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly Leader _leader;
    private int _ended;

    public LeaderTests()
    {
        _leader = new Leader(_time) { Bound = Leadership.ActsFor };
        _leader.Ended += () => _ended++;
    }

    private void Renew(long epoch) => _leader.Take(new Epoch(epoch), _time.GetTimestamp(), null, []);

    [Fact]
    public void A_term_that_is_not_renewed_is_over_before_others_may_take_it()
    {
        Renew(3);
        _time.Advance(Leadership.ActsFor - TimeSpan.FromSeconds(1));
        Assert.Equal(new Epoch(3), _leader.Term);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_leader.Term);
        Assert.True(Leadership.ActsFor < Leadership.Life);
        _leader.Lapse();
        Assert.Equal(1, _ended);
    }

    [Fact]
    public async Task Who_found_a_term_overdue_is_woken_when_it_was_renewed_after_all()
    {
        Renew(3);
        _time.Advance(Leadership.ActsFor);
        Assert.Null(_leader.Term);
        var changed = _leader.Changed;
        _leader.Take(new Epoch(3), _time.GetTimestamp(), null, []);
        await changed.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((new Epoch(3), 0), (_leader.Term!.Value, _ended));
    }

    [Fact]
    public async Task An_act_of_a_term_that_is_over_is_not_begun()
    {
        Renew(3);
        Renew(4);
        Assert.Equal(1, _ended);
        await Assert.ThrowsAsync<LeadershipOverException>(() => _leader.Under(new Epoch(3), () => throw new InvalidOperationException("it was begun")));
    }
}
