using System.Xml.Linq;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Storage;

/// <summary>libvirt's XML of pools and volumes.</summary>
internal static class StorageXml
{
    public static string Pool(PoolConfig pool, string path) =>
        new XElement("pool", new XAttribute("type", "dir"),
            new XElement("name", pool.Name),
            new XElement("uuid", pool.Id.Value),
            new XElement("target",
                new XElement("path", path),
                // Guests' processes pass through it to their own files and cannot list it.
                new XElement("permissions", new XElement("mode", "0711")))).ToString();

    /// <summary>The directory of a pool as libvirt has it; null where it is no directory pool.</summary>
    public static string? DirectoryOf(string poolXml)
    {
        var pool = XElement.Parse(poolXml);
        return pool.Attribute("type")?.Value == "dir" ? pool.Element("target")?.Element("path")?.Value : null;
    }

    public static string Disk(string name, int sizeGib, BackingFile? image) =>
        new XElement("volume",
            new XElement("name", name),
            new XElement("capacity", new XAttribute("unit", "GiB"), sizeGib),
            new XElement("target", new XElement("format", new XAttribute("type", "qcow2")), new XElement("permissions", new XElement("mode", "0600"))),
            image is null ? null : new XElement("backingStore", new XElement("path", image.Path), new XElement("format", new XAttribute("type", image.Format)))).ToString();
}
