using CsCheck;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Xunit;

namespace Plinth.Core.Tests.State;

/// <summary>
/// Three servers on one lease row. Any of them may sleep, die, start anew or write at any moment; each looks at the row only when it acts.
/// Whatever happens: one holder for each epoch, epochs only grow, and what a server writes stands only in its own epoch.
/// </summary>
public sealed class LeadershipProperties
{
    private enum Act { Attempt, Write, Restart, Stop, Wait }

    private static readonly Gen<(Act Act, int Server, int Seconds)> GenAct = Gen.Select(Gen.Enum<Act>(), Gen.Int[0, 2], Gen.Int[0, 12]);

    [Fact]
    public void One_holder_for_each_epoch_and_nothing_written_out_of_turn() => GenAct.Array[0, 150].Sample(acts =>
    {
        var world = new World();
        foreach (var (act, server, seconds) in acts) world.Do(act, server, seconds);
    }, iter: 3000);

    [Fact]
    public void A_lease_that_nobody_renews_is_taken_by_the_first_who_asks_after_its_end() => GenAct.Array[0, 60].Sample(acts =>
    {
        var world = new World();
        foreach (var (act, server, seconds) in acts) world.Do(act, server, seconds);
        world.Do(Act.Attempt, 0, 0);
        world.Do(Act.Wait, 0, (int)Leadership.Life.TotalSeconds);
        var before = world.Lease!;
        world.Do(Act.Attempt, 1, 0);
        Assert.Equal(World.Server(1), world.Lease!.Holder);
        Assert.True(before.Holder == World.Server(1) || world.Lease.Epoch > before.Epoch);
    }, iter: 1000);

    [Fact]
    public void Nobody_takes_a_lease_that_is_renewed_in_time() => Gen.Int[1, 9].Array[1, 50].Sample(pauses =>
    {
        var world = new World();
        world.Do(Act.Attempt, 0, 0);
        foreach (var pause in pauses)
        {
            world.Do(Act.Wait, 0, pause);
            world.Do(Act.Attempt, 1, 0);
            world.Do(Act.Attempt, 0, 0);
        }
        Assert.Equal(new Epoch(1), world.Lease!.Epoch);
    });

    [Fact]
    public void Who_stops_in_order_is_followed_at_once()
    {
        var world = new World();
        world.Do(Act.Attempt, 0, 0);
        world.Do(Act.Stop, 0, 0);
        world.Do(Act.Attempt, 2, 0);
        Assert.Equal((World.Server(2), new Epoch(2)), (world.Lease!.Holder, world.Lease.Epoch));
    }

    private sealed class World
    {
        private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        private readonly Epoch[] _held = new Epoch[3];
        private readonly Dictionary<Epoch, ServerId> _holders = [];

        public LeaderLease? Lease { get; private set; }

        public static ServerId Server(int n) => ServerId.From(new Guid(n + 1, 0, 0, new byte[8]));

        public void Do(Act act, int server, int seconds)
        {
            var me = Server(server);
            switch (act)
            {
                case Act.Attempt:
                    var decision = Leadership.Decide(Lease, me, _held[server], _now);
                    Assert.True(Lease is null || decision.Lease.Epoch.CompareTo(Lease.Epoch) >= 0);
                    // Nobody's time is cut short by another.
                    if (decision.Verdict == LeaseVerdict.Taken && Lease is { } former && former.Holder != me) Assert.True(former.Until <= _now);
                    if (decision.Verdict == LeaseVerdict.Taken) Assert.True(_holders.TryAdd(decision.Lease.Epoch, me), "an epoch was given twice");
                    if (decision.Verdict == LeaseVerdict.Follows) Assert.Equal(Lease, decision.Lease);
                    else Assert.True(decision.Lease.Holder == me && decision.Lease.Until >= _now + Leadership.Life);
                    _held[server] = decision.Verdict == LeaseVerdict.Follows ? Epoch.None : decision.Lease.Epoch;
                    Lease = decision.Lease;
                    break;
                case Act.Write:
                    if (_held[server] == Epoch.None) break;
                    if (Leadership.Fence(_held[server], Lease) is { } refusal) Assert.Contains($"epoch {_held[server]}", refusal.Message, StringComparison.Ordinal);
                    else Assert.Equal((me, _holders[Lease!.Epoch]), (Lease.Holder, me));
                    break;
                case Act.Restart:
                    _held[server] = Epoch.None;
                    break;
                case Act.Stop:
                    if (Lease is not null) Lease = Leadership.Release(Lease, me, _held[server], _now);
                    _held[server] = Epoch.None;
                    break;
                case Act.Wait:
                    _now += TimeSpan.FromSeconds(seconds);
                    break;
            }
        }
    }
}
