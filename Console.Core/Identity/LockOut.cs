namespace Plinth.Core.Identity;

/// <summary>
/// After how many wrong passwords or codes in a row the next ones are not looked at, and until when. It opens by itself, and other ways to sign in
/// stay open, so that nobody can shut another out.
/// </summary>
public static class LockOut
{
    /// <summary>Wrong ones in a row that cost nothing yet.</summary>
    public const int Tries = 5;

    /// <summary>Doubled by each further wrong one, up to <see cref="Longest"/>: 96 guesses a day.</summary>
    public static readonly TimeSpan First = TimeSpan.FromMinutes(1), Longest = TimeSpan.FromMinutes(15);

    /// <summary>Until when none is looked at, right ones neither; null while it is open.</summary>
    /// <param name="wrong">Wrong ones in a row.</param>
    /// <param name="last">When the last of them was.</param>
    public static DateTimeOffset? Until(int wrong, DateTimeOffset? last, DateTimeOffset now)
    {
        if (wrong < Tries || last is not { } at) return null;
        var wait = First * Math.Pow(2, Math.Min(wrong - Tries, 10));
        var until = at + (wait < Longest ? wait : Longest);
        return now < until ? until : null;
    }
}
