using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application.Machines;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Volumes;

/// <summary>
/// Writes what an act of a person or a reading of a report changes: volume, operation, the host's desired generation, the ledger.
/// Always inside a write of the store, so that all of it stands or none.
/// </summary>
internal sealed class VolumeWriter(Lazy<IAgentGateway> gateway, Signals signals)
{
    /// <param name="judge">Given the volume, the operation under way and the generation that will carry the act.</param>
    public async Task<Result<OperationRow>> Ask(WriteScope scope, VolumeRow volume, string by, Func<VolumeRecord, OperationRecord?, Generation, Result<VolumeAct>> judge)
    {
        var host = await scope.Db.Hosts.SingleAsync(h => h.Id == volume.Host);
        var current = await Operation(scope, volume);
        var act = judge(await Record(scope.Db, volume, host.Name), current is null ? null : MachineRows.Record(current), host.Generation.Next());
        if (!act.Succeeded) return Result<OperationRow>.No(act.Refusals);
        if (act.Value.Superseded is { } superseded) MachineRows.Take(current!, superseded, 0);
        var about = act.Value.Volume.Vm ?? volume.Vm;
        Take(volume, act.Value.Volume, scope.Now);
        return Begin(scope, volume, host, act.Value.Operation, about, by);
    }

    /// <summary>Stores a volume that was judged good, with its room and the operation that makes it.</summary>
    public async Task<OperationRow> Create(WriteScope scope, VolumeRow volume, string by)
    {
        var host = await scope.Db.Hosts.SingleAsync(h => h.Id == volume.Host);
        scope.Db.Volumes.Add(volume);
        AllocationLedger.Take(scope, volume);
        return Begin(scope, volume, host, OperationProgress.Begin(OperationKind.CreateVolume, by, host.Generation.Next(), 0, scope.Now), volume.Vm, by);
    }

    /// <summary>Reads the newest report (or the clock alone) into volume and operation.</summary>
    public async Task Advance(WriteScope scope, VolumeRow volume)
    {
        var host = await scope.Db.Hosts.SingleAsync(h => h.Id == volume.Host);
        var operation = await Operation(scope, volume);
        var record = await Record(scope.Db, volume, host.Name);
        var advance = VolumeProgress.Advance(record, operation is null ? null : MachineRows.Record(operation), operation?.Vm, volume.Observed, scope.Now);
        Take(volume, advance.Volume, scope.Now);
        if (operation is not null)
        {
            MachineRows.Take(operation, advance.Operation!, 0);
            if (advance.Operation!.IsFinished) volume.Operation = null;
        }
        if (volume.State == VolumeState.Deleted) await Free(scope, volume, host);
        else if (advance.Volume.Vm != record.Vm || advance.Volume.Made != record.Made) Wish(scope, volume, host);
    }

    /// <summary>The VM is gone and its machine with it: what was attached to it is free again.</summary>
    public static async Task MachineGone(WriteScope scope, VmRow vm, HostRow host)
    {
        foreach (var volume in await scope.Db.Volumes.Where(v => v.Vm == vm.Id && v.DeletedAt == null).ToListAsync())
        {
            if (await Operation(scope, volume) is { } operation) MachineRows.Take(operation, OperationProgress.Supersede(MachineRows.Record(operation), OperationKind.DeleteVm, scope.Now), 0);
            volume.State = VolumeLifecycle.Next(volume.State, VolumeEvent.VmGone).Value;
            (volume.Vm, volume.Operation, volume.Generation, volume.UpdatedAt) = (null, null, host.Generation, scope.Now);
            volume.StateReason = $"{vm.Name}, which it was attached to, is deleted.";
        }
    }

    private OperationRow Begin(WriteScope scope, VolumeRow volume, HostRow host, OperationRecord record, VmId? about, string by)
    {
        var row = new OperationRow
        {
            Id = OperationId.New(scope.Now), Kind = record.Kind, Project = volume.Project, Volume = volume.Id, Vm = about, Host = host.Id, Target = volume.Name, StartedBy = by, CreatedAt = record.CreatedAt,
        };
        MachineRows.Take(row, record, 0);
        scope.Db.Operations.Add(row);
        volume.Operation = row.Id;
        Wish(scope, volume, host);
        return row;
    }

    private void Wish(WriteScope scope, VolumeRow volume, HostRow host)
    {
        host.Generation = host.Generation.Next();
        volume.Generation = host.Generation;
        scope.AfterCommit(() => gateway.Value.Wake(host.Id));
    }

    private async Task Free(WriteScope scope, VolumeRow volume, HostRow host)
    {
        (volume.DeletedAt, volume.Operation, volume.Vm) = (scope.Now, null, null);
        await AllocationLedger.Release(scope, volume.Id);
        Wish(scope, volume, host);
        scope.Audit(Principal.System, null, "volume.removed", $"volume/{volume.Id}", volume.Project, AuditOutcomes.Done, $"{host.Name} reports the volume gone; its {volume.SizeGib} GiB are free.");
        scope.AfterCommit(signals.Placement.Ring);
    }

    private static async Task<OperationRow?> Operation(WriteScope scope, VolumeRow volume) =>
        volume.Operation is { } id ? await scope.Db.Operations.SingleAsync(o => o.Id == id) : null;

    private static async Task<VolumeRecord> Record(ConsoleDb db, VolumeRow volume, string hostName) => new(
        volume.Id, volume.Name, volume.State, volume.StateReason, volume.SizeGib, volume.Host, hostName, volume.Vm,
        volume.Vm is { } vm ? await db.Vms.Where(v => v.Id == vm).Select(v => v.Name).SingleAsync() : null, volume.Made);

    private static void Take(VolumeRow row, VolumeRecord record, DateTimeOffset now)
    {
        if ((row.State, row.StateReason, row.SizeGib, row.Vm, row.Made) == (record.State, record.Reason, record.SizeGib, record.Vm, record.Made)) return;
        (row.State, row.StateReason, row.SizeGib, row.Vm, row.Made) = (record.State, record.Reason, record.SizeGib, record.Vm, record.Made);
        row.UpdatedAt = now;
    }
}
