using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <summary>Turns VM rows into what people see; names are looked up once per window.</summary>
internal sealed class VmViews(LiveHosts live, ApplicationSettings settings)
{
    public async Task<VmView> One(ConsoleDb db, VmRow row, ProjectRow project, CancellationToken stop) => (await Many(db, [row], project, stop))[0];

    public async Task<IReadOnlyList<VmView>> Many(ConsoleDb db, IReadOnlyList<VmRow> rows, ProjectRow project, CancellationToken stop)
    {
        var imageIds = rows.Select(r => r.Image).Distinct().ToArray();
        var images = await db.Images.Where(i => imageIds.Contains(i.Id)).Select(i => new { i.Id, i.Name }).ToDictionaryAsync(i => i.Id, i => i.Name, stop);
        var hostIds = rows.Where(r => r.Host is not null).Select(r => r.Host!.Value).Distinct().ToArray();
        var hosts = await db.Hosts.Where(h => hostIds.Contains(h.Id)).ToDictionaryAsync(h => h.Id, stop);
        var flavorIds = rows.Where(r => r.Spec.Flavor is not null).Select(r => r.Spec.Flavor!.Value).Distinct().ToArray();
        var flavors = await db.Flavors.Where(f => flavorIds.Contains(f.Id)).Select(f => new { f.Id, f.Name }).ToDictionaryAsync(f => f.Id, f => f.Name, stop);
        return [.. rows.Select(View)];

        VmView View(VmRow vm)
        {
            var host = vm.Host is { } h ? hosts.GetValueOrDefault(h) : null;
            // A full report speaks of every machine of the host, so its receipt is the receipt of each.
            var observedAt = vm.Observed is null || host is null ? vm.ObservedAt : live.ReportedAt(host.Id, vm.ObservedAt);
            var running = vm.State is VmState.Running or VmState.Starting or VmState.Paused or VmState.Stopping or VmState.Lost;
            return new VmView(
                vm.Id, vm.Project, project.Name, vm.Name, vm.Spec.Description, vm.Spec.Labels, vm.State,
                vm.StateReason.Length > 0 ? vm.StateReason : VmLifecycle.Sentence(vm.State),
                vm.Image, images.GetValueOrDefault(vm.Image, "(deleted)"), vm.Spec.Flavor is { } f ? flavors.GetValueOrDefault(f) : null,
                vm.Spec.Size, vm.Spec.StorageClass, [.. vm.Nics.Select(n => Network(n, vm, host, running))],
                vm.Spec.UserName, vm.Spec.SshKeys, vm.Host, host?.Name, host?.Facts?.Acceleration,
                running ? vm.Observed?.Addresses ?? [] : [], running ? vm.Observed?.GuestAgentAt : null, running ? vm.Observed?.StartedAt : null,
                vm.CreatedAt, vm.UpdatedAt, observedAt,
                host is not null && vm.State != VmState.Deleted && live.IsStale(host.Id, host.ReportedAt), vm.Operation, vm.Spec.Protected, running ? vm.Observed?.Running : null,
                vm.State == VmState.Restorable ? vm.RestorableUntil : null, vm.State != VmState.Restorable && MachineActs.CanBeKept(MachineRows.Record(vm, host?.Name, false), settings.RestoreWindow) ? (int)settings.RestoreWindow.TotalMinutes : null,
                VmTrouble.Of(vm.State, vm.Observed, host?.Name ?? "its host"), running ? vm.Observed?.GuestSystem ?? "" : "", vm.Spec.Firmware ?? GuestFirmware.Default, vm.Version);
        }
    }

    private static VmNetworkView Network(VmNic nic, VmRow vm, HostRow? host, bool running)
    {
        var known = MachineRows.Interface(nic);
        var seen = InterfaceProgress.Of(known, vm.Observed);
        return new VmNetworkView(
            nic.Network, nic.Name, nic.Mac, nic.Address, nic.Rules ?? [], host is null ? [] : [.. host.Drops.Where(d => d.Mac == nic.Mac)],
            nic.State, running ? seen?.Plugged : null, running ? seen?.Addresses ?? [] : [], InterfaceProgress.Note(known, vm.Observed));
    }
}
