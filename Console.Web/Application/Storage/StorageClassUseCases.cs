using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Storage;

/// <inheritdoc cref="IStorageClasses"/>
internal sealed class StorageClassUseCases(IConsoleStore store, AccessControl access, Mutations mutations, Lazy<IAgentGateway> gateway, LiveHosts live) : IStorageClasses
{
    /// <summary>More than anybody can choose from.</summary>
    private const int Most = 100;

    public async Task<Result<IReadOnlyList<StorageClassView>>> List(Caller caller, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.StorageRead, stop) is { } no) return no;
        await using var db = store.Read();
        return Result<IReadOnlyList<StorageClassView>>.Ok(await Views(db, await db.StorageClasses.OrderBy(s => s.Name).ToListAsync(stop), stop));
    }

    public async Task<Result<StorageClassView>> Get(Caller caller, StorageClassId storageClass, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.StorageRead, stop) is { } no) return no;
        await using var db = store.Read();
        return await db.StorageClasses.SingleOrDefaultAsync(s => s.Id == storageClass, stop) is { } row ? (await Views(db, [row], stop))[0] : None(storageClass);
    }

    public async Task<Result<IReadOnlyList<StorageClassHostView>>> Hosts(Caller caller, StorageClassId storageClass, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        await using var db = store.Read();
        if (await db.StorageClasses.SingleOrDefaultAsync(s => s.Id == storageClass, stop) is not { } row) return Result<IReadOnlyList<StorageClassHostView>>.No(None(storageClass));
        var vms = await db.Vms.Where(v => v.StorageClass == row.Name && v.Host != null && v.DeletedAt == null).GroupBy(v => v.Host!.Value).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop);
        var volumes = await db.Volumes.Where(v => v.StorageClass == row.Name && v.DeletedAt == null).GroupBy(v => v.Host).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop);
        var hosts = await db.Hosts.Where(h => h.State != HostState.Retired).OrderBy(h => h.Name).ToListAsync(stop);
        return Result<IReadOnlyList<StorageClassHostView>>.Ok([.. hosts.Select(h => View(row, h, vms.GetValueOrDefault(h.Id), volumes.GetValueOrDefault(h.Id)))]);
    }

    public async Task<Result<StorageClassView>> Create(Caller caller, CreateStorageClass request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await mutations.Run(caller, Permissions.StorageManage, "storage-class.create", "storage-class", Idempotency.Of(caller, idempotencyKey, "storage-class.create", request), async m =>
        {
            var refusals = new RefusalList();
            NameRules.CheckName(refusals, "name", request.Name);
            NameRules.CheckDescription(refusals, "description", request.Description);
            foreach (var no in IoLimitRules.Check("limits", request.Limits ?? IoLimits.None)) refusals.Add(no);
            if (request.Needs?.Medium == StorageMedium.Unknown) refusals.Invalid("needs.medium", "bad_medium", "A class needs solidState or rotating, or leaves the medium out: no pool is promised to be unknown.");
            if (await m.Db.StorageClasses.AnyAsync(s => s.Name == request.Name, stop))
                refusals.Add(Refusal.Conflict("name_taken", $"There is a storage class named {request.Name} already; choose another name.") with { Field = "name" });
            if (await m.Db.StorageClasses.CountAsync(stop) is >= Most and var count) refusals.Add(Refusal.Conflict("too_many", $"There are {count} storage classes; at most {Most} are allowed."));
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            var row = new StorageClassRow
            {
                Id = StorageClassId.New(m.Now), Name = request.Name!, Description = request.Description ?? "", Needs = request.Needs ?? StorageNeeds.Nothing, Limits = request.Limits ?? IoLimits.None, CreatedAt = m.Now,
            };
            m.Db.StorageClasses.Add(row);
            (m.Target, m.Detail) = ($"storage-class/{row.Id}", $"{row.Name}: needs {row.Needs}; {row.Limits}");
            return row.Id.Value;
        }, stop);
        return made.Succeeded ? await Get(caller, new StorageClassId(made.Value), stop) : Result<StorageClassView>.No(made.Refusals);
    }

    public async Task<Result<StorageClassView>> Update(Caller caller, StorageClassId storageClass, UpdateStorageClass request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.Run(caller, Permissions.StorageManage, "storage-class.update", $"storage-class/{storageClass}", async m =>
        {
            if (await m.Db.StorageClasses.SingleOrDefaultAsync(s => s.Id == storageClass, stop) is not { } row) return None(storageClass);
            if (expectedVersion is { } seen && seen != row.Version) return Refusal.Stale($"The storage class has changed since version {seen}; its version is {row.Version}. Read it again.");
            var refusals = new RefusalList();
            NameRules.CheckDescription(refusals, "description", request.Description);
            foreach (var no in IoLimitRules.Check("limits", request.Limits ?? IoLimits.None)) refusals.Add(no);
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            row.Description = request.Description ?? row.Description;
            m.Detail = $"{row.Name}: {request.Limits ?? row.Limits}";
            if (request.Limits is { } limits && limits != row.Limits)
            {
                m.Detail = $"{row.Name}: {row.Limits} -> {limits}";
                row.Limits = limits;
                await Tell(m.Scope, row.Name);
            }
            return storageClass.Value;
        }, stop);
        return changed.Succeeded ? await Get(caller, storageClass, stop) : Result<StorageClassView>.No(changed.Refusals);
    }

    public async Task<Result<Done>> Delete(Caller caller, StorageClassId storageClass, CancellationToken stop)
    {
        var deleted = await mutations.Run(caller, Permissions.StorageManage, "storage-class.delete", $"storage-class/{storageClass}", async m =>
        {
            if (await m.Db.StorageClasses.SingleOrDefaultAsync(s => s.Id == storageClass, stop) is not { } row) return None(storageClass);
            m.Detail = row.Name;
            if (row.Id == WellKnown.DefaultStorageClass) return Refusal.Conflict("class_kept", $"The storage class {row.Name} is that of disks that name none, and stays.");
            var (vms, volumes) = (await m.Db.Vms.CountAsync(v => v.StorageClass == row.Name && v.DeletedAt == null, stop), await m.Db.Volumes.CountAsync(v => v.StorageClass == row.Name && v.DeletedAt == null, stop));
            if (vms + volumes > 0)
                return Refusal.Conflict("class_in_use", $"The storage class {row.Name} has the root disks of {vms} VM{(vms == 1 ? "" : "s")} and {volumes} volume{(volumes == 1 ? "" : "s")} in it. Delete them first.");
            m.Db.StorageClasses.Remove(row);
            return storageClass.Value;
        }, stop);
        return deleted.Succeeded ? Done.Value : Result<Done>.No(deleted.Refusals);
    }

    /// <summary>Every host with a disk of the class gets a new generation of its desired state.</summary>
    private async Task Tell(WriteScope scope, string name)
    {
        var hosts = await scope.Db.Vms.Where(v => v.StorageClass == name && v.Host != null && v.DeletedAt == null).Select(v => v.Host!.Value)
            .Union(scope.Db.Volumes.Where(v => v.StorageClass == name && v.DeletedAt == null).Select(v => v.Host)).ToListAsync();
        foreach (var host in await scope.Db.Hosts.Where(h => hosts.Contains(h.Id)).ToListAsync())
        {
            host.Generation = host.Generation.Next();
            scope.AfterCommit(() => gateway.Value.Wake(host.Id));
        }
    }

    private static async Task<IReadOnlyList<StorageClassView>> Views(ConsoleDb db, IReadOnlyList<StorageClassRow> rows, CancellationToken stop)
    {
        var vms = await db.Vms.Where(v => v.DeletedAt == null).GroupBy(v => v.StorageClass).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop);
        var volumes = await db.Volumes.Where(v => v.DeletedAt == null).GroupBy(v => v.StorageClass).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop);
        var pools = (await db.Hosts.Where(h => h.State != HostState.Retired).Select(h => h.Facts).ToListAsync(stop)).Select(f => f?.Pool).ToArray();
        return [.. rows.Select(s => new StorageClassView(
            s.Id, s.Name, s.Description, s.Needs, s.Limits, vms.GetValueOrDefault(s.Name), volumes.GetValueOrDefault(s.Name),
            pools.Count(p => StorageMatch.WhyNot(new StorageDemand(s.Name, s.Needs), p) is null), pools.Length, s.CreatedAt, s.Version))];
    }

    private StorageClassHostView View(StorageClassRow row, HostRow host, int vms, int volumes)
    {
        var no = StorageMatch.WhyNot(new StorageDemand(row.Name, row.Needs), host.Facts?.Pool);
        var limits = host.Facilities.FirstOrDefault(f => f.Kind == "limits");
        var answered = host.AcceptedGeneration >= host.Generation;
        var (applied, detail) = vms + volumes == 0 ? (null, "")
            : limits is null ? (false, $"{host.Name} has not reported the limits of its disks yet.")
            : !answered ? (false, $"{host.Name} has answered generation {host.AcceptedGeneration} of {host.Generation}; the limits are set with it.")
            : ((bool?)limits.Ready, limits.Detail);
        var why = no is null ? host.Facts?.Pool is { } pool ? $"Pool {pool.Name} is {HostPool.Word(pool.Kind)} on {HostPool.Word(pool.Medium)}." : "Any pool fits." : char.ToUpperInvariant(no[0]) + no[1..] + ".";
        return new StorageClassHostView(
            host.Id, host.Name, no is null, why, vms, volumes, applied, detail, limits?.Drift ?? "", limits?.DriftAt, live.ReportedAt(host.Id, host.ReportedAt), live.IsStale(host.Id, host.ReportedAt));
    }

    private static Refusal None(StorageClassId storageClass) => Refusal.NotFound("storage_class_not_found", $"There is no storage class {storageClass}.");
}
