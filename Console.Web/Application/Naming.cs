using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application;

/// <summary>Finds what callers name by name or id, within what is theirs.</summary>
internal static class Naming
{
    /// <summary>The project's VM of that id, deleted or not.</summary>
    public static async Task<Result<VmRow>> Vm(ConsoleDb db, ProjectRow project, VmId vm, CancellationToken stop) =>
        await db.Vms.SingleOrDefaultAsync(v => v.Id == vm && v.Project == project.Id, stop) is { } row ? row : NoVm(vm);

    /// <summary>A name or id as the ledger may repeat it, whatever was sent.</summary>
    public static string Printable(string? name) => name is not null && (NameRules.IsName(name) || Guid.TryParse(name, out _)) ? name : "(unnamed)";

    public static Refusal NoVm(VmId vm) => Refusal.NotFound("vm_not_found", $"There is no VM {vm} in this project.");

    public static Refusal NoVolume(VolumeId volume) => Refusal.NotFound("volume_not_found", $"There is no volume {volume} in this project.");

    /// <summary>A VM of the project that is not deleted, by name or id.</summary>
    public static async Task<VmRow?> Vm(ConsoleDb db, ProjectId project, string nameOrId, CancellationToken stop)
    {
        var vms = db.Vms.Where(v => v.Project == project && v.DeletedAt == null);
        if (Guid.TryParse(nameOrId, out var guid) && await vms.SingleOrDefaultAsync(v => v.Id == new VmId(guid), stop) is { } byId) return byId;
        return NameRules.IsName(nameOrId) ? await vms.SingleOrDefaultAsync(v => v.Name == nameOrId, stop) : null;
    }

    /// <summary>A host that is not retired, by name or id.</summary>
    public static async Task<HostRow?> Host(ConsoleDb db, string nameOrId, CancellationToken stop)
    {
        var hosts = db.Hosts.Where(h => h.State != Core.Inventory.HostState.Retired);
        if (Guid.TryParse(nameOrId, out var guid) && await hosts.SingleOrDefaultAsync(h => h.Id == new HostId(guid), stop) is { } byId) return byId;
        return nameOrId.Length <= 255 ? await hosts.FirstOrDefaultAsync(h => h.Name == nameOrId, stop) : null;
    }
}
