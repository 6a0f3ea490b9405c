using Plinth.Core.Inventory;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Persistence.Rows;

/// <summary>A host: its identity, its session's fencing numbers and what it last reported.</summary>
public sealed class HostRow : IVersioned, ILogged
{
    public required HostId Id { get; set; }
    public required string Name { get; set; }
    public HostState State { get; set; }
    /// <summary>A sentence beside the state; empty where the state's own says it all.</summary>
    public string StateReason { get; set; } = "";
    /// <summary>Stable per machine; unique among hosts that are not retired.</summary>
    public required string MachineId { get; set; }
    public bool Simulated { get; set; }
    /// <summary>The newest session's epoch; a message with a lower one is refused.</summary>
    public Epoch Epoch { get; set; }
    /// <summary>The newest desired generation.</summary>
    public Generation Generation { get; set; }
    /// <summary>The newest generation that the agent has answered.</summary>
    public Generation AcceptedGeneration { get; set; }
    public HostFacts? Facts { get; set; }
    [Heartbeat] public Resources ObservedFree { get; set; }
    public IReadOnlyList<ObservedFacility> Facilities { get; set; } = [];
    public IReadOnlyList<string> UnknownDomains { get; set; } = [];
    [Heartbeat] public IReadOnlyList<InterfaceDrops> Drops { get; set; } = [];
    /// <summary>Receipt of the last report, by the console's clock.</summary>
    [Heartbeat] public DateTimeOffset? ReportedAt { get; set; }
    public bool Connected { get; set; }
    public Guid? BootId { get; set; }
    /// <summary>From the newest hello; null where the agent cannot replace itself.</summary>
    public AgentExecutable? Executable { get; set; }
    public DateTimeOffset JoinedAt { get; set; }
    public DateTimeOffset? CertificateExpiresAt { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Host;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => this;
}

/// <summary>This VM must go from this host; kept until the agent reports it gone.</summary>
public sealed class TombstoneRow
{
    public required HostId Host { get; set; }
    public required VmId Vm { get; set; }
    public DateTimeOffset Since { get; set; }
}

public enum CommandState
{
    /// <summary>Stored; delivered now or after the next welcome.</summary>
    Pending,
    Succeeded,
    Failed,
    /// <summary>Its deadline passed without an answer.</summary>
    Expired,
}

/// <summary>A one-shot act for an agent, stored before it is sent.</summary>
public sealed class CommandRow : IVersioned
{
    public required CommandId Id { get; set; }
    public required HostId Host { get; set; }
    public VmId? Vm { get; set; }
    public OperationId? Operation { get; set; }
    public required CommandBody Body { get; set; }
    public CommandState State { get; set; }
    /// <summary>What the agent said; empty until then.</summary>
    public string Result { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset Deadline { get; set; }
    public DateTimeOffset? EndedAt { get; set; }
    public long Version { get; set; }
}

/// <summary>How far the roll of an operation is that replaces agents; the operation tells of it.</summary>
public sealed class AgentRollRow
{
    public required OperationId Operation { get; set; }
    public required AgentRoll Roll { get; set; }
}

/// <summary>A one-time token that lets one agent join. Only its hash is kept.</summary>
public sealed class JoinTokenRow : IVersioned, ILogged
{
    public required JoinTokenId Id { get; set; }
    /// <summary>SHA-256 of the token, lower-case hex.</summary>
    public required string TokenHash { get; set; }
    public string Description { get; set; } = "";
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? UsedAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }
    public HostId? Host { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.JoinToken;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => null;
    object ILogged.LogDocument => new { Id, Description, CreatedBy, CreatedAt, ExpiresAt, UsedAt, RevokedAt, Host, Version };
}
