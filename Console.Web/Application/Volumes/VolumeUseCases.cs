using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Operations;
using Plinth.Web.Application.Quotas;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Volumes;

/// <inheritdoc cref="IVolumes"/>
internal sealed class VolumeUseCases(IConsoleStore store, AccessControl access, Mutations mutations, OperationAnswers answers, VolumeWriter writer, VolumeViews views) : IVolumes
{
    public async Task<Result<Page<VolumeView>>> List(Caller caller, string project, VolumeQuery query, Window window, CancellationToken stop)
    {
        await using var db = store.Read();
        var owner = await access.Project(db, caller, Permissions.VolumeRead, project, stop);
        if (!owner.Succeeded) return Result<Page<VolumeView>>.No(owner.Refusals);
        var veil = await access.Veil(db, caller, stop);
        if (veil.Forbids(query) is { } notYours) return notYours;
        var page = await VolumeList.Read(db, owner.Value, query, window, stop);
        if (!page.Succeeded) return Result<Page<VolumeView>>.No(page.Refusals);
        return new Page<VolumeView>([.. (await views.Many(db, page.Value.Rows, owner.Value, stop)).Select(veil.Of)], page.Value.Total, page.Value.Next);
    }

    public async Task<Result<VolumeView>> Get(Caller caller, string project, VolumeId volume, CancellationToken stop)
    {
        await using var db = store.Read();
        var owner = await access.Project(db, caller, Permissions.VolumeRead, project, stop);
        if (!owner.Succeeded) return Result<VolumeView>.No(owner.Refusals);
        return await db.Volumes.SingleOrDefaultAsync(v => v.Id == volume && v.Project == owner.Value.Id, stop) is { } row
            ? (await access.Veil(db, caller, stop)).Of((await views.Many(db, [row], owner.Value, stop))[0])
            : Naming.NoVolume(volume);
    }

    public async Task<Result<OperationView>> Create(Caller caller, string project, CreateVolume request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await mutations.In(caller, Permissions.VolumeCreate, project, Permissions.VolumeCreate, "volume", Idempotency.Of(caller, idempotencyKey, Permissions.VolumeCreate, project, request), async (m, owner) =>
        {
            if (await access.Names(m.Db, caller, request.Host, stop) is { } notYours) return notYours;
            var judged = await NewVolume.Judge(m, owner, request, stop);
            if (!judged.Succeeded) return Result<Guid>.No(judged.Refusals);
            var volume = judged.Value;
            if (await QuotaUse.Check(m.Db, owner, QuotaUse.OfDisk(volume.StorageClass, volume.SizeGib), stop) is { Count: > 0 } over) return Result<Guid>.No(over);
            (m.Target, m.Detail) = ($"volume/{volume.Id}", $"{volume.Name}: {volume.SizeGib} GiB, {volume.StorageClass}");
            return (await writer.Create(m.Scope, volume, m.By)).Id.Value;
        }, stop);
        return await answers.Of(caller, made, stop);
    }

    public async Task<Result<VolumeView>> Update(Caller caller, string project, VolumeId volume, UpdateVolume request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.In(caller, Permissions.VolumeUpdate, project, Permissions.VolumeUpdate, $"volume/{volume}", async (m, owner) =>
        {
            if (await m.Db.Volumes.SingleOrDefaultAsync(v => v.Id == volume && v.Project == owner.Id, stop) is not { } row) return Naming.NoVolume(volume);
            if (Stale(row, expectedVersion) is { } stale) return stale;
            var refusals = new RefusalList();
            if (request.Name is not null) NameRules.CheckName(refusals, "name", request.Name);
            NameRules.CheckDescription(refusals, "description", request.Description);
            if (request.Name is { } name && name != row.Name && NameRules.IsName(name) && await NewVolume.Taken(m.Db, owner, name, stop) is { } taken) refusals.Add(taken);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            (row.Name, row.Description, row.UpdatedAt) = (request.Name ?? row.Name, request.Description ?? row.Description, m.Now);
            m.Detail = row.Name;
            return volume.Value;
        }, stop);
        return changed.Succeeded ? await Get(caller, project, volume, stop) : Result<VolumeView>.No(changed.Refusals);
    }

