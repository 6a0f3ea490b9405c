using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Persistence.Rows;

/// <summary>One network interface of a VM.</summary>
/// <param name="Name">The network's name when the interface was made.</param>
/// <param name="Address">From the network's range, for the life of the interface; null where the host's own DHCP gives one.</param>
/// <param name="Rules">What may come in to this interface from outside its network, beside the network's own rules.</param>
/// <param name="Operation">The one under way that adds or removes it.</param>
public sealed record VmNic(NetworkId Network, string Name, string Mac, string? Address = null, IReadOnlyList<PortRule>? Rules = null, InterfaceState State = InterfaceState.Present, OperationId? Operation = null);

/// <summary>A virtual machine: what was asked, what is wanted now, what was last seen.</summary>
public sealed class VmRow : IVersioned, ILogged
{
    public required VmId Id { get; set; }
    public required ProjectId Project { get; set; }
    /// <summary>Unique in the project among VMs that are not deleted. Set by <see cref="SetSpec"/>.</summary>
    public string Name { get; private set; } = "";
    public VmSpec Spec { get; private set; } = null!;
    /// <summary>Name, description and labels in lower case: what a search looks through.</summary>
    public string SearchText { get; private set; } = "";
    public ImageId Image { get; private set; }
    public string StorageClass { get; private set; } = WellKnown.DefaultName;
    /// <summary>What it counts for in quotas: its size, and until a change of it is done whichever is more.</summary>
    public int Vcpus { get; private set; }
    public int MemoryMib { get; private set; }
    public int DiskGib { get; private set; }
    public IReadOnlyList<VmNic> Nics { get; set; } = [];

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<VmSnapshot> Snapshots { get; set; } = [];

    public VmState State { get; set; }
    /// <summary>A sentence: why it waits, why it failed; empty where the state's own says it all.</summary>
    public string StateReason { get; set; } = "";
    public HostId? Host { get; set; }

    public DesiredPower Power { get; set; }
    /// <summary>Raised each time a person asks for a start or a stop.</summary>
    public long PowerGeneration { get; set; }
    public int StopDeadlineSeconds { get; set; } = 60;
    /// <summary>The host's desired generation in which this VM's part last changed.</summary>
    public Generation Generation { get; set; }

    /// <summary>While it is restorable: when its disk is removed.</summary>
    public DateTimeOffset? RestorableUntil { get; set; }
    /// <summary>While it is restorable: what was wished before it was deleted.</summary>
    public DesiredPower? PowerBefore { get; set; }

    public ObservedMachine? Observed { get; set; }
    /// <summary>Code of what the last report says is wrong (<see cref="VmTrouble"/>); empty where nothing is.</summary>
    public string Trouble { get; set; } = "";
    /// <summary>Receipt of the last report about this VM.</summary>
    [Heartbeat] public DateTimeOffset? ObservedAt { get; set; }

    /// <summary>The unfinished operation, if there is one.</summary>
    public OperationId? Operation { get; set; }
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
    public long Version { get; set; }

    /// <summary>Takes the specification and what is derived from it.</summary>
    public VmRow SetSpec(VmSpec spec)
    {
        (Spec, Name, Image, StorageClass) = (spec, spec.Name, spec.Image, spec.StorageClass);
        (Vcpus, MemoryMib, DiskGib) = spec.Held();
        SearchText = string.Join('\n', [spec.Name, spec.Description, .. spec.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}")]).ToLowerInvariant();
        return this;
    }

    string ILogged.LogKind => LogKinds.Vm;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Project;

    // User data may carry passwords, so it stays in the row alone.
    object ILogged.LogDocument => new
    {
        Id, Project, Spec = Spec with { UserData = "", Rebuild = Spec.Rebuild is { } rebuild ? rebuild with { UserData = "" } : null }, Nics, State, StateReason, Host, Power, PowerGeneration, StopDeadlineSeconds, Generation,
        RestorableUntil, PowerBefore, Snapshots, Observed, ObservedAt, Operation, CreatedBy, CreatedAt, UpdatedAt, DeletedAt, Version,
    };
}

/// <summary>Long work on a thing, with its steps as they went.</summary>
public sealed class OperationRow : IVersioned, ILogged
{
    public required OperationId Id { get; set; }
    public OperationKind Kind { get; set; }
    public ProjectId? Project { get; set; }
    public VmId? Vm { get; set; }
    /// <summary>The volume it works on; then <see cref="Vm"/> is the one it is attached to or detached from.</summary>
    public VolumeId? Volume { get; set; }
    public HostId? Host { get; set; }
    /// <summary>The name of the thing it works on, as it was then.</summary>
    public required string Target { get; set; }
    public OperationState State { get; set; }
    /// <summary>A sentence: why it waits, failed or was cancelled.</summary>
    public string Reason { get; set; } = "";
    public IReadOnlyList<OperationStep> Steps { get; set; } = [];
    /// <summary>The desired generation whose reports its steps are read from.</summary>
    public Generation Generation { get; set; }
    /// <summary>The power generation whose start or stop it waits for; 0 where it waits for none.</summary>
    public long PowerGeneration { get; set; }
    public CommandId? Command { get; set; }
    public required string StartedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? EndedAt { get; set; }
    public DateTimeOffset? Deadline { get; set; }
    public long Version { get; set; }

    string ILogged.LogKind => LogKinds.Operation;
    Guid ILogged.LogId => Id.Value;
    ProjectId? ILogged.LogProject => Project;
    object ILogged.LogDocument => this;
}
