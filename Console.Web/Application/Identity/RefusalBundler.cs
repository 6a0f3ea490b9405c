using System.Collections.Concurrent;

namespace Plinth.Web.Application.Identity;

/// <summary>Lets one refusal of a kind through per minute, with the number that it stands for.</summary>
public sealed class RefusalBundler(TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    // Kinds kept in mind; past it counting starts anew rather than memory filling up.
    private const int MaxKinds = 1000;

    private readonly ConcurrentDictionary<string, (DateTimeOffset At, int Held)> _kinds = new();
    private readonly Lock _lock = new();

    /// <summary>How many refusals to write down as one, or null to hold this one back.</summary>
    public int? Count(string kind)
    {
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            if (_kinds.Count >= MaxKinds) _kinds.Clear();
            if (!_kinds.TryGetValue(kind, out var seen)) seen = (DateTimeOffset.MinValue, 0);
            if (now - seen.At < Window)
            {
                _kinds[kind] = seen with { Held = seen.Held + 1 };
                return null;
            }
            _kinds[kind] = (now, 0);
            return seen.Held + 1;
        }
    }
}
