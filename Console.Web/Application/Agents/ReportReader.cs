using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Networks;
using Plinth.Web.Application.Volumes;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Agents;

/// <summary>
/// Takes a report over. A full one replaces everything known; one that says what is known already writes nothing at all.
/// A machine that this console did not place there is drift: shown, never adopted, never destroyed.
/// </summary>
internal sealed class ReportReader(IConsoleStore store, MachineWriter machines, VolumeWriter volumes, NetworkWriter networks, Signals signals)
{
    public async Task Read(HostId host, LiveHost memory, ObservedHostState report, CancellationToken stop)
    {
        var news = report.Machines.Where(m => !memory.Machines.TryGetValue(m.Vm, out var known) || !known.SaysTheSame(m)).ToList();
        if (news.Count == 0 && !report.Full && !HostChanged(memory.Host, report)) return;
        if (news.Count == 0 && report.Full && !HostChanged(memory.Host, report) && memory.Machines.Count == report.Machines.Count) return;
        var waiting = await store.Write(async scope =>
        {
            var row = await scope.Db.Hosts.SingleAsync(h => h.Id == host, stop);
            await TakeHost(scope, row, report);
            var placed = await scope.Db.Vms.Where(v => v.Host == host && v.DeletedAt == null).ToListAsync(stop);
            TakeDrift(row, report, placed);
            foreach (var vm in placed) await TakeMachine(scope, vm, report);
            if (report.Volumes is { } seen) await TakeVolumes(scope, host, seen);
            return placed.Where(v => v.Operation is not null).Select(v => v.Id).ToHashSet();
        }, stop);
        // Remembered only once it is durable: a report whose write failed is taken again. What an operation waits for is not
        // remembered, so that the smallest news about it counts.
        if (report.Full) memory.Machines.Clear();
        foreach (var machine in report.Machines.Where(m => !waiting.Contains(m.Vm))) memory.Machines[machine.Vm] = machine;
        memory.Host = report with
        {
            Facts = report.Facts ?? memory.Host?.Facts, Facilities = report.Facilities ?? memory.Host?.Facilities, Volumes = report.Volumes ?? memory.Host?.Volumes,
            Drops = report.Drops ?? memory.Host?.Drops, Machines = [],
        };
    }

    private async Task TakeHost(WriteScope scope, HostRow row, ObservedHostState report)
    {
        row.ReportedAt = scope.Now;
        row.ObservedFree = report.Free;
        if (report.Generation > row.AcceptedGeneration) row.AcceptedGeneration = report.Generation;
        if (report.Facts is { } facts && facts != row.Facts)
        {
            var moved = row.Facts?.TunnelAddress != facts.TunnelAddress;
            row.Facts = facts;
            if (moved) await networks.TunnelMoved(scope, row.Id);
            scope.AfterCommit(signals.Placement.Ring);
        }
        if (report.Facilities is { } facilities && !facilities.SequenceEqual(row.Facilities)) row.Facilities = facilities;
        if (report.Drops is { } drops && !drops.SequenceEqual(row.Drops)) row.Drops = drops;
        var next = HostLifecycle.Next(row.State, HostEvent.Reported);
        if (!next.Succeeded || next.Value == row.State) return;
        scope.Audit(Principal.System, null, "host.state", $"host/{row.Id}", null, AuditOutcomes.Done, $"{row.Name}: {OperationSteps.Word(row.State)} -> {OperationSteps.Word(next.Value)}");
        (row.State, row.StateReason) = (next.Value, "");
        scope.AfterCommit(signals.Placement.Ring);
    }

    private static void TakeDrift(HostRow row, ObservedHostState report, List<VmRow> placed)
    {
        var ours = placed.Select(v => v.Id).ToHashSet();
        var strangers = report.Machines.Where(m => !ours.Contains(m.Vm) && !m.Gone && m.Domain != DomainState.Absent).Select(m => $"{m.Vm} (not placed here by this console)");
        string[] drift = [.. report.UnknownDomains.Concat(strangers).Order(StringComparer.Ordinal)];
        if (report.Full && !drift.SequenceEqual(row.UnknownDomains)) row.UnknownDomains = drift;
    }

    private async Task TakeMachine(WriteScope scope, VmRow vm, ObservedHostState report)
    {
        var seen = report.Machines.FirstOrDefault(m => m.Vm == vm.Id);
        // Full and silent about a machine of an answered generation: the host does not have it.
        if (seen is null && report.Full && report.Generation >= vm.Generation && vm.Observed is not null)
            seen = new ObservedMachine(vm.Id, report.Generation, DomainState.Absent, OffReason.None, 0, null, null, null, null, null, false, "", [], null, null);
        if (seen is null) return;
        var waits = vm.Operation is not null || vm.Spec.Rebuild is not null || vm.State is VmState.Lost or VmState.Deleting;
        if (!waits && vm.Observed is { } known && known.SaysTheSame(seen)) return;
        if (vm.Observed is null || !vm.Observed.SaysTheSame(seen) || (waits && vm.Observed.Generation != seen.Generation) || WaitsForGuest(vm, seen)) vm.Observed = seen;
        vm.ObservedAt = scope.Now;
        await machines.Advance(scope, vm);
        vm.Trouble = VmTrouble.Of(vm.State, vm.Observed, "")?.Code ?? "";
    }

    private async Task TakeVolumes(WriteScope scope, HostId host, IReadOnlyList<ObservedVolume> report)
    {
        foreach (var volume in await scope.Db.Volumes.Where(v => v.Host == host && v.DeletedAt == null).ToListAsync())
        {
            if (report.FirstOrDefault(v => v.Volume == volume.Id) is not { } seen) continue;
            volume.ObservedAt = scope.Now;
            // The generation it answers matters only while somebody waits for one.
            var waits = volume.Operation is not null || volume.State == VolumeState.Deleting;
            if (!waits && volume.Observed is { } known && known with { Generation = seen.Generation } == seen) continue;
            volume.Observed = seen;
            await volumes.Advance(scope, volume);
        }
    }

    // After a reboot only a fresh answer of the guest agent counts.
    private static bool WaitsForGuest(VmRow vm, ObservedMachine seen) => vm.Operation is not null && vm.Observed!.GuestAgentAt != seen.GuestAgentAt;

    private static bool HostChanged(ObservedHostState? known, ObservedHostState report) =>
        known is null
        || known.Generation != report.Generation
        || (report.Facts is { } facts && facts != known.Facts)
        || (report.Facilities is { } facilities && (known.Facilities is null || !facilities.SequenceEqual(known.Facilities)))
        || (report.Volumes is { } volumes && (known.Volumes is null || !volumes.SequenceEqual(known.Volumes)))
        || (report.Drops is { } drops && !drops.SequenceEqual(known.Drops ?? []))
        || (report.Full && !report.UnknownDomains.SequenceEqual(known.UnknownDomains));
}
