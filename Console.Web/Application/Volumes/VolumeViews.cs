using Microsoft.EntityFrameworkCore;
using Plinth.Core.Operations;
using Plinth.Core.Storage;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Volumes;

/// <summary>Turns volume rows into what people see; names are looked up once per window.</summary>
internal sealed class VolumeViews(LiveHosts live)
{
    public async Task<IReadOnlyList<VolumeView>> Many(ConsoleDb db, IReadOnlyList<VolumeRow> rows, ProjectRow project, CancellationToken stop)
    {
        var hostIds = rows.Select(r => r.Host).Distinct().ToArray();
        var hosts = await db.Hosts.Where(h => hostIds.Contains(h.Id)).Select(h => new { h.Id, h.Name, h.ReportedAt }).ToDictionaryAsync(h => h.Id, stop);
        var vmIds = rows.Where(r => r.Vm is not null).Select(r => r.Vm!.Value).Distinct().ToArray();
        var vms = await db.Vms.Where(v => vmIds.Contains(v.Id)).Select(v => new { v.Id, v.Name }).ToDictionaryAsync(v => v.Id, v => v.Name, stop);
        return [.. rows.Select(v => new VolumeView(
            v.Id, v.Project, project.Name, v.Name, v.Description, v.State, v.StateReason.Length > 0 ? v.StateReason : VolumeLifecycle.Sentence(v.State),
            v.StorageClass, v.SizeGib, v.Observed is { SizeBytes: > 0 and var bytes } ? (int)(bytes >> 30) : null,
            v.Host, hosts[v.Host].Name, v.Vm, v.Vm is { } vm ? vms.GetValueOrDefault(vm) : null,
            v.Observed is { Plugged: true }, "/dev/disk/by-id/virtio-" + DesiredStates.Serial(v.Id), v.CreatedAt, v.UpdatedAt,
            v.Observed is null ? v.ObservedAt : live.ReportedAt(v.Host, v.ObservedAt),
            v.State != VolumeState.Deleted && live.IsStale(v.Host, hosts[v.Host].ReportedAt), v.Operation, v.Version))];
    }
}
