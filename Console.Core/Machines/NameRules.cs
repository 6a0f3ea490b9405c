using System.Buffers;

namespace Plinth.Core.Machines;

/// <summary>Names of things are RFC 1123 labels: they become host names, file names and parts of a URL unchanged.</summary>
public static class NameRules
{
    public const int MaxLength = 63;
    public const int MaxDescriptionLength = 1000;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    public static bool IsName(string value) =>
        value.Length is > 0 and <= MaxLength && !value.AsSpan().ContainsAnyExcept(Allowed) && value[0] != '-' && value[^1] != '-';

    public static void CheckName(RefusalList refusals, string field, string? value)
    {
        if (string.IsNullOrEmpty(value))
            refusals.Invalid(field, "required", "A name is needed: lower-case letters, digits and hyphens, at most 63 characters.");
        else if (value.Length > MaxLength)
            refusals.Invalid(field, "too_long", $"The name has {value.Length} characters; at most {MaxLength} are allowed. Shorten it.");
        else if (!IsName(value))
            refusals.Invalid(field, "bad_name", $"{RefusalList.Quote(value)} is not a name: use lower-case letters, digits and hyphens, with a letter or digit first and last.");
    }

    public static void CheckDescription(RefusalList refusals, string field, string? value) => CheckLine(refusals, field, value, "description");

    /// <summary>One line of plain text from people.</summary>
    /// <param name="what">"description": as the sentence says it.</param>
    public static void CheckLine(RefusalList refusals, string field, string? value, string what)
    {
        if (value is null) return;
        if (value.Length > MaxDescriptionLength)
            refusals.Invalid(field, "too_long", $"The {what} has {value.Length} characters; at most {MaxDescriptionLength} are allowed. Shorten it.");
        else if (!TextRules.IsPrintable(value))
            refusals.Invalid(field, "control_character", $"The {what} has a control character or broken Unicode in it; use plain text on one line.");
    }
}
