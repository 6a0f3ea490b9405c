using System.Collections.Concurrent;

namespace Plinth.Web.Hubs.Enrolment;

/// <summary>Stops guessing at join tokens: counts refusals, never successes, so that a whole fleet may join from one address at once.</summary>
public sealed class EnrolmentThrottle(TimeProvider clock)
{
    /// <summary>A person who pastes an old command needs two or three attempts. 256-bit tokens would be safe without this; the log would not.</summary>
    public const int MaxRefusals = 10;
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Addresses kept in mind; past it everything is forgotten rather than memory filled.</summary>
    private const int MaxAddresses = 10_000;

    private readonly ConcurrentDictionary<string, (DateTimeOffset Since, int Count)> _refusals = new();

    public bool MayTry(string? address) =>
        !_refusals.TryGetValue(address ?? "", out var seen) || clock.GetUtcNow() - seen.Since > Window || seen.Count < MaxRefusals;

    public void Refused(string? address)
    {
        var now = clock.GetUtcNow();
        if (_refusals.Count >= MaxAddresses) _refusals.Clear();
        _refusals.AddOrUpdate(address ?? "", (now, 1), (_, seen) => now - seen.Since > Window ? (now, 1) : (seen.Since, seen.Count + 1));
    }
}
