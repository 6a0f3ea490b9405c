using System.Buffers;
using System.Text;

namespace Plinth.Core.Machines;

/// <summary>What a seed may carry into a guest.</summary>
public static class GuestRules
{
    public const int MaxUserNameLength = 32;
    /// <summary>The bound of the cloud metadata services that images are made for.</summary>
    public const int MaxUserDataBytes = 16 * 1024;
    public const int MaxKeys = 32;

    private static readonly SearchValues<char> UserNameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-");

    public static void CheckUserName(RefusalList refusals, string field, string? value)
    {
        if (value is null) return;
        if (value.Length is 0 or > MaxUserNameLength || value.AsSpan().ContainsAnyExcept(UserNameCharacters) || value[0] is not ((>= 'a' and <= 'z') or '_'))
            refusals.Invalid(field, "bad_user_name", $"{RefusalList.Quote(value)} is not a login name: 1 to {MaxUserNameLength} lower-case letters, digits, '_' or '-', with a letter or '_' first.");
    }

    public static void CheckUserData(RefusalList refusals, string field, string? value)
    {
        if (value is null) return;
        var bytes = Encoding.UTF8.GetByteCount(value);
        if (bytes > MaxUserDataBytes)
            refusals.Invalid(field, "too_long", $"The user data has {bytes} bytes; at most {MaxUserDataBytes} are allowed. Let it fetch the rest.");
        else if (!TextRules.IsText(value))
            refusals.Invalid(field, "control_character", "The user data has a NUL, another control character or broken Unicode in it; send UTF-8 text.");
    }

    public static void CheckKeys(RefusalList refusals, string field, IReadOnlyList<string?>? keys)
    {
        if (keys is null) return;
        if (keys.Count > MaxKeys)
        {
            refusals.Invalid(field, "too_many", $"There are {keys.Count} keys; at most {MaxKeys} are allowed.");
            return;
        }
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < keys.Count; i++)
        {
            var parsed = SshPublicKey.Parse(keys[i]);
            if (!parsed.Succeeded)
                refusals.Invalid($"{field}[{i}]", "bad_key", parsed.Reason);
            else if (!seen.TryAdd(parsed.Value.Blob, i))
                refusals.Invalid($"{field}[{i}]", "duplicate", $"This key is the same as {field}[{seen[parsed.Value.Blob]}]; name it once.");
        }
    }
}
