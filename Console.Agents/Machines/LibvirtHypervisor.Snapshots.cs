using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Machines;

public sealed partial class LibvirtHypervisor
{
    private const uint TakeAtomically = 128, RevertRunning = 1;

    public Task TakeSnapshot(VmId vm, SnapshotId snapshot, bool withMemory, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            using var known = FindSnapshot(domain, snapshot);
            if (known is not null) return;
            if (DomainLookup.IsActive(domain) != withMemory) throw withMemory ? Refusals.DomainOff(vm) : Refusals.DomainOn(vm);
            if (HasVolumes(domain)) throw Refusals.HasVolumes(vm);
            using var taken = Native.virDomainSnapshotCreateXML(domain, SnapshotXml(Definition(domain), snapshot, withMemory), TakeAtomically);
            if (taken.IsInvalid) throw LibvirtException.Last("taking the snapshot");
        },
        e => new HypervisorException("snapshot_failed", $"The snapshot could not be taken: {e.Said}", cause: e),
        stop);

    public Task RevertTo(VmId vm, SnapshotId snapshot, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            using var known = FindSnapshot(domain, snapshot) ?? throw Refusals.SnapshotMissing(vm, snapshot);
            if (DomainLookup.IsActive(domain)) throw Refusals.DomainOn(vm);
            if (HasVolumes(domain)) throw Refusals.HasVolumes(vm);
            var withMemory = XElement.Parse(Native.Take(Native.virDomainSnapshotGetXMLDesc(known, 0)) ?? throw LibvirtException.Last("reading the snapshot"))
                .Element("memory")?.Attribute("snapshot")?.Value == "internal";
            // libvirt brings back the definition of that moment too; name and size are not part of what is gone back to.
            var definition = Native.Take(Native.virDomainGetXMLDesc(domain, XmlWithSecrets | XmlOfNextStart)) ?? throw LibvirtException.Last("reading the definition");
            if (withMemory) Log(vm).Begin();
            if (Native.virDomainRevertToSnapshot(known, withMemory ? RevertRunning : 0) < 0) throw LibvirtException.Last("going back to the snapshot");
            using var defined = Native.virDomainDefineXMLFlags(connection, definition, DefineValidated);
            if (defined.IsInvalid) throw LibvirtException.Last("keeping the definition");
        },
        e => new HypervisorException("revert_failed", $"The VM could not be brought back to the snapshot: {e.Said}", cause: e),
        stop);

    public Task RemoveSnapshot(VmId vm, SnapshotId snapshot, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Find(connection, vm);
            using var known = domain is null ? null : FindSnapshot(domain, snapshot);
            if (known is not null && Native.virDomainSnapshotDelete(known, 0) < 0) throw LibvirtException.Last("removing the snapshot");
        },
        e => new HypervisorException("snapshot_removal_failed", $"The snapshot could not be removed: {e.Said}", cause: e),
        stop);

    private static bool HasVolumes(DomainHandle domain) => DomainVolumes.Of(Definition(domain)).Any() || (Running(domain) is { } running && DomainVolumes.Of(running).Any());

    private static SnapshotHandle? FindSnapshot(DomainHandle domain, SnapshotId snapshot)
    {
        var found = Native.virDomainSnapshotLookupByName(domain, snapshot.ToString(), 0);
        if (!found.IsInvalid) return found;
        var error = LibvirtException.Last("looking for the snapshot");
        return error.Error == LibvirtError.NoSnapshot ? null : throw error;
    }

    // Inside of the qcow2 file: it needs no chain of files, and goes with the disk. The seed is read-only.
    private static string SnapshotXml(XElement definition, SnapshotId snapshot, bool withMemory) =>
        new XElement("domainsnapshot",
            new XElement("name", snapshot.ToString()),
            new XElement("memory", new XAttribute("snapshot", withMemory ? "internal" : "no")),
            new XElement("disks", definition.Elements("devices").Elements("disk").Select(disk => new XElement("disk",
                new XAttribute("name", DomainVolumes.TargetOf(disk)!),
                new XAttribute("snapshot", disk.Element("readonly") is null ? "internal" : "no"))))).ToString();
}