    public Task<Result<OperationView>> Attach(Caller caller, string project, VolumeId volume, AttachVolume request, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VolumeOperate, "volume.attach", project, volume, null, request.Vm, idempotencyKey, async (m, owner, row) =>
        {
            if (string.IsNullOrEmpty(request.Vm)) return Refusal.Invalid("vm", "required", "A VM is needed: its name or id.");
            if (await Naming.Vm(m.Db, owner.Id, request.Vm, stop) is not { } vm) return Refusal.Invalid("vm", "unknown_vm", $"The project {owner.Name} has no VM {RefusalList.Quote(request.Vm)}.");
            var target = await NewVolume.Target(m.Db, vm, stop);
            m.Detail = $"{row.Name} to {vm.Name}";
            return await writer.Ask(m.Scope, row, m.By, (record, current, next) => VolumeActs.Attach(record, current, target, m.By, next, m.Now));
        }, stop);

    public Task<Result<OperationView>> Detach(Caller caller, string project, VolumeId volume, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VolumeOperate, "volume.detach", project, volume, null, null, idempotencyKey, (m, _, row) =>
            writer.Ask(m.Scope, row, m.By, (record, current, next) => VolumeActs.Detach(record, current, m.By, next, m.Now)), stop);

    public Task<Result<OperationView>> Resize(Caller caller, string project, VolumeId volume, ResizeVolume request, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VolumeOperate, "volume.resize", project, volume, null, request.SizeGib, idempotencyKey, async (m, owner, row) =>
        {
            var refusals = new RefusalList();
            var size = NewVolume.Size(refusals, request.SizeGib);
            if (refusals.Any) return Result<OperationRow>.No(refusals.All);
            if (await QuotaUse.Check(m.Db, owner, QuotaUse.OfDisk(row.StorageClass, size - row.SizeGib), stop) is { Count: > 0 } over) return Result<OperationRow>.No(over);
            var (was, host) = (row.SizeGib, await FleetSnapshots.LoadHost(m.Db, row.Host, stop));
            m.Detail = $"{row.Name}: {was} -> {size} GiB";
            var asked = await writer.Ask(m.Scope, row, m.By, (record, current, next) =>
                size > was && (host is null ? "the host is retired" : VolumePlacement.WhyNot(host, size - was, m.Now)) is { } full
                    ? Refusal.NoCapacity("no_room", $"{record.HostName} cannot give it {Sizes.Gib(size - was)} more: {full}.")
                    : VolumeActs.Resize(record, current, size, m.By, next, m.Now));
            if (asked.Succeeded) await AllocationLedger.Resize(m.Scope, row);
            return asked;
        }, stop);

    public Task<Result<OperationView>> Delete(Caller caller, string project, VolumeId volume, long? expectedVersion, string? idempotencyKey, CancellationToken stop) =>
        Operate(caller, Permissions.VolumeDelete, "volume.delete", project, volume, expectedVersion, null, idempotencyKey, (m, _, row) =>
            writer.Ask(m.Scope, row, m.By, (record, current, next) => VolumeActs.Delete(record, current, m.By, next, m.Now)), stop);

    private async Task<Result<OperationView>> Operate(
        Caller caller, string permission, string action, string project, VolumeId volume, long? expectedVersion, object? request, string? idempotencyKey,
        Func<Mutation, ProjectRow, VolumeRow, Task<Result<OperationRow>>> act, CancellationToken stop)
    {
        var operation = await mutations.In(caller, permission, project, action, $"volume/{volume}", Idempotency.Of(caller, idempotencyKey, action, project, volume, expectedVersion, request), async (m, owner) =>
        {
            if (await m.Db.Volumes.SingleOrDefaultAsync(v => v.Id == volume && v.Project == owner.Id, stop) is not { } row) return Naming.NoVolume(volume);
            if (Stale(row, expectedVersion) is { } stale) return stale;
            m.Detail = row.Name;
            var asked = await act(m, owner, row);
            return asked.Succeeded ? asked.Value.Id.Value : Result<Guid>.No(asked.Refusals);
        }, stop);
        return await answers.Of(caller, operation, stop);
    }

    private static Refusal? Stale(VolumeRow row, long? expected) => expected is null || expected == row.Version
        ? null
        : Refusal.Stale($"The volume was changed since you read it: you saw version {expected}, it is at {row.Version}. Read it again, then decide.");

}
