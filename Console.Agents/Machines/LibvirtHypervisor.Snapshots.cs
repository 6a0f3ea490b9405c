using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Machines;

public sealed partial class LibvirtHypervisor
{
    private const uint TakeAtomically = 128, MakeKnown = 1, RevertRunning = 1, RecordOnly = 2;

    // Asking a guest to write all that it has takes longer than a question.
    private const int FreezeTimeoutSeconds = 20;

    // While its file systems are frozen for a snapshot its agent answers nothing else.
    private readonly ConcurrentDictionary<VmId, bool> _frozen = new();

    public Task<string> TakeSnapshot(VmId vm, SnapshotId snapshot, bool withMemory, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Require(connection, vm);
            using var known = FindSnapshot(domain, snapshot);
            if (known is not null) return "";
            var on = DomainLookup.IsActive(domain);
            if (withMemory && !on) throw Refusals.DomainOff(vm);
            if (HasVolumes(domain)) throw Refusals.HasVolumes(vm);
            if (on && !withMemory) return TakeOfRunningDisk(domain, vm, snapshot);
            using var taken = Native.virDomainSnapshotCreateXML(domain, SnapshotXml(Definition(domain), snapshot, withMemory), TakeAtomically);
            if (taken.IsInvalid) throw LibvirtException.Last("taking the snapshot");
            return "";
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
            if (domain is null) return;
            // One that was only half taken is in the disk's file and not known to libvirt.
            using var known = FindSnapshot(domain, snapshot) ?? Know(domain, snapshot);
            if (Native.virDomainSnapshotDelete(known, 0) < 0) throw LibvirtException.Last("removing the snapshot");
        },
        e => new HypervisorException("snapshot_removal_failed", $"The snapshot could not be removed: {e.Said}", cause: e),
        stop);

    // libvirt takes none inside of a running machine's disk without its memory; QEMU does, and libvirt is told of it afterwards.
    private string TakeOfRunningDisk(DomainHandle domain, VmId vm, SnapshotId snapshot)
    {
        var disks = Running(domain)!.Elements("devices").Elements("disk").Where(d => d.Element("readonly") is null).Select(d => d.Element("alias")!.Attribute("name")!.Value);
        var act = RunningDisks.Snapshot(RunningDisks.Nodes(Monitor(domain, RunningDisks.Ask), disks), snapshot.ToString());
        _frozen[vm] = true;
        try
        {
            var said = Freeze(domain);
            try
            {
                Monitor(domain, act);
            }
            finally
            {
                _ = Native.virDomainFSThaw(domain, 0, 0, 0);
            }
            using var known = Know(domain, snapshot);
            return said;
        }
        finally
        {
            _frozen.TryRemove(vm, out _);
        }
    }

    private static string Freeze(DomainHandle domain)
    {
        _ = Native.virDomainAgentSetResponseTimeout(domain, FreezeTimeoutSeconds, 0);
        return Native.virDomainFSFreeze(domain, 0, 0, 0) switch
        {
            < 0 => $"The guest did not freeze its file systems ({LibvirtException.Last("freezing").Said}): the disk is as after a power cut.",
            0 => "The guest had no file system to freeze.",
            1 => "The guest froze its file system for that moment.",
            var many => $"The guest froze its {many} file systems for that moment.",
        };
    }

    private static string Monitor(DomainHandle domain, string command)
    {
        if (Native.virDomainQemuMonitorCommand(domain, command, out var answer, 0) < 0) throw LibvirtException.Last("talking to QEMU");
        var text = Native.Take(answer)!;
        return RunningDisks.ErrorIn(text) is { } error ? throw new LibvirtException(LibvirtError.OperationFailed, error, "talking to QEMU") : text;
    }

    private static SnapshotHandle Know(DomainHandle domain, SnapshotId snapshot)
    {
        var definition = Definition(domain);
        var description = XElement.Parse(SnapshotXml(definition, snapshot, false));
        description.Add(new XElement("state", "shutoff"), new XElement("creationTime", DateTimeOffset.UtcNow.ToUnixTimeSeconds()), definition);
        var known = Native.virDomainSnapshotCreateXML(domain, description.ToString(), MakeKnown);
        return known.IsInvalid ? throw LibvirtException.Last("telling libvirt of the snapshot") : known;
    }

    private static bool HasVolumes(DomainHandle domain) => DomainVolumes.Of(Definition(domain)).Any() || (Running(domain) is { } running && DomainVolumes.Of(running).Any());

    /// <summary>
    /// They went with the disk that they were in; libvirt keeps a record of each. It holds the definition of its moment, which says where the disk was.
    /// </summary>
    private static void ForgetSnapshotsOfOtherDisks(DomainHandle domain)
    {
        var disk = RootDisk(Definition(domain));
        var count = Native.virDomainListAllSnapshots(domain, out var array, 0);
        if (count < 0) throw LibvirtException.Last("listing the snapshots");
        var handles = Enumerable.Range(0, count).Select(i => new SnapshotHandle(Marshal.ReadIntPtr(array, i * nint.Size))).ToArray();
        Native.free(array);
        foreach (var handle in handles)
        {
            using var snapshot = handle;
            var xml = XElement.Parse(Native.Take(Native.virDomainSnapshotGetXMLDesc(snapshot, 0)) ?? throw LibvirtException.Last("reading a snapshot"));
            if (RootDisk(xml.Element("domain")) != disk && Native.virDomainSnapshotDelete(snapshot, RecordOnly) < 0) throw LibvirtException.Last("forgetting a snapshot");
        }
    }

    private static string? RootDisk(XElement? domain) =>
        domain?.Elements("devices").Elements("disk").FirstOrDefault(d => d.Element("serial")?.Value == DesiredStates.RootDiskSerial)?.Element("source")?.Attribute("file")?.Value;

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
