using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>What a person asked of a VM, as far as another wish is a new chance for what failed.</summary>
internal sealed record MachineWish(bool Tombstone, long PowerGeneration, string? Name, MachineSize? Size, long DiskGeneration = 0);

/// <summary>What this process knows about one VM beyond the ledger. Guarded by the reconciler's gate.</summary>
internal sealed class MachineWork(VmId vm)
{
    public VmId Vm { get; } = vm;

    /// <summary>The last complete picture; null before the first.</summary>
    public DomainInfo? Domain { get; set; }
    public bool HasFiles { get; set; }
    public bool FormerFiles { get; set; }
    public bool Pictured { get; set; }

    /// <summary>An act is under way or queued: nobody else touches this VM.</summary>
    public bool Busy { get; set; }

    /// <summary>Ends the act under way where it is one that may be left half done: set while a disk is being copied.</summary>
    public CancellationTokenSource? Copying { get; set; }

    /// <summary>The copy is over. Under the same lock as a cancellation of it, which must not meet one that is gone.</summary>
    public void EndCopy()
    {
        Copying?.Dispose();
        Copying = null;
    }

    /// <summary>The reconciler's moment at which a worker last ended: an older picture does not count.</summary>
    public long TouchedAt { get; set; }
    public DateTimeOffset? DueAt { get; set; }
    public DateTimeOffset? LastShutdownAsk { get; set; }

    public int Failures { get; set; }
    public MachineProblem? Problem { get; set; }

    /// <summary>What was wanted when the problem arose: a new wish is a new chance.</summary>
    public MachineWish? ProblemFor { get; set; }

    public Progress? Progress { get; set; }
    public GuestInfo Guest { get; set; } = GuestInfo.Unknown;
    public DateTimeOffset? GuestAgentAt { get; set; }
    public DateTimeOffset? GuestSilentSince { get; set; }
    public Generation Answers { get; set; }
    public bool Gone { get; set; }

    public DomainState State => Domain?.State ?? DomainState.Absent;

    public void Succeeded()
    {
        Failures = 0;
        Problem = null;
        DueAt = null;
    }

    public void Failed(MachineProblem problem, MachineWish wanted, DateTimeOffset now)
    {
        Failures++;
        Problem = problem;
        ProblemFor = wanted;
        DueAt = problem.Final ? null : now + Backoff.After(Failures);
    }
}
