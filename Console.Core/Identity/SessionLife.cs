namespace Plinth.Core.Identity;

/// <summary>How long somebody stays signed in.</summary>
public static class SessionLife
{
    /// <summary>Without being used.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromHours(12);

    /// <summary>However much it is used.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>How fine the time of the last use is kept: it is written at most this often.</summary>
    public static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(5);

    /// <summary>Who changes how they sign in has signed in within this time: a browser that was left open is not enough.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromMinutes(15);

    /// <summary>Of tokens, in days.</summary>
    public const int LongestTokenDays = 366;
}
