using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Operations;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <inheritdoc cref="ISnapshots"/>
internal sealed class SnapshotUseCases(IConsoleStore store, AccessControl access, Mutations mutations, OperationAnswers answers, MachineWriter writer) : ISnapshots
{
    public async Task<Result<IReadOnlyList<SnapshotView>>> List(Caller caller, string project, VmId vm, CancellationToken stop)
    {
        await using var db = store.Read();
        var owner = await access.Project(db, caller, Permissions.VmRead, project, stop);
        if (!owner.Succeeded) return Result<IReadOnlyList<SnapshotView>>.No(owner.Refusals);
        var row = await Naming.Vm(db, owner.Value, vm, stop);
        if (!row.Succeeded) return Result<IReadOnlyList<SnapshotView>>.No(row.Refusals);
        var volumes = await db.Volumes.CountAsync(v => v.Vm == vm && v.DeletedAt == null, stop);
        var size = new MachineSize(row.Value.Spec.Size.Vcpus, row.Value.Spec.Size.MemoryMib);
        return Result<IReadOnlyList<SnapshotView>>.Ok([.. row.Value.Snapshots.Select(s => new SnapshotView(
            s.Id, s.Name, s.WithMemory, s.Vcpus, s.MemoryMib, s.State, s.Reason, s.How, s.TakenAt, s.By,
            SnapshotActs.WhyNotRevert(s, row.Value.State, size, volumes, MachineWriter.Macs(row.Value))?.Message))]);
    }

    public Task<Result<OperationView>> Take(Caller caller, string project, VmId vm, TakeSnapshot request, string? idempotencyKey, CancellationToken stop) =>
        Change(caller, "vm.snapshot", project, vm, Idempotency.Of(caller, idempotencyKey, "vm.snapshot", project, vm, request), (m, row) =>
        {
            var refusals = new RefusalList();
            NameRules.CheckName(refusals, "name", request.Name);
            if (row.Snapshots.Any(s => s.Name == request.Name)) refusals.Add(Refusal.Conflict("name_taken", $"The VM has a snapshot named {request.Name} already; choose another name.") with { Field = "name" });
            if (refusals.Any) return Task.FromResult(Result<OperationRow>.No(refusals.All));
            m.Detail = $"{row.Name}: {request.Name}";
            return writer.TakeSnapshot(m.Scope, row, request.Name!, request.Memory, m.By);
        }, stop);

    public Task<Result<OperationView>> Revert(Caller caller, string project, VmId vm, SnapshotId snapshot, string? idempotencyKey, CancellationToken stop) =>
        Change(caller, "vm.snapshot-revert", project, vm, Idempotency.Of(caller, idempotencyKey, "vm.snapshot-revert", project, vm, snapshot), (m, row) =>
            One(m, row, snapshot, known => writer.RevertSnapshot(m.Scope, row, known, m.By)), stop);

    public Task<Result<OperationView>> Remove(Caller caller, string project, VmId vm, SnapshotId snapshot, string? idempotencyKey, CancellationToken stop) =>
        Change(caller, "vm.snapshot-remove", project, vm, Idempotency.Of(caller, idempotencyKey, "vm.snapshot-remove", project, vm, snapshot), (m, row) =>
            One(m, row, snapshot, known => writer.RemoveSnapshot(m.Scope, row, known, m.By)), stop);

    private static Task<Result<OperationRow>> One(Mutation m, VmRow row, SnapshotId snapshot, Func<VmSnapshot, Task<Result<OperationRow>>> act)
    {
        if (row.Snapshots.FirstOrDefault(s => s.Id == snapshot) is not { } known)
            return Task.FromResult(Result<OperationRow>.No([Refusal.NotFound("snapshot_not_found", $"The VM has no snapshot {snapshot}.")]));
        m.Detail = $"{row.Name}: {known.Name}";
        return act(known);
    }

    private async Task<Result<OperationView>> Change(Caller caller, string action, string project, VmId vm, Result<Idempotency?> idempotency, Func<Mutation, VmRow, Task<Result<OperationRow>>> change, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmOperate, project, action, $"vm/{vm}", idempotency, async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            var asked = await change(m, row.Value);
            return asked.Succeeded ? asked.Value.Id.Value : Result<Guid>.No(asked.Refusals);
        }, stop);
        return await answers.Of(caller, operation, stop);
    }
}
