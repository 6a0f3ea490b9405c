using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Rows;

/// <summary>The answer already given to a POST with this key by this principal.</summary>
public sealed class IdempotencyKeyRow
{
    /// <summary>Kind and id of the principal: "client:…".</summary>
    public required string Principal { get; set; }
    public required string Key { get; set; }
    /// <summary>SHA-256 of method, path and body: the same key for another request is an error of the caller.</summary>
    public required string RequestHash { get; set; }
    /// <summary>What was made: "operation:…", "image:…".</summary>
    public required string Reference { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
}

/// <summary>Who leads now. The epoch is compared in the transaction of what is written under it: a row alone does not fence.</summary>
public sealed class WorkerLeaseRow
{
    /// <summary>One lease for everything that the leader does.</summary>
    public const string Leader = "leader";

    public required string Name { get; set; }
    public ServerId Holder { get; set; }
    public Epoch Epoch { get; set; }
    public DateTimeOffset Since { get; set; }
    /// <summary>By the database's clock.</summary>
    public DateTimeOffset Until { get; set; }
}

/// <summary>A server that serves this database, or did until lately.</summary>
public sealed class ServerRow
{
    public required ServerId Id { get; set; }
    public required string Name { get; set; }
    public required string PortalUrl { get; set; }
    /// <summary>Where agents reach it: "https://host:port".</summary>
    public required string HubUrl { get; set; }
    public required string ProductVersion { get; set; }
    public DateTimeOffset StartedAt { get; set; }
    /// <summary>Its last sign of life, by the database's clock.</summary>
    public DateTimeOffset SeenAt { get; set; }
    /// <summary>Ready images whose bytes it has; null until it has looked, and where there is one server only.</summary>
    public int? ImagesHeld { get; set; }
    /// <summary>Ready images whose bytes it does not have; null as <see cref="ImagesHeld"/>.</summary>
    public int? ImagesLacking { get; set; }
    /// <summary>What it does about those it lacks, or why it cannot; null where it lacks none.</summary>
    public string? ImagesReason { get; set; }
}

/// <summary>A value of the server's own (protected keys, markers).</summary>
public sealed class SettingRow
{
    public required string Key { get; set; }
    public required string Value { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>A person who signs in to the portal.</summary>
public sealed class UserRow : IVersioned, ILogged
{
    public required UserId Id { get; set; }
    public required string Name { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    [Heartbeat] public DateTimeOffset? LastSignInAt { get; set; }
    public bool Disabled { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.User;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => new { Id, Name, CreatedAt, Disabled };
}

/// <summary>A one-time sign-in link. Only the hash of its secret is kept.</summary>
public sealed class SignInLinkRow : IVersioned
{
    /// <summary>SHA-256 of the secret, lower-case hex.</summary>
    public required string TokenHash { get; set; }
    public required UserId User { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? UsedAt { get; set; }
    /// <summary>Made where the console itself runs: whoever is there could do anything, so no code of an app is asked besides.</summary>
    public bool SkipsCode { get; set; }
    public long Version { get; set; }
}
