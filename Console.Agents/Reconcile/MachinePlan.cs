using Plinth.Agents.Ledger;
using Plinth.Core.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>A VM as it should be and as it is.</summary>
/// <param name="Desired">Null where only a tombstone, or nothing, names it.</param>
/// <param name="HasFiles">A disk or seed of it is on this host.</param>
/// <param name="Boot">The host's present boot.</param>
/// <param name="LastShutdownAsk">When this process last asked the guest; the first time is in the facts.</param>
/// <param name="Disk">The generation of the disk in its definition; 0 where it has none.</param>
/// <param name="FormerFiles">Disks or seeds of more than one generation are on this host.</param>
internal sealed record MachineView(
    DesiredMachine? Desired,
    bool Tombstone,
    DomainState Domain,
    bool HasFiles,
    MachineFacts Facts,
    Guid Boot,
    DateTimeOffset? LastShutdownAsk,
    Func<ImageReference, bool> HasImage,
    long Disk = 0,
    bool FormerFiles = false)
{
    public bool IsDefined => Domain != DomainState.Absent;
}

/// <summary>Decides what to do next for one VM. Pure; the executor has no choices left.</summary>
internal static class MachinePlan
{
    /// <summary>A guest that is still booting misses the first request: it is asked again.</summary>
    public static readonly TimeSpan AskShutdownAgainAfter = TimeSpan.FromSeconds(5);

    public static MachineAction Next(MachineView view, DateTimeOffset now) => view switch
    {
        // Where a mistake names it as both, what a person asked to be destroyed is not built up again.
        { Tombstone: true } => Remove(view),
        // Absence destroys nothing.
        { Desired: null } => new Rest(),
        { Desired: { } desired, IsDefined: true } when view.Disk < desired.DiskGeneration => Rebuild(view, desired, now),
        { Desired: { } desired, IsDefined: true, FormerFiles: true } when view.Disk == desired.DiskGeneration => new RemoveFormerDisks(desired.DiskGeneration),
        // It stands still before it was seen to run, and nobody asked for that: its start was cut short.
        { Domain: DomainState.Paused, Desired: { Power: DesiredPower.Running } desired } when view.Facts.SettledFor < desired.PowerGeneration => new StartDomain(desired.PowerGeneration),
        { Domain: DomainState.Running or DomainState.Paused, Desired.Power: DesiredPower.Running } => KeepRunning(view, view.Desired, now),
        { Domain: DomainState.Running or DomainState.Paused } => Stop(view, view.Desired, now),
        _ => WhileOff(view, view.Desired),
    };

    private static MachineAction Remove(MachineView view) => view.Domain switch
    {
        DomainState.Running or DomainState.Paused => new SwitchDomainOff(),
        DomainState.Off => new UndefineDomain(),
        _ when view.HasFiles => new RemoveDisks(),
        _ => new Fulfilled(),
    };

    // The new disk stands before anything is taken from the machine that it has; its own is kept until the definition has the new one.
    private static MachineAction Rebuild(MachineView view, DesiredMachine desired, DateTimeOffset now)
    {
        if (view.Facts.DiskReadyAt is null || view.Facts.DiskFor < desired.DiskGeneration) return MakeDisks(view, desired);
        return view.Domain == DomainState.Off ? new TakeNewDisks(desired) : Stop(view, desired, now);
    }

    private static MachineAction MakeDisks(MachineView view, DesiredMachine desired) =>
        desired.Disks.Select(d => d.Image).FirstOrDefault(i => i is not null && !view.HasImage(i)) is { } missing ? new AwaitImage(missing) : new MakeDisks(desired);

    private static MachineAction KeepRunning(MachineView view, DesiredMachine desired, DateTimeOffset now)
    {
        var facts = view.Facts;
        if (facts.SettledFor >= desired.PowerGeneration) return facts.IsDefinedAs(desired) ? new Rest() : new AdjustDomain(desired);
        // Stopped, then started before the guest was down: what runs now is on its way out, unless it ignores the request, or was started since.
        var givenUpAt = facts.ShutdownAskedAt + TimeSpan.FromSeconds(desired.StopDeadlineSeconds);
        if (facts.ShutdownAskedFor > facts.SettledFor && !(facts.StartedAt > facts.ShutdownAskedAt) && now < givenUpAt) return new Rest(givenUpAt);
        return new Remember(facts with { SettledFor = desired.PowerGeneration });
    }

    private static MachineAction Stop(MachineView view, DesiredMachine desired, DateTimeOffset now)
    {
        var facts = view.Facts;
        // It was off for this number: somebody started it on the host. That is drift to be shown, not to be fought.
        if (facts.SettledFor >= desired.PowerGeneration) return new Rest();
        // A paused guest cannot shut down.
        if (desired.StopDeadlineSeconds <= 0 || view.Domain == DomainState.Paused) return new SwitchDomainOff();
        if (facts.ShutdownAskedFor < desired.PowerGeneration || facts.ShutdownAskedAt is not { } asked) return new AskShutdown(desired.PowerGeneration);
        var deadline = asked + TimeSpan.FromSeconds(desired.StopDeadlineSeconds);
        if (now >= deadline) return new SwitchDomainOff();
        var again = (view.LastShutdownAsk ?? asked) + AskShutdownAgainAfter;
        if (now >= again) return new AskShutdown(desired.PowerGeneration);
        return new Rest(again < deadline ? again : deadline);
    }

    private static MachineAction WhileOff(MachineView view, DesiredMachine desired)
    {
        var facts = view.Facts;
        var made = facts.DiskFor == desired.DiskGeneration || (view.IsDefined && view.Disk >= desired.DiskGeneration);
        if (facts.DiskReadyAt is null || !view.HasFiles || !made)
        {
            if (made && facts.DiskReadyAt is not null && facts.StartedAt is not null)
                return new Refuse("disk_lost", $"The disk of VM {desired.Name} is gone from this host although it has run here. It is not made anew, because that would hide the loss: restore it, or delete the VM.", StepKind.Disk);
            return MakeDisks(view, desired);
        }
        if (view.Domain == DomainState.Absent || facts.DefinedAt is null) return new DefineDomain(desired);
        if (!facts.IsDefinedAs(desired)) return new AdjustDomain(desired);
        if (desired.Power == DesiredPower.Stopped)
            return facts.SettledFor < desired.PowerGeneration || facts.Started
                ? new Remember(facts with { SettledFor = Math.Max(facts.SettledFor, desired.PowerGeneration), Started = false })
                : new Rest();
        var hostWasRestarted = facts.Started && facts.Boot != view.Boot;
        return facts.SettledFor < desired.PowerGeneration || hostWasRestarted ? new StartDomain(desired.PowerGeneration) : new Rest();
    }
}
