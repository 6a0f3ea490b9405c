using Plinth.Core.Identity;
using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Rows;

/// <summary>What a person knows or holds to sign in with, beside passkeys. Hashes and protected values only.</summary>
public sealed class CredentialRow
{
    public required UserId User { get; set; }
    public string? PasswordHash { get; set; }
    public DateTimeOffset? PasswordSetAt { get; set; }
    /// <summary>The key that an authenticator app counts with, protected by the console's keys.</summary>
    public string? AuthenticatorKey { get; set; }
    /// <summary>Asked for since then; null while it is only being set up.</summary>
    public DateTimeOffset? AuthenticatorSince { get; set; }
    /// <summary>The time step of the last code that was used: each works once.</summary>
    public long AuthenticatorStep { get; set; }
    /// <summary>Hashes of the codes that are left.</summary>
    public IReadOnlyList<string> RecoveryCodes { get; set; } = [];
    /// <summary>Wrong passwords and codes in a row.</summary>
    public int WrongTries { get; set; }
    public DateTimeOffset? LastWrongAt { get; set; }
}

/// <summary>The public half of a passkey.</summary>
public sealed class PasskeyRow
{
    public required PasskeyId Id { get; set; }
    public required UserId User { get; set; }
    /// <summary>As the authenticator calls it, base64url.</summary>
    public required string CredentialId { get; set; }
    public required string Name { get; set; }
    /// <summary>A COSE key.</summary>
    public required byte[] PublicKey { get; set; }
    /// <summary>What the authenticator counts; it never goes back, unless the key was copied. 0 of those that do not count.</summary>
    public long SignCount { get; set; }
    public IReadOnlyList<string> Transports { get; set; } = [];
    /// <summary>It may be carried to other devices of the person.</summary>
    public bool IsBackupEligible { get; set; }
    public bool IsBackedUp { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? LastUsedAt { get; set; }
}

public enum SessionKind { Browser, Token }

/// <summary>How a person is in: a browser in which they signed in, or a token that they made for a program.</summary>
public sealed class SessionRow : IVersioned, ILogged
{
    public required SessionId Id { get; set; }
    public required UserId User { get; set; }
    public required SessionKind Kind { get; set; }
    /// <summary>The browser as it names itself, or the token's name.</summary>
    public required string Name { get; set; }
    /// <summary>Of a browser: "passkey", "password", "password and code", "sign-in link".</summary>
    public string Method { get; set; } = "";
    /// <summary>SHA-256 of a token's secret, lower-case hex.</summary>
    public string? TokenHash { get; set; }
    /// <summary>The role that a token allows no more than; null for all that its owner may.</summary>
    public string? Role { get; set; }
    public OrganizationId? Organization { get; set; }
    public ProjectId? Project { get; set; }
    public string? Address { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    [Heartbeat] public DateTimeOffset? LastSeenAt { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    /// <summary>Signed out, or ended by its owner or an administrator.</summary>
    public DateTimeOffset? EndedAt { get; set; }
    public long Version { get; set; }

    public bool IsOpen(DateTimeOffset now) => EndedAt is null && now < ExpiresAt && (Kind == SessionKind.Token || now < (LastSeenAt ?? CreatedAt) + SessionLife.Idle);

    string ILogged.LogKind => LogKinds.Session;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => new { Id, User, Kind, Name, CreatedAt, ExpiresAt, EndedAt };
}
