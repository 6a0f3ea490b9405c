using System.Globalization;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Pages.Machines;

/// <summary>
/// The create form as people fill it in: text, judged by nobody here. <see cref="ToRequest"/> is what is sent; what the use case
/// answers is shown at the field that it names.
/// </summary>
public sealed class VmForm
{
    public string Name { get; set; } = "";
    public string Description { get; set; } = "";
    public string Image { get; set; } = "";

    /// <summary>A flavor's name; empty for a size of one's own.</summary>
    public string Flavor { get; set; } = "";
    public string Vcpus { get; set; } = "1";
    public string MemoryMib { get; set; } = "512";
    public string DiskGib { get; set; } = "2";
    public string UserName { get; set; } = "";

    /// <summary>One OpenSSH public key per line.</summary>
    public string Keys { get; set; } = "";
    public string UserData { get; set; } = "";

    /// <summary>One "key=value" per line.</summary>
    public string Labels { get; set; } = "";

    /// <summary>Names, in the order of the interfaces; null leaves the choice to the project.</summary>
    public IReadOnlyList<string>? Networks { get; set; }
    public string StorageClass { get; set; } = "";
    public string Host { get; set; } = "";

    /// <summary>"" for BIOS, or "uefi".</summary>
    public string Firmware { get; set; } = "";
    public bool SecureBoot { get; set; }
    public bool Tpm { get; set; }

    public bool OwnSize => Flavor.Length == 0;

    public CreateVm ToRequest() => new(
        Text(Name),
        Text(Image),
        Text(Flavor),
        OwnSize ? Number(Vcpus) : null,
        OwnSize ? Number(MemoryMib) : null,
        OwnSize ? Number(DiskGib) : null,
        Text(Description),
        LabelText.Parse(Labels),
        Text(StorageClass),
        Networks,
        Text(UserName),
        Lines(Keys) is { Count: > 0 } keys ? keys : null,
        UserData.Trim().Length == 0 ? null : UserData,
        Text(Host),
        Text(Firmware),
        SecureBoot ? true : null,
        Tpm ? true : null);

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;

    /// <summary>Null for what is no whole number: the use case then says that the field is needed.</summary>
    private static long? Number(string value) => long.TryParse(value.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null;

    private static List<string?> Lines(string value) => [.. value.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
}

/// <summary>Labels as text: one "key=value" per line.</summary>
public static class LabelText
{
    public static IReadOnlyDictionary<string, string?>? Parse(string text)
    {
        var labels = new Dictionary<string, string?>();
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            if (at < 0) labels[line] = "";
            else labels[line[..at].Trim()] = line[(at + 1)..].Trim();
        }
        return labels.Count == 0 ? null : labels;
    }

    public static string Format(IReadOnlyDictionary<string, string> labels) => string.Join('\n', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));
}

/// <summary>Refusals by the field of the form that they name.</summary>
public static class FieldRefusals
{
    /// <summary>"keys" takes "keys", "keys[0]" and "keys.x".</summary>
    public static bool Names(this Refusal refusal, string field) =>
        refusal.Field is { } named && named.StartsWith(field, StringComparison.Ordinal) && (named.Length == field.Length || named[field.Length] is '[' or '.');
}
