using System.Xml.Linq;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Machines.Xml;

/// <summary>The volumes among a domain's disks, known by the names of their files.</summary>
internal static class DomainVolumes
{
    public static IEnumerable<(VolumeId Volume, XElement Disk)> Of(XElement domain)
    {
        foreach (var disk in domain.Elements("devices").Elements("disk"))
            if (disk.Element("source")?.Attribute("file")?.Value is { } file && PoolFiles.Volume(Path.GetFileName(file)) is { } volume) yield return (volume, disk);
    }

    public static XElement? Find(XElement domain, VolumeId volume) => Of(domain).FirstOrDefault(v => v.Volume == volume).Disk;

    /// <summary>A definition made anew keeps the volumes that the former has.</summary>
    public static string Keep(string definition, XElement former)
    {
        var domain = XElement.Parse(definition);
        domain.Element("devices")!.Elements("disk").Last().AddAfterSelf(Of(former).Select(v => v.Disk));
        return domain.ToString();
    }

    /// <summary>The first of vda, vdb, … that no disk of these has.</summary>
    public static string FreeDevice(params XElement[] domains)
    {
        var taken = domains.SelectMany(d => d.Descendants("disk")).Select(TargetOf).ToHashSet();
        return Enumerable.Range(0, 26).Select(DomainDisks.DeviceName).First(name => !taken.Contains(name));
    }

    public static string? TargetOf(XElement disk) => disk.Element("target")?.Attribute("dev")?.Value;
}
