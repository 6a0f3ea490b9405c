using System.Xml.Linq;
using Plinth.Core.Inventory;

namespace Plinth.Agents.Machines.Xml;

/// <summary>What libvirt says that domains of a host can have.</summary>
internal static class DomainCapabilities
{
    /// <param name="xml">As virConnectGetDomainCapabilities gives it.</param>
    public static FirmwareSupport Firmware(string xml)
    {
        var root = XElement.Parse(xml);
        var (os, tpm) = (root.Element("os"), root.Element("devices")?.Element("tpm"));
        var uefi = Offers(os, "firmware", "efi");
        return new FirmwareSupport(
            uefi,
            uefi && Offers(os?.Element("loader"), "secure", "yes"),
            tpm?.Attribute("supported")?.Value == "yes" && Offers(tpm, "backendModel", "emulator") && Offers(tpm, "backendVersion", "2.0"));
    }

    private static bool Offers(XElement? of, string name, string value) =>
        of?.Elements("enum").Any(e => e.Attribute("name")?.Value == name && e.Elements("value").Any(v => v.Value == value)) == true;
}
