using Plinth.Core.Identity;
using Plinth.Core.Primitives;

namespace Plinth.Web.Application;

/// <summary>A message of a session that a newer one has replaced. Thrown by <see cref="IAgentDirectory"/>; the hub ends the session.</summary>
public sealed class StaleEpochException(HostId host, Epoch sent, Epoch current)
    : Exception($"host {host} sent epoch {sent}; its session has epoch {current}")
{
    public HostId Host { get; } = host;
    public Epoch Sent { get; } = sent;
    public Epoch Current { get; } = current;
}

/// <summary>This server does not lead any more; what was asked under its term had no effect.</summary>
public sealed class LeadershipOverException(string message) : Exception(message);

/// <summary>The bytes of ready images, as the agent listener hands them out.</summary>
public interface IImageContent
{
    /// <summary>The file that holds the bytes of this digest ("sha256:…"), complete and checked; null where there is none.</summary>
    Task<string?> PathOf(string digest, CancellationToken stop);

    /// <summary>True where another server of this console may have the bytes, and this one takes them from there.</summary>
    Task<bool> IsAwaited(string digest, CancellationToken stop);
}

/// <summary>The bytes of images on the other servers of this console.</summary>
public interface IPeerImages
{
    /// <summary>Gives <paramref name="take"/> the bytes that the server at this agent hub ("https://host:port") sends for a digest ("sha256:…"), unchecked.</summary>
    /// <exception cref="HttpRequestException">It does not answer, is not a server of this console, or does not have it; the message says which.</exception>
    Task<T> Read<T>(string hubUrl, string digest, Func<Stream, Task<T>> take, CancellationToken stop);
}

/// <summary>Identities of servers, as the agents' listener needs them.</summary>
public interface IServerRegistry
{
    /// <summary>False for a server that this console does not have, or has forgotten: its certificate is not accepted.</summary>
    Task<bool> IsKnown(ServerId server, CancellationToken stop);
}

/// <summary>What the console says about itself in <c>/readyz</c>: database migrated, workers running. Every registered one must be ready.</summary>
public interface IReadinessCheck
{
    /// <summary>Short and stable: "database", "workers".</summary>
    string Name { get; }

    /// <summary>Null when ready, otherwise a sentence that says what is awaited.</summary>
    Task<string?> NotReady(CancellationToken stop);
}

/// <summary>
/// Brings the console's data up to date before the listeners open: migrations, then what must exist from the first day.
/// Run in ascending <see cref="Order"/> (database 0, catalogue and bootstrap 10, keys and identities 20).
/// </summary>
public interface IStartupStep
{
    int Order { get; }
    Task Run(CancellationToken stop);
}

/// <summary>One-time sign-in links and the people behind them. Only hashes of link secrets are stored.</summary>
public interface ISignIn
{
    /// <summary>A fresh link secret (256 random bits, base64url); an unused former one of the console's start stops working.</summary>
    Task<string> IssueLink(CancellationToken stop);

    /// <summary>Uses up the link and gives the person behind it, or refuses; both are audited in the same transaction.</summary>
    Task<Result<Principal>> UseLink(string secret, string? remoteAddress, CancellationToken stop);

    /// <summary>What a person's sessions carry to be valid; null for somebody who may not be signed in.</summary>
    Task<string?> Stamp(Principal person, CancellationToken stop);

    /// <summary>Makes an API client that the settings have made a platform admin.</summary>
    Task Trust(string client, CancellationToken stop);

    /// <summary>Appends an audit entry about signing in or out, or a token request, where no other change carries it.</summary>
    Task Record(Principal principal, string action, bool allowed, string detail, string? remoteAddress, CancellationToken stop);
}

/// <summary>Join tokens as the console itself needs them at start, beside the use cases of people.</summary>
public interface IJoinTokenIssuer
{
    /// <summary>A fresh token secret for <paramref name="description"/>; unused former ones of the same description are revoked.</summary>
    Task<IReadOnlyList<string>> Reissue(string description, int count, TimeSpan valid, CancellationToken stop);
}

/// <summary>The newest lines of the console's log, oldest first.</summary>
public interface IRecentLog
{
    IReadOnlyList<string> Lines { get; }
}
