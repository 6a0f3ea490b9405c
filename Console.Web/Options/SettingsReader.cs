using System.Globalization;

namespace Plinth.Web.Options;

/// <summary>What is wrong with the settings, all of it, in words for the person who starts the console.</summary>
public sealed class SettingsException(IReadOnlyList<string> problems)
    : Exception("The settings are not usable:" + Environment.NewLine + string.Join(Environment.NewLine, problems.Select(p => "  - " + p)))
{
    public IReadOnlyList<string> Problems { get; } = problems;
}

/// <summary>Reads settings one by one and collects every problem, so that one start names them all with the key to set.</summary>
public sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems => _problems;

    public string? Text(string key) => configuration[key] is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    public string Required(string key, string example)
    {
        if (Text(key) is { } text) return text;
        Problem(key, null, $"is empty; set it, for example to {example}");
        return "";
    }

    public int Number(string key, int @default, int min, int max)
    {
        if (Text(key) is not { } text) return @default;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max) return number;
        Problem(key, text, $"is not a whole number from {min} to {max}");
        return @default;
    }

    public double Decimal(string key, double @default, double min, double max)
    {
        if (Text(key) is not { } text) return @default;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max) return number;
        Problem(key, text, string.Create(CultureInfo.InvariantCulture, $"is not a number from {min} to {max}"));
        return @default;
    }

    /// <summary>The names under <paramref name="key"/>, as they are spelt.</summary>
    public IEnumerable<string> Names(string key) => configuration.GetSection(key).GetChildren().Select(c => c.Key);

    public bool Flag(string key)
    {
        if (Text(key) is not { } text) return false;
        if (bool.TryParse(text, out var flag)) return flag;
        Problem(key, text, "is neither true nor false");
        return false;
    }

    public Uri? Url(string key)
    {
        if (Text(key) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return url;
        Problem(key, text, "is not an http or https address");
        return null;
    }

    public string? ExistingFile(string key)
    {
        if (Text(key) is not { } text) return null;
        if (!File.Exists(text)) Problem(key, text, "is not a file that can be read");
        return text;
    }

    /// <param name="value">Shown in quotes; null where there is none or where it must stay secret.</param>
    public void Problem(string key, string? value, string sentence)
    {
        var variable = key.Replace(":", "__", StringComparison.Ordinal);
        _problems.Add(value is null ? $"{key} {sentence} (environment: {variable})" : $"{key} = \"{value}\" {sentence} (environment: {variable})");
    }
}
