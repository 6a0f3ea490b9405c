using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines.Xml;
using Plinth.Agents.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Machines;

public sealed partial class LibvirtHypervisor
{
    public Task<IReadOnlyList<InterfaceInfo>> Interfaces(CancellationToken stop) => _libvirt.Call<IReadOnlyList<InterfaceInfo>>(
        connection =>
        {
            var found = new List<InterfaceInfo>();
            foreach (var (vm, definition, running) in Own(connection))
            {
                var configured = DomainInterfaces.Of(definition).Select(i => i.Mac).ToHashSet();
                var plugged = running is null ? [] : DomainInterfaces.Of(running).Select(i => i.Mac).ToHashSet();
                found.AddRange(configured.Union(plugged).Select(mac => new InterfaceInfo(vm, mac, configured.Contains(mac), plugged.Contains(mac))));
            }
            return found;
        },
        ReadFailed, stop);

    public Task AddInterface(VmId vm, DesiredNic nic, NetworkConfig network, CancellationToken stop)
    {
        DomainRules.Check(nic, [network]);
        return _libvirt.Call(
            connection =>
            {
                using var domain = DomainLookup.Require(connection, vm);
                var running = Running(domain);
                var missing = (DomainInterfaces.Find(Definition(domain), nic.Mac) is null ? AffectConfig : 0) | (running is not null && DomainInterfaces.Find(running, nic.Mac) is null ? AffectLive : 0);
                if (missing == 0) return;
                var xml = DomainDevices.Interface(nic, network).ToString();
                // Both in one, so that it has the same place on the bus now and at the next start.
                if (Native.virDomainAttachDeviceFlags(domain, xml, missing) >= 0) return;
                var error = LibvirtException.Last($"adding the interface {nic.Mac}");
                if (!IsFull(error)) throw error;
                if ((missing & AffectConfig) != 0 && Native.virDomainAttachDeviceFlags(domain, xml, AffectConfig) < 0) throw LibvirtException.Last($"adding the interface {nic.Mac} to the definition");
                throw error;
            },
            e => IsFull(e)
                ? new HypervisorException(InterfaceProgress.NoPort, $"The running machine has no free port for the interface {nic.Mac}; it has it from its next start on.", final: true, cause: e)
                : new HypervisorException("interface_failed", $"The interface {nic.Mac} could not be added: {e.Said}", cause: e),
            stop);

        static bool IsFull(LibvirtException e) => e.Said.Contains("No more available PCI slots", StringComparison.OrdinalIgnoreCase);
    }

    public Task RemoveInterface(VmId vm, string mac, CancellationToken stop) => _libvirt.Call(
        connection =>
        {
            using var domain = DomainLookup.Find(connection, vm);
            if (domain is null) return;
            Unplug(domain, xml => DomainInterfaces.Find(xml, mac), $"removing the interface {mac}");
        },
        e => new HypervisorException("interface_failed", $"The interface {mac} could not be removed: {e.Said}", cause: e),
        stop);

    /// <summary>Asks the guest to release a device. It stays in the definition until the guest has let go: should it never, nothing was changed.</summary>
    private static void Unplug(DomainHandle domain, Func<XElement, XElement?> find, string doing)
    {
        if (Running(domain) is { } running && find(running) is { } plugged)
        {
            if (Native.virDomainDetachDeviceFlags(domain, plugged.ToString(), AffectLive) < 0)
            {
                var error = LibvirtException.Last(doing);
                // Asked before, and the guest still thinks about it.
                if (!error.Said.Contains("process of unplug", StringComparison.OrdinalIgnoreCase) && DomainLookup.IsActive(domain)) throw error;
            }
            if (Running(domain) is { } still && find(still) is not null) return;
        }
        if (find(Definition(domain)) is { } configured && Native.virDomainDetachDeviceFlags(domain, configured.ToString(), AffectConfig) < 0) throw LibvirtException.Last(doing);
    }
}
