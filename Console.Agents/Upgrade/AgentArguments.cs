namespace Plinth.Agents.Upgrade;

/// <summary>How executables of the agent start one another. Every version has to understand what the one before says: words are added, never changed.</summary>
internal static class AgentArguments
{
    public const string HandedOverBy = "--handed-over-by", Trial = "--trial";

    public static string[] HandOver(string data, string installed) => ["run", "--data", data, HandedOverBy, installed];

    public static string[] OnTrial(string data, string installed) => [.. HandOver(data, installed), Trial];

    public static string[] Anew(string data) => ["run", "--data", data];
}
