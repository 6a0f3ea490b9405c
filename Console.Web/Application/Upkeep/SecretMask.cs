using System.Text.RegularExpressions;
using Plinth.Web.Options;

namespace Plinth.Web.Application.Upkeep;

/// <summary>Takes secrets out of what leaves the console: those it knows by their value, and whatever has the form of one.</summary>
internal sealed partial class SecretMask
{
    public const string Shown = "(secret)";
    // Shorter values would strike out ordinary words.
    private const int MinLength = 6;

    private readonly string[] _known;

    public SecretMask(IConfiguration configuration)
    {
        var values = SettingsReference.All.Where(s => s.Secret).Select(s => configuration[s.Key]).OfType<string>().ToArray();
        _known = [.. values.Concat(values.SelectMany(Parts)).Where(v => v.Length >= MinLength).Distinct().OrderByDescending(v => v.Length)];
    }

    public string Apply(string text)
    {
        foreach (var secret in _known) text = text.Replace(secret, Shown, StringComparison.Ordinal);
        text = KeyBlock().Replace(text, Shown);
        text = UserInfo().Replace(text, "$1" + Shown + "@");
        text = Bearer().Replace(text, "$1" + Shown);
        return Named().Replace(text, "$1" + Shown);
    }

    /// <summary>The password inside a connection string.</summary>
    private static IEnumerable<string> Parts(string value) => Named().Matches(value).Select(m => m.Groups["value"].Value);

    [GeneratedRegex("""((?:password|pwd|passphrase|secret|token|ticket|link|cookie|api[-_]?key)["']?\s*[=:]\s*["']?)(?<value>[^\s"';,&]+)""", RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    [GeneratedRegex(@"(\bBearer\s+)\S+", RegexOptions.IgnoreCase)]
    private static partial Regex Bearer();

    [GeneratedRegex(@"(\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", RegexOptions.IgnoreCase)]
    private static partial Regex UserInfo();

    [GeneratedRegex("-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", RegexOptions.Singleline)]
    private static partial Regex KeyBlock();
}
