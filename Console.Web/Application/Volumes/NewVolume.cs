using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Volumes;

/// <summary>Judges a create request whole, and gives the row it asks for, with its place.</summary>
internal static class NewVolume
{
    public const int MaxSizeGib = 64 * 1024;

    public static async Task<Result<VolumeRow>> Judge(Mutation m, ProjectRow project, CreateVolume request, CancellationToken stop)
    {
        var refusals = new RefusalList();
        NameRules.CheckName(refusals, "name", request.Name);
        NameRules.CheckDescription(refusals, "description", request.Description);
        var size = Size(refusals, request.SizeGib);
        var named = request.StorageClass ?? WellKnown.DefaultName;
        var storageClass = NameRules.IsName(named) ? await m.Db.StorageClasses.SingleOrDefaultAsync(s => s.Name == named, stop) : null;
        if (storageClass is null) refusals.Invalid("storageClass", "unknown_storage_class", $"There is no storage class {RefusalList.Quote(named)}.");
        if (request.Name is { } name && NameRules.IsName(name) && await Taken(m.Db, project, name, stop) is { } taken) refusals.Add(taken);
        var host = string.IsNullOrEmpty(request.Host) ? null : await Naming.Host(m.Db, request.Host, stop);
        if (!string.IsNullOrEmpty(request.Host) && host is null) refusals.Invalid("host", "unknown_host", $"There is no host {RefusalList.Quote(request.Host)}.");
        var vm = string.IsNullOrEmpty(request.Vm) ? null : await Naming.Vm(m.Db, project.Id, request.Vm, stop);
        if (!string.IsNullOrEmpty(request.Vm) && vm is null) refusals.Invalid("vm", "unknown_vm", $"The project {project.Name} has no VM {RefusalList.Quote(request.Vm)}.");
        if (vm is not null)
        {
            var target = await Target(m.Db, vm, stop);
            if (VolumeActs.WhyNot(target, host?.Id ?? vm.Host ?? default, host?.Name ?? target.HostName ?? "no host") is { } no) refusals.Add(no);
        }
        if (refusals.Any) return Result<VolumeRow>.No(refusals.All);

        var placed = VolumePlacement.Choose(await FleetSnapshots.Load(m.Db, stop), size, new StorageDemand(storageClass!.Name, storageClass.Needs), host?.Id ?? vm?.Host, m.Now);
        if (!placed.Succeeded) return Result<VolumeRow>.No(placed.Refusals);
        return new VolumeRow
        {
            Id = VolumeId.New(m.Now), Project = project.Id, Name = request.Name!, Description = request.Description ?? "", StorageClass = storageClass.Name, SizeGib = size,
            Host = placed.Value.Id, Vm = vm?.Id, State = VolumeState.Creating, StateReason = VolumeLifecycle.Sentence(VolumeState.Creating), CreatedBy = m.By, CreatedAt = m.Now, UpdatedAt = m.Now,
        };
    }

    public static int Size(RefusalList refusals, long? sizeGib)
    {
        if (sizeGib is null) refusals.Invalid("sizeGib", "required", $"A size is needed: 1 to {MaxSizeGib} GiB.");
        else SizeRules.Within(refusals, "sizeGib", "GiB", sizeGib.Value, 1, MaxSizeGib);
        return (int)Math.Clamp(sizeGib ?? 1, 1, MaxSizeGib);
    }

    public static async Task<Refusal?> Taken(ConsoleDb db, ProjectRow project, string name, CancellationToken stop) =>
        await db.Volumes.AnyAsync(v => v.Project == project.Id && v.Name == name && v.DeletedAt == null, stop)
            ? Refusal.Conflict("name_taken", $"The project {project.Name} has a volume named {name} already; choose another name.") with { Field = "name" }
            : null;

    public static async Task<AttachTarget> Target(ConsoleDb db, VmRow vm, CancellationToken stop) => new(
        vm.Id, vm.Name, vm.State, vm.Host, vm.Host is { } host ? await db.Hosts.Where(h => h.Id == host).Select(h => h.Name).SingleAsync(stop) : null,
        await db.Volumes.CountAsync(v => v.Vm == vm.Id && v.DeletedAt == null, stop));
}
