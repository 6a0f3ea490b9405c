namespace Plinth.Web.Options;

/// <summary>On a parameter of an options record: the key that sets it, as <c>docs/configuration.md</c> describes it.</summary>
/// <param name="default">What counts where it is not set; empty for nothing.</param>
/// <param name="meaning">A sentence or two, in Markdown.</param>
[AttributeUsage(AttributeTargets.Parameter, AllowMultiple = true)]
public sealed class SettingAttribute(string key, string @default, string meaning) : Attribute
{
    public string Key { get; } = key;
    public string Default { get; } = @default;
    public string Meaning { get; } = meaning;

    /// <summary>Never shown: not in logs, not in a diagnostics bundle.</summary>
    public bool Secret { get; init; }
}
