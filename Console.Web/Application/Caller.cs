using Plinth.Core.Identity;

namespace Plinth.Web.Application;

/// <summary>Who asks and from where; every use case takes one and checks it once.</summary>
public sealed record Caller(Principal Principal, string? RemoteAddress)
{
    public static Caller System { get; } = new(Principal.System, null);
}

/// <summary>One window of a list. <paramref name="Total"/> is the true number under the filter; <paramref name="Next"/> the cursor of the next window.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, long Total, string? Next);

/// <summary>What every list takes. <paramref name="Limit"/> 1–500.</summary>
public sealed record Window(int Limit = 50, string? Cursor = null, int? Offset = null);
