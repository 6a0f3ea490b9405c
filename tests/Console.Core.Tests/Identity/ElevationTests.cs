using Plinth.Core.Identity;
using Xunit;

namespace Plinth.Core.Tests.Identity;

public sealed class ElevationTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_nobody_decides_in_time_is_over_and_so_is_a_role_whose_hours_have_passed()
    {
        foreach (var state in Enum.GetValues<ElevationState>())
            foreach (var minutes in new[] { 0, 59, 60, 61, 119, 120, 1000 })
            {
                var expected = state switch
                {
                    ElevationState.Asked when minutes >= 60 => ElevationState.Over,
                    ElevationState.Approved when minutes >= 120 => ElevationState.Over,
                    _ => state,
                };
                Assert.Equal(expected, Elevation.StateAt(state, Now, Now.AddHours(2), Now.AddMinutes(minutes)));
            }
    }
}
