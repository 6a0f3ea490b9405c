using Plinth.Core.Identity;
using Xunit;

namespace Plinth.Core.Tests.Identity;

public sealed class LockOutTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, null)]
    [InlineData(4, null)]
    [InlineData(5, 1.0)]
    [InlineData(6, 2.0)]
    [InlineData(8, 8.0)]
    [InlineData(9, 15.0)]
    [InlineData(1_000_000, 15.0)]
    public void Each_wrong_one_after_the_fifth_doubles_the_wait(int wrong, double? minutes)
    {
        Assert.Equal(minutes is { } m ? Now.AddMinutes(m) : null, LockOut.Until(wrong, Now, Now));
        if (minutes is { } wait) Assert.Null(LockOut.Until(wrong, Now, Now.AddMinutes(wait)));
    }

    /// <summary>Somebody who tries as soon as it opens, for a day.</summary>
    [Fact]
    public void A_guesser_gets_about_a_hundred_tries_a_day()
    {
        var (wrong, at) = (0, Now);
        while (at < Now.AddDays(1))
        {
            wrong++;
            at = LockOut.Until(wrong, at, at) ?? at;
        }
        Assert.InRange(wrong, 90, 105);
    }
}
