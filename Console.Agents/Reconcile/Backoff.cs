namespace Plinth.Agents.Reconcile;

/// <summary>How long to wait after the n-th failure in a row: 1, 2, 4, … s, at most a minute.</summary>
internal static class Backoff
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    public static TimeSpan After(int failures) =>
        failures > 6 ? Longest : TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, Math.Max(0, failures - 1))));

    /// <summary>The same, spread over half to the whole of it, so that a fleet does not come back in one instant.</summary>
    public static TimeSpan Jittered(int failures) => After(failures) * (0.5 + Random.Shared.NextDouble() / 2);
}
