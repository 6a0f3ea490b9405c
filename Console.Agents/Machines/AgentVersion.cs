using System.Reflection;

namespace Plinth.Agents.Machines;

/// <summary>The version of this executable as it is reported: "0.1.0".</summary>
internal static class AgentVersion
{
    public static readonly string Text =
        typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
