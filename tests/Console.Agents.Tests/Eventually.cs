using Xunit;

namespace Plinth.Agents.Tests;

/// <summary>Waits for a condition that nothing announces, with a deadline.</summary>
internal static class Eventually
{
    public static async Task True(Func<bool> holds, string? what = null, int seconds = 20)
    {
        var deadline = DateTime.UtcNow.AddSeconds(seconds);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < deadline, what ?? "it did not come to that in time");
            await Task.Delay(20);
        }
    }
}
