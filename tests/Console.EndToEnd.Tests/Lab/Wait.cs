using System.Diagnostics;

namespace Plinth.EndToEnd.Tests.Lab;

/// <summary>Waits for a condition; the deadline only bounds a failure and is never part of what is asserted.</summary>
public static class Wait
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public static async Task<T> For<T>(string what, Func<Task<T?>> probe, TimeSpan? deadline = null, TimeSpan? pause = null) where T : class
    {
        var limit = deadline ?? TimeSpan.FromMinutes(3);
        var watch = Stopwatch.StartNew();
        Exception? last = null;
        while (watch.Elapsed < limit)
        {
            try
            {
                if (await probe() is { } value) return value;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                last = e;
            }
            using var timer = new PeriodicTimer(pause ?? Pause);
            await timer.WaitForNextTickAsync();
        }
        throw new TimeoutException($"{what} did not come within {limit.TotalSeconds:0} s{(last is null ? "" : ": " + last.Message)}", last);
    }

    public static Task Until(string what, Func<Task<bool>> probe, TimeSpan? deadline = null, TimeSpan? pause = null) =>
        For(what, async () => await probe() ? "yes" : null, deadline, pause);
}
