using System.Reflection;

namespace Plinth.Web.Application;

/// <summary>The version of this console: "0.1.0".</summary>
public static class ConsoleVersion
{
    public static readonly string Text =
        typeof(ConsoleVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
