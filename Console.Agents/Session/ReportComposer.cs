using Plinth.Agents.Reconcile;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>Turns what is observed into reports: everything, or what differs from what this session has sent. Pure but for what it remembers.</summary>
internal sealed class ReportComposer
{
    private readonly Dictionary<VmId, ObservedMachine> _sent = [];
    private IReadOnlyList<ObservedFacility> _facilities = [];
    private IReadOnlyList<string> _unknown = [];
    private IReadOnlyList<ObservedVolume> _volumes = [];
    private IReadOnlyList<InterfaceDrops> _drops = [];
    private Generation _generation;
    private HostFacts? _facts;

    /// <summary>Everything. From an incomplete picture it is no full report: what it lacks would be taken as gone.</summary>
    public ObservedHostState Full(ObservedHost host, HostFacts? facts, Resources free, DateTimeOffset now)
    {
        if (host.Complete) _sent.Clear();
        Note(host, host.Machines, facts);
        return new ObservedHostState(host.Complete, host.Generation, now, facts, free, host.Facilities, host.Machines, host.UnknownDomains, host.Volumes, host.Drops);
    }

    /// <summary>What has changed since the last report; null when nothing has.</summary>
    public ObservedHostState? Changes(ObservedHost host, HostFacts? facts, Resources free, DateTimeOffset now)
    {
        var machines = host.Machines.Where(m => !_sent.TryGetValue(m.Vm, out var sent) || !Same(sent, m)).ToList();
        var facilitiesSame = host.Facilities.SequenceEqual(_facilities);
        var volumesSame = host.Volumes.SequenceEqual(_volumes);
        var dropsSame = host.Drops.SequenceEqual(_drops);
        var factsSame = facts is null || facts == _facts;
        if (machines.Count == 0 && facilitiesSame && volumesSame && dropsSame && factsSame && host.Generation == _generation && host.UnknownDomains.SequenceEqual(_unknown)) return null;
        Note(host, machines, facts);
        return new ObservedHostState(
            false, host.Generation, now, factsSame ? null : facts, free, facilitiesSame ? null : host.Facilities, machines, host.UnknownDomains, volumesSame ? null : host.Volumes, dropsSame ? null : host.Drops);
    }

    private void Note(ObservedHost host, IReadOnlyList<ObservedMachine> machines, HostFacts? facts)
    {
        foreach (var machine in machines) _sent[machine.Vm] = machine;
        (_facilities, _unknown, _volumes, _drops, _generation, _facts) = (host.Facilities, host.UnknownDomains, host.Volumes, host.Drops, host.Generation, facts ?? _facts);
    }

    // When the guest agent answers again and again, only that it does is news.
    private static bool Same(ObservedMachine a, ObservedMachine b) =>
        a.HasSameLists(b) && a with { Addresses = b.Addresses, Interfaces = b.Interfaces, GuestAgentAt = a.GuestAgentAt is null ? null : b.GuestAgentAt ?? a.GuestAgentAt } == b;
}
