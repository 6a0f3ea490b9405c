using Plinth.Agents.Ledger;
using Plinth.Core.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>The one next thing to do for a VM. Each act is idempotent, so doing it again after a crash completes it.</summary>
internal abstract record MachineAction
{
    /// <summary>The step of an operation that this act belongs to; a failure is reported under it.</summary>
    public virtual StepKind Step => StepKind.Accepted;
}

/// <summary>Nothing now; look again at <paramref name="Until"/>, or when something happens.</summary>
internal sealed record Rest(DateTimeOffset? Until = null) : MachineAction;

/// <summary>Nothing to do but to remember something.</summary>
internal sealed record Remember(MachineFacts Facts) : MachineAction;

/// <summary>The disk cannot be made before the bytes of its image are here.</summary>
internal sealed record AwaitImage(ImageReference Image) : MachineAction
{
    public override StepKind Step => StepKind.Disk;
}

internal sealed record MakeDisks(DesiredMachine Machine) : MachineAction
{
    public override StepKind Step => StepKind.Disk;
}

internal sealed record DefineDomain(DesiredMachine Machine) : MachineAction
{
    public override StepKind Step => StepKind.Defined;
}

/// <summary>The machine, which is off, gets the disks that were made for it beside its own.</summary>
internal sealed record TakeNewDisks(DesiredMachine Machine) : MachineAction
{
    public override StepKind Step => StepKind.Rebuilt;
}

/// <summary>What the machine had before, or what was made for it in vain.</summary>
internal sealed record RemoveFormerDisks(long Generation) : MachineAction
{
    public override StepKind Step => StepKind.Rebuilt;
}

internal sealed record AdjustDomain(DesiredMachine Machine) : MachineAction
{
    public override StepKind Step => StepKind.Resized;
}

internal sealed record StartDomain(long PowerGeneration) : MachineAction
{
    public override StepKind Step => StepKind.Started;
}

internal sealed record AskShutdown(long PowerGeneration) : MachineAction
{
    public override StepKind Step => StepKind.ShutdownAsked;
}

internal sealed record SwitchDomainOff : MachineAction
{
    public override StepKind Step => StepKind.Stopped;
}

internal sealed record UndefineDomain : MachineAction
{
    public override StepKind Step => StepKind.Undefined;
}

internal sealed record RemoveDisks : MachineAction
{
    public override StepKind Step => StepKind.DiskRemoved;
}

/// <summary>The tombstone is fulfilled.</summary>
internal sealed record Fulfilled : MachineAction
{
    public override StepKind Step => StepKind.DiskRemoved;
}

/// <summary>Going on would do harm: a person has to look.</summary>
internal sealed record Refuse(string Code, string Message, StepKind At) : MachineAction
{
    public override StepKind Step => At;
}
