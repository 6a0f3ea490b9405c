using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines.Xml;
using Plinth.Agents.Storage;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

public sealed partial class LibvirtHypervisor
{
    private const uint InactiveXml = 2, AffectLive = 1, AffectConfig = 2, SizeInBytes = 1;

    public Task<IReadOnlyList<VolumeInfo>> Volumes(CancellationToken stop) => _libvirt.Call<IReadOnlyList<VolumeInfo>>(
        connection =>
        {
            var attached = new Dictionary<VolumeId, (VmId Vm, bool Configured, bool Plugged)>();
            foreach (var (vm, definition, running) in Own(connection))
            {
                foreach (var (volume, _) in DomainVolumes.Of(definition)) attached[volume] = (vm, true, false);
                if (running is null) continue;
                foreach (var (volume, _) in DomainVolumes.Of(running)) attached[volume] = (vm, attached.GetValueOrDefault(volume).Configured, true);
            }
            var sizes = _storage.VolumeSizes();
            return [.. sizes.Keys.Union(attached.Keys).Select(id => attached.TryGetValue(id, out var a)
                ? new VolumeInfo(id, sizes.GetValueOrDefault(id), a.Vm, a.Configured, a.Plugged)
                : new VolumeInfo(id, sizes[id], null, false, false))];
        },
        ReadFailed, stop);

    public async Task EnsureVolume(DesiredVolume volume, CancellationToken stop)
    {
        DomainRules.Check(volume);
        await _storage.EnsureVolume(volume, stop);
        var size = (long)volume.SizeGib << 30;
        if ((await Volumes(stop)).FirstOrDefault(v => v.Volume == volume.Volume) is not { } info || info.SizeBytes >= size) return;
        if (info is not { Plugged: true, Vm: { } vm })
        {
            await _storage.GrowVolume(volume, stop);
            return;
        }
        await _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, vm);
                if (Running(domain) is not { } running || DomainVolumes.Find(running, volume.Volume) is not { } disk) throw Refusals.DomainOff(vm);
                if (Native.virDomainBlockResize(domain, DomainVolumes.TargetOf(disk)!, (ulong)size, SizeInBytes) < 0) throw LibvirtException.Last("growing the volume");
            },
            e => new HypervisorException("grow_failed", $"The volume '{volume.Name}' could not be grown to {volume.SizeGib} GiB under its guest: {e.Said}", cause: e),
            stop);
    }

    public Task Attach(DesiredVolume volume, VmId vm, CancellationToken stop)
    {
        DomainRules.Check(volume);
        var path = _storage.VolumePath(volume);
        if (!File.Exists(path)) throw Refusals.VolumeMissing(volume.Volume);
        return _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, vm);
                var (definition, running) = (Definition(domain), Running(domain));
                var (configured, plugged) = (DomainVolumes.Find(definition, volume.Volume), running is null ? null : DomainVolumes.Find(running, volume.Volume));
                var missing = (configured is null ? AffectConfig : 0) | (running is not null && plugged is null ? AffectLive : 0);
                if (missing == 0) return;
                var device = (configured ?? plugged) is { } had ? DomainVolumes.TargetOf(had)! : running is null ? DomainVolumes.FreeDevice(definition) : DomainVolumes.FreeDevice(definition, running);
                var disk = DomainDisks.Disk(new DomainDisk(volume.Serial, path, null, volume.Limits), device, first: false, DirectIoAt(Path.GetDirectoryName(path)!));
                if (Native.virDomainAttachDeviceFlags(domain, disk.ToString(), missing) < 0) throw LibvirtException.Last($"attaching the volume {volume.Name}");
            },
            e => e.Said.Contains("No more available PCI slots", StringComparison.OrdinalIgnoreCase)
                ? new HypervisorException("no_port", $"The machine has no free port for the volume '{volume.Name}'. Stop the VM, attach it, and start it again.", final: true, cause: e)
                : new HypervisorException("attach_failed", $"The volume '{volume.Name}' could not be attached: {e.Said}", cause: e),
            stop);
    }

    public Task Detach(VolumeId volume, VmId vm, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Find(connection, vm);
            if (domain is null) return;
            Unplug(domain, xml => DomainVolumes.Find(xml, volume), "detaching the volume");
        },
        e => new HypervisorException("detach_failed", $"The volume {volume} could not be detached: {e.Said}", cause: e),
        stop);

    public async Task RemoveVolume(VolumeId volume, CancellationToken stop)
    {
        if ((await Volumes(stop)).Any(v => v.Volume == volume && v.Vm is not null)) throw Refusals.VolumeAttached(volume);
        await _storage.RemoveVolume(volume, stop);
    }

    internal static XElement Definition(DomainHandle domain) => Xml(domain, InactiveXml);

    /// <summary>The domain as it runs; null while it is off.</summary>
    internal static XElement? Running(DomainHandle domain) => DomainLookup.IsActive(domain) ? Xml(domain, 0) : null;

    private static XElement Xml(DomainHandle domain, uint flags) =>
        XElement.Parse(Native.Take(Native.virDomainGetXMLDesc(domain, flags)) ?? throw LibvirtException.Last("reading a domain"));

    /// <summary>Plinth's own domains, as they are defined and as they run. One that goes away while it is read is left out.</summary>
    private static IReadOnlyList<(VmId Vm, XElement Definition, XElement? Running)> Own(ConnectHandle connection)
    {
        var own = new List<(VmId, XElement, XElement?)>();
        foreach (var handle in DomainLookup.All(connection))
        {
            using var domain = handle;
            try
            {
                if (DomainLookup.IsOwn(domain)) own.Add((DomainLookup.Id(domain), Definition(domain), Running(domain)));
            }
            catch (LibvirtException e) when (e.Error == LibvirtError.NoDomain)
            {
            }
        }
        return own;
    }
}
