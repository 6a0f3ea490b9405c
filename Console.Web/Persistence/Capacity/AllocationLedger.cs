using Microsoft.EntityFrameworkCore;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Capacity;

/// <summary>The authority on what is taken. Places of VMs are taken by <see cref="ICapacityWriter"/> alone, and given back here, in the write that ends the VM.</summary>
public static class AllocationLedger
{
    /// <summary>Gives the VM's place back. False where it held none.</summary>
    public static async Task<bool> Release(WriteScope scope, VmId vm, CancellationToken stop = default)
    {
        var row = await scope.Db.Allocations.SingleOrDefaultAsync(a => a.Vm == vm, stop);
        if (row is null) return false;
        scope.Db.Remove(row);
        return true;
    }

    public static async Task<Allocation?> Of(ConsoleDb db, VmId vm, CancellationToken stop = default) =>
        await db.Allocations.AsNoTracking().SingleOrDefaultAsync(a => a.Vm == vm, stop) is { } row
            ? new Allocation(row.Vm, row.Project, row.Host, new Resources(row.Vcpus, row.MemoryMib, row.DiskGib))
            : null;

    /// <summary>The room of a new volume; who calls has chosen the host in this write.</summary>
    internal static void Take(WriteScope scope, VolumeRow volume) => scope.Db.Add(new VolumeAllocationRow
    {
        Volume = volume.Id, Project = volume.Project, Host = volume.Host, DiskGib = volume.SizeGib, At = scope.Now,
    });

    /// <summary>The volume takes what its row says now.</summary>
    internal static async Task Resize(WriteScope scope, VolumeRow volume) => (await scope.Db.VolumeAllocations.SingleAsync(a => a.Volume == volume.Id)).DiskGib = volume.SizeGib;

    internal static async Task Release(WriteScope scope, VolumeId volume)
    {
        if (await scope.Db.VolumeAllocations.SingleOrDefaultAsync(a => a.Volume == volume) is { } row) scope.Db.Remove(row);
    }

    internal static void Take(WriteScope scope, Allocation allocation) => scope.Db.Add(new AllocationRow
    {
        Vm = allocation.Vm,
        Project = allocation.Project,
        Host = allocation.Host,
        Vcpus = allocation.Size.Vcpus,
        MemoryMib = allocation.Size.MemoryMib,
        DiskGib = allocation.Size.DiskGib,
        At = scope.Now,
    });
}
