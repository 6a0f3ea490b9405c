using System.Xml.Linq;

namespace Plinth.Agents.Machines.Xml;

/// <summary>A domain's network interfaces, known by their MAC addresses.</summary>
internal static class DomainInterfaces
{
    public static IEnumerable<(string Mac, XElement Interface)> Of(XElement domain)
    {
        foreach (var element in domain.Elements("devices").Elements("interface"))
            if (element.Element("mac")?.Attribute("address")?.Value.ToLowerInvariant() is { } mac) yield return (mac, element);
    }

    public static XElement? Find(XElement domain, string mac) => Of(domain).FirstOrDefault(i => i.Mac == mac).Interface;
}
