using System.Globalization;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Api;

/// <summary>Reads paths, queries and headers. What cannot be read is refused by name, before any use case runs.</summary>
internal static class Inputs
{
    private const int MaxKeyLength = 100, MaxWindow = 500, MaxTextLength = 1000;

    public static T Id<T>(string text, string name) where T : struct, ITypedId<T> => T.From(Uuid(text, name));

    /// <summary>The id of something that others keep.</summary>
    public static Guid Uuid(string text, string name) =>
        Guid.TryParseExact(text, "D", out var id) ? id : throw BadInputException.At(name, "bad_id", $"{name} is not a UUID like 0193e1c4-7a52-7b1c-9d3e-2f4a6b8c0d1e.");

    /// <summary>A project's name or id; the use case looks it up.</summary>
    public static string Project(string text) =>
        text.Length is > 0 and <= 100 && !text.Any(char.IsControl) ? text : throw BadInputException.At("project", "bad_project", "project is not a name or an id of a project.");

    /// <summary>A filter: bounded, without control characters.</summary>
    public static string? Text(string? text, string name)
    {
        if (text is null) return null;
        if (text.Length > MaxTextLength) throw BadInputException.At(name, "too_long", $"{name} has {text.Length} characters; {MaxTextLength} are allowed.");
        if (text.Any(char.IsControl)) throw BadInputException.At(name, "bad_characters", $"{name} holds control characters.");
        return text.Length == 0 ? null : text;
    }

    public static bool Flag(string? text, string name) => text switch
    {
        null or "" or "false" => false,
        "true" => true,
        _ => throw BadInputException.At(name, "bad_flag", $"{name} is true or false."),
    };

    public static Window Window(string? limit, string? cursor, string? offset)
    {
        var refusals = new List<Refusal>();
        var size = Number(limit, "limit", 1, MaxWindow, refusals) ?? 50;
        var skip = Number(offset, "offset", 0, int.MaxValue, refusals);
        if (cursor is not null && skip is not null) refusals.Add(Refusal.Invalid("offset", "conflicting", "Give a cursor or an offset, not both."));
        if (cursor is { Length: > MaxTextLength }) refusals.Add(Refusal.Invalid("cursor", "bad_cursor", "The cursor is not one that this list has given."));
        return refusals.Count == 0 ? new Window((int)size, string.IsNullOrEmpty(cursor) ? null : cursor, (int?)skip) : throw new BadInputException(refusals);
    }

    /// <summary>"range" in seconds or as 15m, 6h, 7d; an hour when absent.</summary>
    public static TimeSpan Range(string? text)
    {
        if (string.IsNullOrEmpty(text)) return TimeSpan.FromHours(1);
        var seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, >= '0' and <= '9' => -1, _ => 0 };
        var digits = seconds < 0 ? text : text[..^1];
        if (seconds != 0 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n <= 35 * 86400)
        {
            var range = TimeSpan.FromSeconds(n * Math.Max(1, seconds));
            if (range >= TimeSpan.FromMinutes(1) && range <= TimeSpan.FromDays(35)) return range;
        }
        throw BadInputException.At("range", "bad_range", "range is not a length of time from 1m to 35d, for example 15m, 6h or 7d.");
    }

    /// <summary>A moment: RFC 3339, with its zone.</summary>
    public static DateTimeOffset Moment(string? text, string name) =>
        text is { Length: >= 20 and <= 40 } && char.ToUpperInvariant(text[10]) == 'T' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at)
            ? at.ToUniversalTime()
            : throw BadInputException.At(name, "bad_time", $"{name} is not a time with its zone, like 2026-03-01T12:00:00Z.");

    public static long Position(string? text, string name) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw BadInputException.At(name, "bad_number", $"{name} is not a whole number from 0.");

    public static string? IdempotencyKey(HttpContext context)
    {
        const string header = "Idempotency-Key";
        var values = context.Request.Headers[header];
        if (values.Count == 0) return null;
        var key = values.ToString();
        if (values.Count > 1 || key.Length is 0 or > MaxKeyLength || key.Any(c => c is <= ' ' or > '~'))
            throw BadInputException.At(header, "bad_idempotency_key", $"{header} is given once, with 1 to {MaxKeyLength} visible ASCII characters; a UUID is a good one.");
        return key;
    }

    /// <summary>The version in If-Match; null when absent or "*".</summary>
    public static long? ExpectedVersion(HttpContext context)
    {
        var text = context.Request.Headers.IfMatch.ToString();
        if (text is "" or "*") return null;
        return text.Length > 2 && text[0] == '"' && text[^1] == '"' && long.TryParse(text.AsSpan(1, text.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw BadInputException.At("If-Match", "bad_etag", "If-Match is not the ETag that a GET of this resource has given, like \"7\".");
    }

    private static long? Number(string? text, string name, long min, long max, List<Refusal> refusals)
    {
        if (string.IsNullOrEmpty(text)) return null;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= min && n <= max) return n;
        refusals.Add(Refusal.Invalid(name, "out_of_range", $"{name} is not a whole number from {min} to {max}."));
        return null;
    }
}
