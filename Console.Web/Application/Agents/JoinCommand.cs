using Plinth.Core.Protocol;

namespace Plinth.Web.Application.Agents;

/// <summary>Where joining agents are told to go; known once the listeners are open.</summary>
public interface IEnrolmentAddress
{
    /// <summary>"https://ADDR:PORT".</summary>
    string Url { get; }

    /// <summary>"sha256:" + hex of the console's CA.</summary>
    string Fingerprint { get; }

    /// <summary>Hex SHA-256 of the agent executable that the enrolment listener hands out; null where it hands out none.</summary>
    string? AgentDigest { get; }
}

/// <summary>
/// The one line that lets a machine join. Where the console has the agent's executable the line fetches it first; the digest in the
/// line, not the connection, vouches for it, because the machine does not know the console's CA yet.
/// </summary>
public static class JoinCommand
{
    public static string For(IEnrolmentAddress console, string token) =>
        Fetch(console) + $"plinth-agent join --console {console.Url} --token {token} --ca-fingerprint {console.Fingerprint}";

    private static string Fetch(IEnrolmentAddress console) => console.AgentDigest is not { } digest
        ? ""
        : $"curl -fsSk {console.Url}{HubNames.AgentRoute} -o plinth-agent && echo '{digest}  plinth-agent' | sha256sum --check --quiet && chmod +x plinth-agent && ./";
}
