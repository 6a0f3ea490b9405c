using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;

namespace Plinth.Core.Placement;

/// <summary>What is to be placed. <paramref name="OnlyHost"/> pins to one host by the operator's wish.</summary>
/// <param name="Source">The disk that its own is copied from; null where it is made from an image.</param>
/// <param name="Storage">What its disks ask of the host's pool; null where any pool does.</param>
public sealed record PlacementRequest(VmId Vm, ProjectId Project, Resources Size, string Architecture, HostId? OnlyHost, StorageDemand? Storage = null, GuestFirmware? Firmware = null, SourceDisk? Source = null);

/// <summary>A disk of a VM on a host.</summary>
public sealed record SourceDisk(string Vm, HostId Host, string HostName);

/// <summary>The numbers that people set. Ratios multiply what a host has.</summary>
/// <param name="CpuOvercommit">vCPUs per logical CPU.</param>
/// <param name="MemoryReservedMib">Kept for the host itself.</param>
/// <param name="Version">Rises with every change of the policy; stored with each decision.</param>
public sealed record PlacementPolicy(long Version, double CpuOvercommit, int MemoryReservedMib)
{
    public static PlacementPolicy Default { get; } = new(1, 4.0, 512);
}

/// <summary>"Forbidden" by a rule, or "full": people treat the two differently, so the histogram keeps them apart.</summary>
public enum RefusalClass { Forbidden, Full }

/// <summary>Why one host cannot take the VM, with numbers: "needs 4 GiB of memory, has 1 GiB free".</summary>
public sealed record HostRefusal(string Filter, RefusalClass Class, string Message, long Needs, long Has);

/// <summary>A scorer's contribution, normalised to 0…1 (more is better), times its weight; recorded even when neutral.</summary>
public sealed record ScoreTerm(string Scorer, double Value, double Weight);

public sealed record Candidate(HostId Host, string HostName, double Score, IReadOnlyList<ScoreTerm> Terms);

public sealed record RefusedHost(HostId Host, string HostName, IReadOnlyList<HostRefusal> Refusals);

public sealed record ReasonCount(string Filter, RefusalClass Class, int Hosts);

/// <summary>The record of one decision. Same request, snapshot, policy and seed give the same record, bit for bit.</summary>
/// <param name="Candidates">Hosts that fit, best first; <paramref name="Fitting"/> counts them also where the list is abridged.</param>
/// <param name="Refused">Hosts that do not; <paramref name="Hosts"/> counts all that were looked at.</param>
/// <param name="Reasons">How many hosts each reason refuses, of all.</param>
/// <param name="Sentence">For people: "Placed on kvm-1: most free memory of 3 hosts that fit." or why none fits.</param>
public sealed record PlacementDecision(
    PlacementRequest Request,
    long SnapshotVersion,
    long PolicyVersion,
    int Seed,
    HostId? Host,
    string? HostName,
    IReadOnlyList<Candidate> Candidates,
    IReadOnlyList<RefusedHost> Refused,
    IReadOnlyList<ReasonCount> Reasons,
    int Fitting,
    int Hosts,
    string Sentence)
{
    // A page shows a few of them; the rest is made again from the change log when it is asked for.
    private const int Kept = 20;

    /// <summary>The record as it is stored: of a large fleet the best candidates and some of the refused hosts, with the counts of all.</summary>
    public PlacementDecision Abridged() => this with { Candidates = [.. Candidates.Take(Kept)], Refused = [.. Refused.Take(Kept)] };
}
