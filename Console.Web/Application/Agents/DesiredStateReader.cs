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
        var networks = await db.Networks.ToListAsync(stop);
        var vms = await db.Vms.Where(v => v.Host == host && v.DeletedAt == null).ToListAsync(stop);
        var removed = await db.Tombstones.Where(t => t.Host == host).Select(t => t.Vm).ToListAsync(stop);
        var imageIds = vms.Select(v => v.Image).Distinct().ToArray();
        var images = await db.Images.Where(i => imageIds.Contains(i.Id)).ToDictionaryAsync(i => i.Id, MachineRows.Image, stop);
        var volumes = await db.Volumes.Where(v => v.Host == host && v.DeletedAt == null).ToListAsync(stop);
        return DesiredStates.Build(
            generation,
            classes.Select(s => new StorageClass(s.Id, s.Name, s.Description, s.Kind)),
            networks.Select(n => new VirtualNetwork(n.Id, n.Project, n.Name, n.Description, n.Kind, n.Cidr)),
            vms.Select(v => new PlacedMachine(
                v.Id, v.Project, v.Name, v.Spec.Hostname ?? v.Name, v.Spec.Size, v.Spec.StorageClass, [.. v.Nics.Select(n => n.Network)], v.Spec.UserName, v.Spec.SshKeys, v.Spec.UserData,
                images[v.Image], v.Power, v.PowerGeneration, v.StopDeadlineSeconds, v.State == VmState.Deleting || removed.Contains(v.Id))),
            volumes.Select(v => new PlacedVolume(v.Id, v.Project, v.Name, v.StorageClass, v.SizeGib, v.Vm, v.Made, v.State == VolumeState.Deleting)));
    }
}
