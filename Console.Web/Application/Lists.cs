using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Web.Application;

/// <summary>Where the next window begins: the sort key and name of the last row, opaque to callers.</summary>
/// <param name="Sort">The sort it belongs to; used with another it is refused.</param>
internal sealed record Cursor(string Sort, string Key, string Name)
{
    private const int MaxLength = 1024;

    public string Text() => WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(this));

    public long Number() => long.TryParse(Key, out var number) ? number : 0;

    public static Result<Cursor?> Read(Window window, string sort)
    {
        if (window.Cursor is not { Length: > 0 } text) return Result<Cursor?>.Ok(null);
        try
        {
            if (text.Length <= MaxLength && JsonSerializer.Deserialize<Cursor>(Encoding.UTF8.GetString(WebEncoders.Base64UrlDecode(text))) is { Key: not null, Name: not null } cursor && cursor.Sort == sort) return cursor;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // Told below, like any other damage.
        }
        return Refusal.Invalid("cursor", "bad_cursor", "The cursor is damaged or belongs to another sort; take it unchanged from `next` of the page before, or leave it out to begin.");
    }
}

internal static class Lists
{
    public const int MaxLimit = 500;

    /// <summary>Limit and offset within bounds, or what is wrong.</summary>
    public static void Check(RefusalList refusals, Window window)
    {
        SizeRules.Within(refusals, "limit", "rows", window.Limit, 1, MaxLimit);
        if (window.Offset is { } offset) SizeRules.Within(refusals, "offset", "rows", offset, 0, int.MaxValue);
    }

    /// <summary>"-created" → ("created", descending); unknown words are refused with the list of known ones.</summary>
    public static (string Key, bool Descending) Sort(RefusalList refusals, string? sort, string @default, params IReadOnlyList<string> known)
    {
        var text = string.IsNullOrEmpty(sort) ? @default : sort;
        var descending = text.StartsWith('-');
        var key = descending ? text[1..] : text;
        if (known.Contains(key)) return (key, descending);
        refusals.Invalid("sort", "bad_sort", $"{RefusalList.Quote(text)} is no sort; use one of {string.Join(", ", known)}, with \"-\" in front for descending.");
        return (@default.TrimStart('-'), @default.StartsWith('-'));
    }

    /// <summary>"running,failed" → states; null where nothing was asked.</summary>
    public static IReadOnlyList<T>? States<T>(RefusalList refusals, string field, string? text) where T : struct, Enum
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        var states = new List<T>();
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Take(50))
        {
            var match = Enum.GetValues<T>().Where(v => OperationSteps.Word(v) == word).ToArray();
            if (match.Length == 1) states.Add(match[0]);
            else refusals.Invalid(field, "bad_filter", $"{RefusalList.Quote(word)} is not one of {string.Join(", ", Enum.GetValues<T>().Select(OperationSteps.Word))}.");
        }
        return states;
    }
}
