using System.Globalization;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Web.Application.Identity;

/// <summary>
/// Which passwords are taken. No rules about kinds of characters: a password is worth what it costs to guess, as zxcvbn estimates it from common
/// passwords, names, words, dates, keyboard runs and repetitions.
/// </summary>
internal static class PasswordRules
{
    /// <summary>Past the longest, estimating would cost more than it tells.</summary>
    public const int Shortest = 12, Longest = 128;

    /// <summary>In bits: a trillion guesses. Those who have the hashes need years for them, at 210,000 rounds each.</summary>
    public const double LeastBits = 40;

    /// <param name="name">The person's; worth nothing in their password.</param>
    public static void Check(RefusalList refusals, string field, string? password, string name)
    {
        if (string.IsNullOrEmpty(password)) refusals.Invalid(field, "required", "Choose a password.");
        else if (password.Length < Shortest || password.Length > Longest) refusals.Invalid(field, "bad_length", $"A password has {Shortest} to {Longest} characters; this one has {password.Length}.");
        else if (Zxcvbn.Zxcvbn.MatchPassword(password, [name, "plinth", "console", "cloud", "password"]).Entropy is var bits && bits < LeastBits)
            refusals.Invalid(field, "too_easy", string.Create(CultureInfo.InvariantCulture, $"This password is worth about {bits:0} bits to somebody who guesses cleverly; it needs {LeastBits:0}. Four words that have nothing to do with each other are enough."));
    }
}
