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

/// <summary>The link by which the operator comes in, who sits where the console runs.</summary>
public interface IOperatorLink
{
    /// <summary>The operator's name.</summary>
    public const string Operator = "operator";

    /// <summary>A fresh link secret (256 random bits, base64url), of which only a hash is kept; an unused former one stops working.</summary>
    Task<string> Issue(CancellationToken stop);
}

/// <summary>From where somebody signs in.</summary>
/// <param name="Browser">The User-Agent that was sent.</param>
/// <param name="Leaves">The session that this browser is in already; the new one takes its place.</param>
public sealed record Visitor(string? Address, string? Browser, SessionId? Leaves = null);

/// <summary>Somebody who gave the first of two factors, and of whom a code is asked besides.</summary>
/// <param name="First">"password" or "sign-in link".</param>
public sealed record CodeAsked(UserId User, string First);

/// <summary>The first factor was right: signed in, or a code is asked besides.</summary>
public sealed record FirstFactor(Principal? Person, CodeAsked? Asked);

/// <summary>A passkey that has signed the console's challenge; the signature has been checked.</summary>
/// <param name="CredentialId">As the authenticator calls it, base64url.</param>
/// <param name="AskedAt">When the challenge was made: one is good for one sign-in.</param>
public sealed record PasskeyUse(string CredentialId, long SignCount, bool IsBackedUp, DateTimeOffset AskedAt);

/// <summary>The ways in. Each begins a session, or refuses; both are audited in the same transaction, refusals of strangers bundled.</summary>
public interface ISignIn
{
    /// <summary>By which a token of a person is told from one of the OpenID provider, and found where it should not lie.</summary>
    public const string TokenPrefix = "plinth_";

    /// <summary>Uses up the link.</summary>
    Task<Result<FirstFactor>> UseLink(string secret, Visitor visitor, CancellationToken stop);

    Task<Result<FirstFactor>> ByPassword(string name, string password, Visitor visitor, CancellationToken stop);

    /// <summary>The second half: a code of their app, or a recovery code, which is used up.</summary>
    Task<Result<Principal>> ByCode(CodeAsked asked, string code, Visitor visitor, CancellationToken stop);

    Task<Result<Principal>> ByPasskey(PasskeyUse use, Visitor visitor, CancellationToken stop);

    /// <summary>Writes down a try that came to nothing before there was anything to check here.</summary>
    Task Refuse(string target, string reason, Visitor visitor, CancellationToken stop);

    /// <summary>Whether the session or token of the person still holds; that it was used is kept, every few minutes.</summary>
    Task<bool> IsIn(Principal person, CancellationToken stop);

    /// <summary>Whose token this is; null for one that is unknown, over or revoked, or of somebody who may not be in.</summary>
    Task<Principal?> ByToken(string secret, CancellationToken stop);

    /// <summary>Ends the session.</summary>
    Task SignOut(Principal person, string? remoteAddress, CancellationToken stop);

    /// <summary>Makes an API client that the settings have made a platform admin.</summary>
    Task Trust(string client, CancellationToken stop);

    /// <summary>Appends an audit entry about a token request, where no other change carries it.</summary>
    Task Record(Principal principal, string action, bool allowed, string detail, string? remoteAddress, CancellationToken stop);
}

/// <summary>Programs that a person has allowed to act for them, by code or from a device; the OpenID provider keeps them.</summary>
public interface IPrograms
{
    Task<IReadOnlyList<ProgramView>> Of(UserId user, CancellationToken stop);

    /// <summary>What it was given opens nothing from now on; false where the person has no such program.</summary>
    Task<bool> Revoke(UserId user, Guid program, CancellationToken stop);

    Task RevokeAll(UserId user, CancellationToken stop);
}

/// <summary>What checking a passkey needs to know of it.</summary>
/// <param name="PublicKey">A COSE key.</param>
public sealed record StoredPasskey(UserId User, string CredentialId, byte[] PublicKey, long SignCount, IReadOnlyList<string> Transports, bool IsBackupEligible, bool IsBackedUp, DateTimeOffset CreatedAt);

/// <summary>Passkeys as those who check them read them.</summary>
public interface IPasskeys
{
    /// <summary>The person's name; null for nobody who may sign in.</summary>
    Task<string?> NameOf(UserId user, CancellationToken stop);

    Task<IReadOnlyList<StoredPasskey>> Of(UserId user, CancellationToken stop);

    Task<StoredPasskey?> Find(string credentialId, CancellationToken stop);
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
