using System.Xml.Linq;
using Plinth.Agents.Network;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines.Xml;

/// <summary>All devices but the disks.</summary>
internal static class DomainDevices
{
    // How often QEMU asks the balloon for the guest's own memory figures.
    private const int BalloonStatsSeconds = 5;

    // The seed, the channel's controller, the balloon, the random numbers, the pointer and the screen.
    private const int OwnDevices = 6;

    public static IEnumerable<XObject> UsbNone(DomainContext context) =>
        [new XElement("controller", new XAttribute("type", "usb"), new XAttribute("model", "none"))];

    /// <summary>
    /// What comes while the guest runs needs a free port, and libvirt makes only as many as it needs itself: these are for the
    /// machine's own devices, and the rest stay free for volumes and interfaces.
    /// </summary>
    public static IEnumerable<XObject> Ports(DomainContext context)
    {
        var ports = context.Disks.Count + InterfaceActs.MaxPerVm + OwnDevices + VolumeActs.MaxVolumesPerVm;
        return [Pci(0, "pcie-root"), .. Enumerable.Range(1, ports).Select(index => Pci(index, "pcie-root-port"))];
    }

    private static XElement Pci(int index, string model) =>
        new("controller", new XAttribute("type", "pci"), new XAttribute("index", index), new XAttribute("model", model));

    public static IEnumerable<XObject> Interfaces(DomainContext context) =>
        context.Machine.Nics.Zip(context.Networks, Interface);

    public static XElement Interface(DesiredNic nic, NetworkConfig network) =>
        new("interface", new XAttribute("type", network.Overlay is null ? "network" : "bridge"),
            new XElement("mac", new XAttribute("address", nic.Mac)),
            new XElement("source", network.Overlay is null ? new XAttribute("network", NetworkXml.NameOf(network)) : new XAttribute("bridge", network.Bridge)),
            // The packet rules know the interface by this name.
            new XElement("target", new XAttribute("dev", NetworkNames.Guest(nic.Mac))),
            new XElement("model", new XAttribute("type", "virtio")),
            network.Overlay is { } overlay ? new XElement("mtu", new XAttribute("size", overlay.Mtu)) : null,
            // Guests start from their disk; the network card's boot code would only cost seconds.
            new XElement("rom", new XAttribute("enabled", "no")));

    public static IEnumerable<XObject> Serial(DomainContext context)
    {
        // Kept over restarts of the agent, so that a boot can be read later; appended to, so that the agent can cut it.
        XElement Log() => new("log", new XAttribute("file", context.SerialLogPath), new XAttribute("append", "on"));
        return
        [
            new XElement("serial", new XAttribute("type", "pty"), Log(), new XElement("target", new XAttribute("type", "isa-serial"), new XAttribute("port", 0))),
            new XElement("console", new XAttribute("type", "pty"), Log(), new XElement("target", new XAttribute("type", "serial"), new XAttribute("port", 0))),
        ];
    }

    public static IEnumerable<XObject> GuestAgent(DomainContext context) =>
    [
        new XElement("channel", new XAttribute("type", "unix"),
            new XElement("target", new XAttribute("type", "virtio"), new XAttribute("name", "org.qemu.guest_agent.0"))),
    ];

    // Beside the PS/2 keyboard and mouse of q35: a pointer that is where the viewer's is.
    public static IEnumerable<XObject> Pointer(DomainContext context) =>
        [new XElement("input", new XAttribute("type", "tablet"), new XAttribute("bus", "virtio"))];

    public static IEnumerable<XObject> Tpm(DomainContext context) => context.Firmware.Tpm
        ? [new XElement("tpm", new XAttribute("model", "tpm-crb"), new XElement("backend", new XAttribute("type", "emulator"), new XAttribute("version", "2.0")))]
        : [];

    // Listens nowhere: who wants to look gets a socket from libvirt. No viewer can shut out the others.
    public static IEnumerable<XObject> Screen(DomainContext context) =>
    [
        new XElement("graphics", new XAttribute("type", "vnc"), new XAttribute("sharePolicy", "force-shared"),
            new XElement("listen", new XAttribute("type", "none"))),
    ];

    // Standard VGA: firmware, boot loaders and every guest can draw on it.
    public static IEnumerable<XObject> Video(DomainContext context) =>
        [new XElement("video", new XElement("model", new XAttribute("type", "vga"), new XAttribute("vram", 16384), new XAttribute("heads", 1), new XAttribute("primary", "yes")))];

    public static IEnumerable<XObject> Balloon(DomainContext context) =>
        [new XElement("memballoon", new XAttribute("model", "virtio"), new XElement("stats", new XAttribute("period", BalloonStatsSeconds)))];

    public static IEnumerable<XObject> Random(DomainContext context) =>
    [
        new XElement("rng", new XAttribute("model", "virtio"),
            new XElement("backend", new XAttribute("model", "random"), "/dev/urandom")),
    ];

    // By which a guest's kernel says that it has given up.
    public static IEnumerable<XObject> Panic(DomainContext context) => [new XElement("panic", new XAttribute("model", "isa"))];
}
