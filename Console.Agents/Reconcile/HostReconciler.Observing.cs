using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

internal sealed partial class HostReconciler
{
    /// <summary>The host as last seen, without facts and free resources.</summary>
    public ObservedHost Observe()
    {
        lock (_gate)
        {
            var desired = _ledger.State.Desired;
            var machines = desired?.Machines.ToDictionary(m => m.Vm);
            var facilities = _trouble is null ? _facilities.Observed : [.. _facilities.Observed, new ObservedFacility("hypervisor", "hypervisor", false, _trouble)];
            return new ObservedHost(Rounds > 0 && _trouble is null, _answers, facilities, [.. _works.Values.Where(w => w.Pictured).Select(w => Observe(w, machines?.GetValueOrDefault(w.Vm)))], _foreign, _volumes.Observed, _facilities.Drops);
        }
    }

    private void GuestAnswered(VmId vm, string startKey, GuestInfo info)
    {
        lock (_gate)
        {
            if (!_works.TryGetValue(vm, out var work) || work.Domain?.StartKey != startKey) return;
            (work.GuestAgentAt, work.GuestSilentSince, work.Guest) = (_time.GetUtcNow(), null, info);
            var facts = _ledger.State.Facts(vm);
            if (facts.StartKey == startKey && facts.GuestAgentAt is null) _ledger.Record(new MachineEntry(facts with { GuestAgentAt = work.GuestAgentAt }));
        }
        Changed?.Invoke();
    }

    private void GuestSilent(VmId vm, string startKey, DateTimeOffset since)
    {
        lock (_gate)
        {
            if (!_works.TryGetValue(vm, out var work) || work.Domain?.StartKey != startKey || work.GuestSilentSince is not null) return;
            work.GuestSilentSince = since;
        }
        Changed?.Invoke();
    }

    private void GuestRebooted(VmId vm)
    {
        lock (_gate)
        {
            if (!_works.TryGetValue(vm, out var work)) return;
            // Followed anew by the round that this event wakes.
            _guests.Unfollow(vm);
            (work.GuestAgentAt, work.GuestSilentSince, work.Guest) = (null, null, work.Guest with { Addresses = [], Interfaces = null });
            var facts = _ledger.State.Facts(vm);
            if (facts.GuestAgentAt is not null) _ledger.Record(new MachineEntry(facts with { GuestAgentAt = null }));
        }
        Changed?.Invoke();
    }

    private void InterfaceChanged(VmId vm)
    {
        // What the guest makes of it is asked at once, not in half a minute.
        lock (_gate) _guests.Unfollow(vm);
        Changed?.Invoke();
        Wake();
    }

    private ObservedMachine Observe(MachineWork work, DesiredMachine? desired)
    {
        var facts = _ledger.State.Facts(work.Vm);
        var running = work.State is DomainState.Running or DomainState.Paused;
        return new ObservedMachine(
            work.Vm, work.Answers, work.State, running ? OffReason.None : facts.Off, facts.SettledFor,
            facts.DiskReadyAt, facts.DefinedAt, facts.StartedAt,
            facts.GuestAgentAt is null ? null : work.GuestAgentAt ?? facts.GuestAgentAt,
            facts.ShutdownAskedFor >= desired?.PowerGeneration ? facts.ShutdownAskedAt : null,
            work.Gone, running ? facts.StartKey : "", work.Guest.Addresses, work.Progress, work.Problem,
            facts.Defined, running ? work.Domain?.Running : null, work.Domain?.Pause ?? PauseReason.None,
            work.State == DomainState.Running ? work.GuestSilentSince : null, running ? work.Guest.System : "",
            work.Domain?.Disk ?? 0, facts.DiskFor,
            _interfaces.Observed(work.Vm, mac => running ? work.Guest.On(mac) : []));
    }

    private void Trouble(string message)
    {
        lock (_gate)
        {
            if (_trouble == message) return;
            _trouble = message;
        }
        _log.Warn(message);
        Changed?.Invoke();
    }

    private static Progress? Doing(MachineAction action) => action switch
    {
        MakeDisks { Machine.Disks: [{ Source: { } source }, ..] } => new Progress($"copying the disk of {source.Name}", 0, 100),
        MakeDisks => new Progress("making the disk", 0, 0),
        DefineDomain => new Progress("defining the machine", 0, 0),
        TakeNewDisks => new Progress("giving the machine its new disk", 0, 0),
        RemoveFormerDisks => new Progress("removing the former disk", 0, 0),
        AdjustDomain => new Progress("changing the machine", 0, 0),
        StartDomain => new Progress("starting the machine", 0, 0),
        RemoveDisks => new Progress("removing the disk", 0, 0),
        _ => null,
    };
}

/// <summary>What the reconciler knows of its host.</summary>
/// <param name="Complete">Everything on the host was seen, and the hypervisor answered when it was last asked.</param>
internal sealed record ObservedHost(bool Complete, Generation Generation, IReadOnlyList<ObservedFacility> Facilities, IReadOnlyList<ObservedMachine> Machines, IReadOnlyList<string> UnknownDomains, IReadOnlyList<ObservedVolume> Volumes, IReadOnlyList<InterfaceDrops> Drops);
