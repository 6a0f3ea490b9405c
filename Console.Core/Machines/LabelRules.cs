using System.Buffers;

namespace Plinth.Core.Machines;

/// <summary>Labels: at most 64 pairs that people and machines can filter by.</summary>
public static class LabelRules
{
    public const int MaxCount = 64;
    public const int MaxKeyLength = 63;
    public const int MaxValueLength = 63;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    public static bool IsKey(string key) => key.Length is > 0 and <= MaxKeyLength && !key.AsSpan().ContainsAnyExcept(Allowed) && char.IsAsciiLetterOrDigit(key[0]);

    public static bool IsValue(string value) => value.Length <= MaxValueLength && !value.AsSpan().ContainsAnyExcept(Allowed);

    public static void Check(RefusalList refusals, string field, IReadOnlyDictionary<string, string?>? labels)
    {
        if (labels is null) return;
        if (labels.Count > MaxCount)
        {
            refusals.Invalid(field, "too_many", $"There are {labels.Count} labels; at most {MaxCount} are allowed. Remove {labels.Count - MaxCount}.");
            return;
        }
        foreach (var (key, value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            if (!IsKey(key))
            {
                refusals.Invalid(field, "bad_label_key", $"{RefusalList.Quote(key)} is not a label key: 1 to {MaxKeyLength} letters, digits, '.', '_' or '-', with a letter or digit first.");
                continue;
            }
            if (value is null)
                refusals.Invalid($"{field}.{key}", "required", $"The label {key} has no value; give one (it may be empty) or leave the label out.");
            else if (!IsValue(value))
                refusals.Invalid($"{field}.{key}", "bad_label_value", $"{RefusalList.Quote(value)} is not a label value: at most {MaxValueLength} letters, digits, '.', '_' or '-'.");
        }
    }
}
