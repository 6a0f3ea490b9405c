using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application.Networks;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <summary>A create request that was found good: what it asks for, with every name resolved.</summary>
internal sealed record NewVm(VmSpec Spec, ImageRow Image, IReadOnlyList<NetworkRow> Networks, StorageDemand Storage)
{
    public const int MaxNetworks = InterfaceActs.MaxPerVm;

    /// <summary>Judges all of the request at once. Names are compared with what is stored now, so a create does this inside its write.</summary>
    public static async Task<Result<NewVm>> Judge(ConsoleDb db, ProjectRow project, CreateVm request, CancellationToken stop)
    {
        var refusals = new RefusalList();
        await CheckName(db, refusals, project.Id, request.Name, stop);
        NameRules.CheckDescription(refusals, "description", request.Description);
        LabelRules.Check(refusals, "labels", request.Labels);
        GuestRules.CheckUserName(refusals, "userName", request.UserName);
        GuestRules.CheckUserData(refusals, "userData", request.UserData);
        GuestRules.CheckKeys(refusals, "keys", request.Keys);
        var image = await FindImage(db, refusals, request.Image, stop);
        var (flavor, size) = await FindSize(db, refusals, request, stop);
        if (image is not null && size is { } s) SizeRules.CheckAgainst(refusals, MachineRows.Image(image), s, flavor is null ? "diskGib" : "flavor", flavor is null ? "memoryMib" : "flavor");
        var storageClass = await FindStorageClass(db, refusals, request.StorageClass, stop);
        var networks = await FindNetworks(db, refusals, project, request.Networks, stop);
        var onlyHost = await FindHost(db, refusals, request.Host, stop);
        var firmware = FindFirmware(refusals, request, size, flavor is null ? "memoryMib" : "flavor");
        if (refusals.Any) return Result<NewVm>.No(refusals.All);
        var spec = new VmSpec(
            request.Name!, request.Description ?? "", (request.Labels ?? new Dictionary<string, string?>()).ToDictionary(l => l.Key, l => l.Value!),
            image!.Id, flavor?.Id, size!.Value, storageClass!.Name, [.. networks.Select(n => n.Name)],
            request.UserName ?? image.DefaultUser, [.. (request.Keys ?? []).Select(k => SshPublicKey.Parse(k).Value!.ToString())], request.UserData ?? "", onlyHost?.Id, Firmware: firmware == GuestFirmware.Default ? null : firmware);
        return new NewVm(spec, image, networks, new StorageDemand(storageClass.Name, storageClass.Needs));
    }

    /// <summary>A name that a VM of the project can take.</summary>
    public static async Task CheckName(ConsoleDb db, RefusalList refusals, ProjectId project, string? name, CancellationToken stop)
    {
        NameRules.CheckName(refusals, "name", name);
        if (name is not null && NameRules.IsName(name) && await db.Vms.AnyAsync(v => v.Project == project && v.Name == name && v.DeletedAt == null, stop))
            refusals.Add(Refusal.Conflict("name_taken", $"The project has a VM named {name} already; choose another name.") with { Field = "name" });
    }

    /// <summary>The image of this name or id, where it has its content.</summary>
    public static async Task<ImageRow?> FindImage(ConsoleDb db, RefusalList refusals, string? nameOrId, CancellationToken stop)
    {
        if (string.IsNullOrEmpty(nameOrId))
        {
            refusals.Invalid("image", "required", "An image is needed: its name or id, as GET /api/v1/images lists them.");
            return null;
        }
        var row = Guid.TryParse(nameOrId, out var id) ? await db.Images.SingleOrDefaultAsync(i => i.Id == new ImageId(id), stop) : null;
        if (row is null && NameRules.IsName(nameOrId)) row = await db.Images.SingleOrDefaultAsync(i => i.Name == nameOrId, stop);
        if (row is null) refusals.Invalid("image", "unknown_image", $"There is no image {RefusalList.Quote(nameOrId)}.");
        else if (row.State != ImageState.Ready) refusals.Invalid("image", "image_not_ready", $"The image {row.Name} has no content yet; upload it first.");
        return row is { State: ImageState.Ready } ? row : null;
    }

