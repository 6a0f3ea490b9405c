using Plinth.Core.Identity;
using Plinth.Core.Primitives;

namespace Plinth.Web.Persistence.Rows;

/// <summary>One change of one thing. Versions grow in commit order, so "everything up to version v" is a moment of the fleet.</summary>
public sealed class ChangeLogRow
{
    public long Version { get; set; }
    public DateTimeOffset At { get; set; }
    public required string Kind { get; set; }
    public Guid Id { get; set; }
    public ProjectId? Project { get; set; }
    /// <summary>The thing after the change, as JSON; the last known form where <see cref="Deleted"/>.</summary>
    public required string Document { get; set; }
    public bool Deleted { get; set; }
}

/// <summary>One entry of the audit ledger. The database refuses its update and deletion.</summary>
public sealed class AuditEntryRow
{
    public long Sequence { get; set; }
    public DateTimeOffset At { get; set; }
    public PrincipalKind ActorKind { get; set; }
    public required string ActorId { get; set; }
    public required string Actor { get; set; }
    /// <summary>"vm.create", "sign-in", "host.join": what was done or tried.</summary>
    public required string Action { get; set; }
    public required string Target { get; set; }
    public ProjectId? Project { get; set; }
    /// <summary>"done", "refused" or "failed".</summary>
    public required string Outcome { get; set; }
    public string Detail { get; set; } = "";
    public string? RemoteAddress { get; set; }
}

/// <summary>The place of an entry in the Merkle tree, given by the sequencer.</summary>
public sealed class AuditLeafRow
{
    public long Index { get; set; }
    public long Sequence { get; set; }
    public required byte[] Hash { get; set; }
}

/// <summary>The hash of a complete subtree above the leaves, kept so that a proof reads O(log n) rows.</summary>
public sealed class AuditNodeRow
{
    /// <summary>1 is the level above the leaves.</summary>
    public int Level { get; set; }
    public long Index { get; set; }
    public required byte[] Hash { get; set; }
}

/// <summary>A signed statement of the ledger's size and root.</summary>
public sealed class AuditCheckpointRow
{
    public long Size { get; set; }
    public required byte[] RootHash { get; set; }
    public required string Note { get; set; }
    public DateTimeOffset At { get; set; }
}
