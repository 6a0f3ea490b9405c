namespace Plinth.Core.Identity;

/// <summary>How far it has come that somebody gets a role for a few hours (break-glass).</summary>
public enum ElevationState
{
    /// <summary>Nobody else has approved it yet. It is over by itself after <see cref="Elevation.Patience"/>.</summary>
    Asked,
    /// <summary>The role counts, until its time is over.</summary>
    Approved,
    Refused,
    /// <summary>Taken back before it was decided.</summary>
    Withdrawn,
    /// <summary>Given back, or taken away, before its time was over.</summary>
    Ended,
    /// <summary>Its time is over, or nobody decided in time.</summary>
    Over,
}

/// <summary>A role for a few hours, which somebody else has to approve.</summary>
public static class Elevation
{
    public const int MostHours = 8;

    /// <summary>An emergency that waits longer is none.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    /// <summary>What is true of it now, whatever was last written down.</summary>
    /// <param name="until">When the role ends, once it is approved.</param>
    public static ElevationState StateAt(ElevationState stored, DateTimeOffset askedAt, DateTimeOffset? until, DateTimeOffset now) => stored switch
    {
        ElevationState.Asked when now >= askedAt + Patience => ElevationState.Over,
        ElevationState.Approved when now >= until => ElevationState.Over,
        _ => stored,
    };
}
