using CsCheck;
using Plinth.Agents.Upgrade;
using Plinth.Core.Primitives;
using Xunit;

namespace Plinth.Agents.Tests.Upgrade;

/// <summary>Which executable runs, whatever was chosen, confirmed, put back or installed in between.</summary>
public sealed class ExecutableStateTests
{
    private static ExecutableFile File(int i) => new($"{i}.0.0", $"sha256:{i:x64}");

    private static readonly CommandId Attempt = CommandId.New(DateTimeOffset.UnixEpoch);

    private static readonly Gen<Func<ExecutableState, ExecutableState>> Act = Gen.Select(Gen.Int[0, 4], Gen.Int[1, 4]).Select<int, int, Func<ExecutableState, ExecutableState>>((act, file) => act switch
    {
        0 => s => s.Current == File(file) ? s : s.Try(File(file), Attempt),
        1 => s => s.Confirmed(),
        2 => s => s.PutBack("it broke"),
        3 => s => s.StartedBy(s.Installed == s.Current.Digest ? s.Current : File(1) with { Digest = s.Installed }),
        _ => s => s.StartedBy(File(file)),
    });

    [Fact]
    public void The_current_one_changes_by_a_confirmation_or_an_installation_only_and_is_always_kept() => Act.Array[0, 30].Sample(acts =>
    {
        var state = ExecutableState.Of(File(1));
        foreach (var act in acts)
        {
            var next = act(state);
            Assert.Contains(next.Current, next.Kept);
            Assert.NotEqual(next.Current, next.Previous);
            if (next.Current != state.Current) Assert.True(state.Trial?.File == next.Current || next.Installed == next.Current.Digest);
            // What ran before is there to go back to.
            if (next.Current != state.Current) Assert.Equal(state.Current, next.Previous);
            if (next.Setback is not null && state.Setback is null) Assert.Equal(state.Trial!.File.Version, next.Setback.Version);
            state = next;
        }
    });

    [Fact]
    public void A_start_in_the_midst_of_a_trial_puts_it_back()
    {
        var state = ExecutableState.Of(File(1)).Try(File(2), Attempt).StartedBy(File(1));
        Assert.Equal((File(1), null), (state.Current, state.Trial));
        Assert.Equal((Attempt, "2.0.0"), (state.Setback!.Attempt, state.Setback.Version));
    }

    [Fact]
    public void What_was_chosen_holds_until_another_one_is_installed()
    {
        var chosen = ExecutableState.Of(File(1)).Try(File(2), Attempt).Confirmed();
        Assert.Equal(chosen, chosen.StartedBy(File(1)));
        var installed = chosen.StartedBy(File(3));
        Assert.Equal((File(3), File(2), File(3).Digest), (installed.Current, installed.Previous, installed.Installed));
    }
}
