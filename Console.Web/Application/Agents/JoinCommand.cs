namespace Plinth.Web.Application.Agents;

/// <summary>Where joining agents are told to go; known once the listeners are open.</summary>
public interface IEnrolmentAddress
{
    /// <summary>"https://ADDR:PORT".</summary>
    string Url { get; }

    /// <summary>"sha256:" + hex of the console's CA.</summary>
    string Fingerprint { get; }
}

/// <summary>The one command that lets a machine join, as the agent's command line takes it.</summary>
public static class JoinCommand
{
    public static string For(IEnrolmentAddress console, string token) =>
        $"plinth-agent join --console {console.Url} --token {token} --ca-fingerprint {console.Fingerprint}";
}
