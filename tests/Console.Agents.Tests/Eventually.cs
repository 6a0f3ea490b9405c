using System.Diagnostics;
using Xunit.Sdk;

namespace Plinth.Agents.Tests;

/// <summary>Waits for a condition that nothing announces; the deadline only bounds a failure, which says what was waited for.</summary>
internal static class Eventually
{
    // Guests are executed by software on a machine that others use too.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(300);

    public static async Task<T> Get<T>(string what, Func<Task<T?>> look, TimeSpan? patience = null) where T : class
    {
        var (began, limit) = (Stopwatch.GetTimestamp(), patience ?? Patience);
        while (true)
        {
            if (await look() is { } found) return found;
            if (Stopwatch.GetElapsedTime(began) > limit) throw new XunitException($"not within {limit.TotalSeconds:0} s: {what}");
            await Task.Delay(20);
        }
    }

    public static Task Holds(string what, Func<Task<bool>> condition) => Get(what, async () => await condition() ? "" : null);

    /// <summary>Of what happens inside this process.</summary>
    public static Task True(Func<bool> holds, string what = "it came to that", int seconds = 20) =>
        Get(what, () => Task.FromResult(holds() ? "" : null), TimeSpan.FromSeconds(seconds));
}
