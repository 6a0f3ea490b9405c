using System.Diagnostics;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>Waits for a condition with a deadline; fails with what was waited for.</summary>
internal static class Eventually
{
    // Guests are executed by software on a machine that others use too.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(300);

    public static async Task<T> Get<T>(string what, Func<Task<T?>> look) where T : class
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await look() is { } found) return found;
            if (Stopwatch.GetElapsedTime(began) > Patience) throw new Xunit.Sdk.XunitException($"not within {Patience.TotalSeconds} s: {what}");
            await Task.Delay(50);
        }
    }

    public static Task Holds(string what, Func<Task<bool>> condition) => Get(what, async () => await condition() ? "" : null);
}
