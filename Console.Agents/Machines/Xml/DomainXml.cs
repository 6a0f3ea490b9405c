using System.Xml.Linq;
using Plinth.Core.Inventory;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines.Xml;

/// <summary>
/// A domain's XML, made by an ordered list of small generators. Built as a tree and never from text, so nothing a person typed can
/// become markup. The order is libvirt's own, so that what is defined and what is read back compare line by line.
/// </summary>
internal static class DomainXml
{
    private delegate IEnumerable<XObject> Generator(DomainContext context);

    private static readonly Generator[] Devices =
    [
        context => [new XElement("emulator", context.Emulator)],
        DomainDisks.Generate,
        DomainDevices.UsbNone,
        DomainDevices.Ports,
        DomainDevices.Interfaces,
        DomainDevices.Serial,
        DomainDevices.GuestAgent,
        DomainDevices.Pointer,
        DomainDevices.Tpm,
        DomainDevices.Screen,
        DomainDevices.Video,
        DomainDevices.Balloon,
        DomainDevices.Random,
        DomainDevices.Panic,
    ];

    private static readonly Generator[] Domain =
    [
        Identity,
        DomainMetadata.Generate,
        Size,
        Firmware,
        Features,
        Processor,
        Clock,
        Lifecycle,
        context => [new XElement("devices", Devices.SelectMany(generate => generate(context)))],
    ];

    public static string Generate(DomainContext context) =>
        new XElement("domain", Domain.SelectMany(generate => generate(context))).ToString();

    private static IEnumerable<XObject> Identity(DomainContext context) =>
    [
        new XAttribute("type", context.Acceleration == Acceleration.Kvm ? "kvm" : "qemu"),
        new XElement("name", DomainRules.DomainName(context.Machine)),
        new XElement("uuid", context.Machine.Vm.Value),
        new XElement("title", context.Machine.Name),
    ];

    private static IEnumerable<XObject> Size(DomainContext context) =>
    [
        new XElement("memory", new XAttribute("unit", "MiB"), context.Machine.MemoryMib),
        Vcpus(context.Machine.Vcpus, context.MostVcpus),
    ];

    private static XElement Vcpus(int vcpus, int most) =>
        new("vcpu", most > vcpus ? new XAttribute("current", vcpus) : null, most);

    /// <summary>
    /// The definition as it is in libvirt with another name and size. Everything else stays: machine type and addresses of devices, which the
    /// guest knows its disks and networks by. True where something changed.
    /// </summary>
    public static bool Adjust(XElement domain, DesiredMachine machine, int mostVcpus)
    {
        var before = domain.ToString();
        Set("title", machine.Name, after: "uuid");
        Set("memory", machine.MemoryMib, ("unit", "MiB"));
        Set("currentMemory", machine.MemoryMib, ("unit", "MiB"), after: "memory");
        domain.Element("vcpu")!.ReplaceWith(Vcpus(machine.Vcpus, mostVcpus));
        domain.Element("metadata")?.Element(DomainMetadata.Element)?.SetAttributeValue("name", machine.Name);
        return domain.ToString() != before;

        void Set(string name, object value, (string Name, string Value) attribute = default, string after = "")
        {
            var element = domain.Element(name);
            if (element is null) domain.Element(after)!.AddAfterSelf(element = new XElement(name));
            element.Value = value.ToString()!;
            if (attribute.Name is not null) element.SetAttributeValue(attribute.Name, attribute.Value);
        }
    }

    private static IEnumerable<XObject> Firmware(DomainContext context) =>
    [
        // The machine type without a version: each host's newest, fixed by libvirt when the domain is defined. So is the firmware's file.
        new XElement("os",
            context.Firmware.Kind == FirmwareKind.Uefi ? new XAttribute("firmware", "efi") : null,
            new XElement("type", new XAttribute("arch", "x86_64"), new XAttribute("machine", "q35"), "hvm"),
            context.Firmware.Kind == FirmwareKind.Uefi
                ? new XElement("firmware", FirmwareFeature("enrolled-keys", context.Firmware.SecureBoot), FirmwareFeature("secure-boot", context.Firmware.SecureBoot))
                : null),
    ];

    private static XElement FirmwareFeature(string name, bool enabled) => new("feature", new XAttribute("enabled", enabled ? "yes" : "no"), new XAttribute("name", name));

    // The variables of Secure Boot are written in system management mode alone.
    private static IEnumerable<XObject> Features(DomainContext context) =>
        [new XElement("features", new XElement("acpi"), new XElement("apic"), context.Firmware.SecureBoot ? new XElement("smm", new XAttribute("state", "on")) : null)];

    private static IEnumerable<XObject> Processor(DomainContext context) =>
    [
        context.Acceleration == Acceleration.Kvm
            ? new XElement("cpu", new XAttribute("mode", "host-passthrough"), new XAttribute("check", "none"), new XAttribute("migratable", "on"))
            : new XElement("cpu", new XAttribute("mode", "maximum"), new XAttribute("check", "none")),
    ];

    private static IEnumerable<XObject> Clock(DomainContext context) =>
    [
        new XElement("clock", new XAttribute("offset", "utc"),
            Timer("rtc", ("tickpolicy", "catchup")), Timer("pit", ("tickpolicy", "delay")), Timer("hpet", ("present", "no"))),
    ];

    private static XElement Timer(string name, (string Name, string Value) setting) =>
        new("timer", new XAttribute("name", name), new XAttribute(setting.Name, setting.Value));

    // A crashed guest (its process, or its kernel by the panic device) goes off and is reported; the console decides whether it starts again.
    private static IEnumerable<XObject> Lifecycle(DomainContext context) =>
        [new XElement("on_poweroff", "destroy"), new XElement("on_reboot", "restart"), new XElement("on_crash", "destroy")];
}
