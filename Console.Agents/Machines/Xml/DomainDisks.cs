using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Core.Storage;

namespace Plinth.Agents.Machines.Xml;

/// <summary>
/// The disks and the seed. Every format is stated, the backing file's too, and the chain is ended explicitly: nothing is probed, so a
/// guest that writes a qcow2 header into its disk gains nothing.
/// </summary>
internal static class DomainDisks
{
    public static IEnumerable<XObject> Generate(DomainContext context)
    {
        var disks = context.Disks.Select((disk, index) => Disk(disk, DeviceName(index), first: index == 0, context.DirectIo));
        return [.. disks, Seed(context.SeedPath, DeviceName(context.Disks.Count))];
    }

    public static XElement Disk(DomainDisk disk, string device, bool first, bool directIo) =>
        new("disk", new XAttribute("type", "file"), new XAttribute("device", "disk"),
            // Past the host's page cache, so that a flush of the guest is a flush of the disk and memory is not taken twice.
            Driver("qcow2", new XAttribute("cache", directIo ? "none" : "writeback"), new XAttribute("io", directIo ? "native" : "threads"), new XAttribute("discard", "unmap"), new XAttribute("detect_zeroes", "unmap")),
            new XElement("source", new XAttribute("file", disk.Path)),
            Backing(disk.Image),
            Target(device),
            Tuning(disk.Limits),
            new XElement("serial", disk.Serial),
            first ? new XElement("boot", new XAttribute("order", 1)) : null);

    // A virtio disk, not a CD-ROM: every guest that can start from the first disk can read it, and NoCloud goes by the label.
    private static XElement Seed(string path, string device) =>
        new("disk", new XAttribute("type", "file"), new XAttribute("device", "disk"),
            Driver("raw"),
            new XElement("source", new XAttribute("file", path)),
            new XElement("backingStore"),
            Target(device),
            new XElement("readonly"),
            new XElement("serial", "seed"));

    /// <summary>A definition's root disks and seed become other files; the devices, and with them what the guest finds them by, stay.</summary>
    public static void Replace(XElement domain, IEnumerable<DomainDisk> disks, string seedPath)
    {
        foreach (var (serial, path, image) in disks.Select(d => (d.Serial, d.Path, d.Image)).Append(("seed", seedPath, null)))
        {
            var disk = domain.Elements("devices").Elements("disk").First(d => d.Element("serial")?.Value == serial);
            disk.Element("backingStore")?.Remove();
            disk.Element("source")!.ReplaceWith(new XElement("source", new XAttribute("file", path)), Backing(image));
        }
    }

    private static XElement Driver(string format, params XAttribute[] options) =>
        new("driver", new XAttribute("name", "qemu"), new XAttribute("type", format), options);

    private static XElement Backing(BackingFile? image) =>
        image is null
            ? new XElement("backingStore")
            : new XElement("backingStore", new XAttribute("type", "file"),
                new XElement("format", new XAttribute("type", image.Format)),
                new XElement("source", new XAttribute("file", image.Path)),
                new XElement("backingStore"));

    private static XElement? Tuning(IoLimits? limits) =>
        limits is null ? null : new XElement("iotune", DiskTuning.Values(limits).Where(v => v.Value > 0).Select(v => new XElement(v.Name, v.Value)));

    private static XElement Target(string device) =>
        new("target", new XAttribute("dev", device), new XAttribute("bus", "virtio"));

    /// <summary>vda, vdb, … (at most 25 are made: 16 disks, the seed, 8 volumes).</summary>
    public static string DeviceName(int index) => "vd" + (char)('a' + index);
}
