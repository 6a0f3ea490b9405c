using System.Xml.Linq;

namespace Plinth.Agents.Machines.Xml;

/// <summary>Marks a domain as Plinth's own. A domain without it is somebody else's, whatever its name or UUID.</summary>
internal static class DomainMetadata
{
    public const string Uri = "urn:plinth:vm:1";
    private const string Disk = "disk";
    private static readonly XNamespace Namespace = Uri;
    public static readonly XName Element = Namespace + "vm";

    public static IEnumerable<XObject> Generate(DomainContext context) =>
    [
        new XElement("metadata",
            new XElement(Element,
                new XAttribute(XNamespace.Xmlns + "plinth", Uri),
                new XAttribute("id", context.Machine.Vm.Value),
                new XAttribute("project", context.Machine.Project.Value),
                new XAttribute("name", context.Machine.Name),
                context.Machine.DiskGeneration == 0 ? null : new XAttribute(Disk, context.Machine.DiskGeneration))),
    ];

    /// <summary>The generation of the disk in a definition: 0 until the machine was rebuilt.</summary>
    public static long DiskOf(XElement vm) => (long?)vm.Attribute(Disk) ?? 0;

    public static void SetDisk(XElement domain, long generation) => domain.Element("metadata")!.Element(Element)!.SetAttributeValue(Disk, generation);
}
