using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Plinth.Web.Application.Machines;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;

namespace Plinth.Web.Application.Agents;

/// <summary>Reads what one host should have, all at one moment: a generation stamps exactly one content.</summary>
internal sealed class DesiredStateReader(IConsoleStore store)
{
    public async Task<DesiredHostState> Read(HostId host, CancellationToken stop)
    {
        await using var db = store.Read();
        await using var moment = await db.BeginReadAsync(stop);
        var generation = await db.Hosts.Where(h => h.Id == host).Select(h => h.Generation).SingleAsync(stop);
        var classes = await db.StorageClasses.ToListAsync(stop);
        var networks = (await db.Networks.ToListAsync(stop)).Select(n => new VirtualNetwork(n.Id, n.Project, n.Name, n.Description, n.Kind, n.Cidr, n.Vni, n.Rules)).ToArray();
        var vms = await db.Vms.Where(v => v.Host == host && v.DeletedAt == null).ToListAsync(stop);
        var removed = await db.Tombstones.Where(t => t.Host == host).Select(t => t.Vm).ToListAsync(stop);
        var specs = vms.ToDictionary(v => v.Id, v => RebuildActs.Wished(v.Spec));
        var imageIds = specs.Values.Select(s => s.Image).Distinct().ToArray();
        var images = await db.Images.Where(i => imageIds.Contains(i.Id)).ToDictionaryAsync(i => i.Id, MachineRows.Image, stop);
        var volumes = await db.Volumes.Where(v => v.Host == host && v.DeletedAt == null).ToListAsync(stop);
        return DesiredStates.Build(
            generation,
            classes.Select(s => new StorageClass(s.Id, s.Name, s.Description, s.Needs, s.Limits)),
            networks,
            vms.Select(v => (Vm: v, Spec: specs[v.Id])).Select(w => new PlacedMachine(
                w.Vm.Id, w.Vm.Project, w.Vm.Name, w.Spec.Hostname ?? w.Vm.Name, w.Spec.Size, w.Spec.StorageClass, [.. w.Vm.Nics.Select(n => new DesiredNic(n.Mac, n.Network, n.Address, n.Rules, n.State == InterfaceState.Removing))], w.Spec.UserName, w.Spec.SshKeys, w.Spec.UserData,
                images[w.Spec.Image], w.Vm.Power, w.Vm.PowerGeneration, w.Vm.StopDeadlineSeconds, w.Vm.State == VmState.Deleting || removed.Contains(w.Vm.Id), w.Spec.Firmware, w.Spec.DiskGeneration, w.Spec.Source)),
            volumes.Select(v => new PlacedVolume(v.Id, v.Project, v.Name, v.StorageClass, v.SizeGib, v.Vm, v.Made, v.State == VolumeState.Deleting)),
            await Members(db, host, [.. vms.SelectMany(v => v.Nics).Select(n => n.Network).Distinct()], stop));
    }

    /// <summary>Who else is on the networks of this host. Simulated hosts and real ones do not reach each other.</summary>
    private static async Task<Dictionary<NetworkId, NetworkMembers>> Members(ConsoleDb db, HostId host, NetworkId[] networks, CancellationToken stop)
    {
        var addresses = await db.NetworkAddresses.Where(a => networks.Contains(a.Network))
            .Join(db.Vms.Where(v => v.Host != null && v.DeletedAt == null), a => a.Vm, v => v.Id, (a, v) => new { a.Network, a.Address, a.Mac, v.Name, Host = v.Host!.Value }).ToListAsync(stop);
        var ids = addresses.Select(a => a.Host).Append(host).Distinct().ToArray();
        var hosts = await db.Hosts.Where(h => ids.Contains(h.Id)).Select(h => new { h.Id, h.Facts, h.Simulated }).ToDictionaryAsync(h => h.Id, stop);
        return addresses.GroupBy(a => a.Network).ToDictionary(g => g.Key, g => new NetworkMembers(
            [.. g.Select(a => a.Host).Distinct().Where(h => h != host && hosts[h].Simulated == hosts[host].Simulated).Select(h => hosts[h].Facts?.TunnelAddress).OfType<string>().Where(a => a.Length > 0)],
            [.. g.Select(a => new GuestName(a.Name, a.Address, a.Mac))]));
    }
}