    private static async Task<(FlavorRow? Flavor, Resources? Size)> FindSize(ConsoleDb db, RefusalList refusals, CreateVm request, CancellationToken stop)
    {
        var sized = request.Vcpus is not null || request.MemoryMib is not null || request.DiskGib is not null;
        if (string.IsNullOrEmpty(request.Flavor))
        {
            if (sized) return (null, SizeRules.Check(refusals, request.Vcpus, request.MemoryMib, request.DiskGib));
            refusals.Invalid("flavor", "required", "A size is needed: a flavor, or all of vcpus, memoryMib and diskGib.");
            return (null, null);
        }
        if (sized) refusals.Invalid("flavor", "flavor_and_size", "Give a flavor or sizes, not both: leave out flavor, or leave out vcpus, memoryMib and diskGib.");
        var flavor = Guid.TryParse(request.Flavor, out var id) ? await db.Flavors.SingleOrDefaultAsync(f => f.Id == new FlavorId(id), stop) : null;
        if (flavor is null && NameRules.IsName(request.Flavor)) flavor = await db.Flavors.SingleOrDefaultAsync(f => f.Name == request.Flavor, stop);
        if (flavor is null)
        {
            refusals.Invalid("flavor", "unknown_flavor", $"There is no flavor {RefusalList.Quote(request.Flavor)}.");
            return (null, null);
        }
        return (flavor, new Resources(flavor.Vcpus, flavor.MemoryMib, flavor.DiskGib));
    }

    private static async Task<StorageClassRow?> FindStorageClass(ConsoleDb db, RefusalList refusals, string? name, CancellationToken stop)
    {
        var wanted = name ?? WellKnown.DefaultName;
        var row = NameRules.IsName(wanted) ? await db.StorageClasses.SingleOrDefaultAsync(s => s.Name == wanted, stop) : null;
        if (row is null) refusals.Invalid("storageClass", "unknown_storage_class", $"There is no storage class {RefusalList.Quote(wanted)}.");
        return row;
    }

    private static async Task<IReadOnlyList<NetworkRow>> FindNetworks(ConsoleDb db, RefusalList refusals, ProjectRow project, IReadOnlyList<string?>? names, CancellationToken stop)
    {
        var wanted = names ?? [WellKnown.DefaultName];
        if (wanted.Count > MaxNetworks)
        {
            refusals.Invalid("networks", "too_many", $"There are {wanted.Count} networks; at most {MaxNetworks} are allowed.");
            return [];
        }
        var rows = new List<NetworkRow>();
        for (var i = 0; i < wanted.Count; i++)
        {
            var name = wanted[i] ?? "";
            var row = await FindNetwork(db, project, name, stop);
            if (row is null) refusals.Invalid($"networks[{i}]", "unknown_network", $"The project {project.Name} has no network {RefusalList.Quote(name)}.");
            else if (rows.Any(r => r.Id == row.Id)) refusals.Invalid($"networks[{i}]", "duplicate", $"The network {row.Name} is named twice; name it once.");
            else if (await NetworkWriter.Full(db, row, $"networks[{i}]", stop) is { } full) refusals.Add(full);
            else rows.Add(row);
        }
        return rows;
    }

    /// <summary>By name or id; null where the project has no such network.</summary>
    public static async Task<NetworkRow?> FindNetwork(ConsoleDb db, ProjectRow project, string name, CancellationToken stop)
    {
        var row = Guid.TryParse(name, out var id) ? await db.Networks.SingleOrDefaultAsync(n => n.Project == project.Id && n.Id == new NetworkId(id), stop) : null;
        return row is null && NameRules.IsName(name) ? await db.Networks.SingleOrDefaultAsync(n => n.Project == project.Id && n.Name == name, stop) : row;
    }

    private static GuestFirmware FindFirmware(RefusalList refusals, CreateVm request, Resources? size, string memoryField)
    {
        var kind = request.Firmware switch { null or "" or "bios" => FirmwareKind.Bios, "uefi" => FirmwareKind.Uefi, _ => (FirmwareKind?)null };
        if (kind is null) refusals.Invalid("firmware", "unknown_firmware", $"There is no firmware {RefusalList.Quote(request.Firmware!)}; it is bios or uefi.");
        if (kind == FirmwareKind.Bios && request.SecureBoot == true) refusals.Invalid("secureBoot", "needs_uefi", "Secure Boot is a part of UEFI: choose the firmware uefi, or leave Secure Boot out.");
        var firmware = new GuestFirmware(kind ?? FirmwareKind.Bios, request.SecureBoot == true, request.Tpm == true);
        if (size is { } s && firmware.TooLittle(s.MemoryMib) is { } why) refusals.Invalid(memoryField, "too_little_memory", why);
        return firmware;
    }

    private static async Task<HostRow?> FindHost(ConsoleDb db, RefusalList refusals, string? nameOrId, CancellationToken stop)
    {
        if (string.IsNullOrEmpty(nameOrId)) return null;
        var host = await Naming.Host(db, nameOrId, stop);
        if (host is null) refusals.Invalid("host", "unknown_host", $"There is no host {RefusalList.Quote(nameOrId)}.");
        return host;
    }
}
