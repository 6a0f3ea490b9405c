using System.Reflection;
using System.Text;

namespace Plinth.Web.Options;

/// <summary>Every setting there is, read off the options records.</summary>
public static class SettingsReference
{
    public static IReadOnlyList<SettingAttribute> All { get; } =
    [
        .. typeof(SettingsReference).Assembly.GetTypes()
            .SelectMany(t => t.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance))
            .SelectMany(c => c.GetParameters()).SelectMany(p => p.GetCustomAttributes<SettingAttribute>())
            .OrderBy(s => s.Key.StartsWith("Plinth:", StringComparison.Ordinal) ? 0 : 1).ThenBy(s => s.Key, StringComparer.Ordinal),
    ];

    /// <summary><c>docs/configuration.md</c>.</summary>
    public static string Markdown()
    {
        var text = new StringBuilder("""
            # Configuration

            Made from the options records in `Console.Web/Options` by `Console.Web --settings`; a test fails when this page and the program disagree.

            `appsettings.json` is read first: the one at the top level when started by `./start`, `/etc/plinth/appsettings.json` with the Debian package. Environment variables
            override it (`Plinth__Portal__Url` for `Plinth:Portal:Url`; the package reads them from `/etc/default/plinth-console`), and command-line arguments override both
            (`--Plinth:Portal:Url=…`). Settings are read once, at start. Wrong ones are all reported at once, each with its key, and nothing starts.

            | key | default | meaning |
            |---|---|---|

            """);
        foreach (var setting in All)
            text.Append("| `").Append(setting.Key).Append("` | ").Append(setting.Default.Length == 0 ? "" : $"`{setting.Default}`").Append(" | ")
                .Append(setting.Meaning).Append(setting.Secret ? " Secret: never logged or shown." : "").Append(" |\n");
        return text.Append("""

            Log levels are ASP.NET's own: `Logging:LogLevel:Default`, `Logging:LogLevel:Plinth` and so on, from `Trace` to `None`.

            """).ToString();
    }
}
