using System.Runtime.InteropServices;
using System.Xml.Linq;
using Plinth.Agents.Machines;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Libvirt;

/// <summary>Finds domains and tells Plinth's own from others'.</summary>
internal static unsafe class DomainLookup
{
    private const int MetadataElement = 2;

    /// <summary>The VM's domain, or null where there is none.</summary>
    /// <exception cref="HypervisorException">"foreign_domain": somebody else's domain has the VM's UUID.</exception>
    public static DomainHandle? Find(ConnectHandle connection, VmId vm)
    {
        Span<byte> uuid = stackalloc byte[16];
        vm.Value.TryWriteBytes(uuid, bigEndian: true, out _);
        DomainHandle domain;
        fixed (byte* bytes = uuid) domain = Native.virDomainLookupByUUID(connection, bytes);
        if (domain.IsInvalid)
        {
            var error = LibvirtException.Last($"looking for VM {vm}");
            return error.Error == LibvirtError.NoDomain ? null : throw error;
        }
        if (IsOwn(domain)) return domain;
        var name = Name(domain);
        domain.Dispose();
        throw new HypervisorException("foreign_domain", $"The domain '{name}' has the UUID of VM {vm} and was not made by Plinth; it is left alone. Undefine it to free the UUID.");
    }

    /// <exception cref="HypervisorException">"domain_missing" or "foreign_domain".</exception>
    public static DomainHandle Require(ConnectHandle connection, VmId vm) => Find(connection, vm) ?? throw Refusals.DomainMissing(vm);

    public static IReadOnlyList<DomainHandle> All(ConnectHandle connection)
    {
        var count = Native.virConnectListAllDomains(connection, out var array, 0);
        if (count < 0) throw LibvirtException.Last("listing the domains");
        var domains = new DomainHandle[count];
        for (var i = 0; i < count; i++) domains[i] = new DomainHandle(Marshal.ReadIntPtr(array, i * nint.Size));
        Native.free(array);
        return domains;
    }

    public static bool IsOwn(DomainHandle domain) => Metadata(domain) is not null;

    /// <summary>The generation of its root disk; null for somebody else's domain.</summary>
    public static long? Disk(DomainHandle domain) => Metadata(domain) is { } xml ? DomainMetadata.DiskOf(XElement.Parse(xml)) : null;

    private static string? Metadata(DomainHandle domain) => Native.Take(Native.virDomainGetMetadata(domain, MetadataElement, DomainMetadata.Uri, 0));

    public static VmId Id(DomainHandle domain)
    {
        Span<byte> uuid = stackalloc byte[16];
        fixed (byte* bytes = uuid)
            if (Native.virDomainGetUUID(domain, bytes) < 0) throw LibvirtException.Last("reading a domain's UUID");
        return new VmId(new Guid(uuid, bigEndian: true));
    }

    public static string Name(DomainHandle domain) =>
        Marshal.PtrToStringUTF8(Native.virDomainGetName(domain)) ?? throw LibvirtException.Last("reading a domain's name");

    /// <summary>What a running domain has now.</summary>
    public static MachineSize Size(DomainHandle domain) =>
        Native.virDomainGetInfo(domain, out var info) >= 0 ? new MachineSize(info.Vcpus, (int)(info.MaxMemoryKib / 1024)) : throw LibvirtException.Last("reading a domain's size");

    /// <summary>Why a paused domain stands still, as far as libvirt tells.</summary>
    public static PauseReason Pause(DomainHandle domain)
    {
        const int paused = 3, asked = 1, ioError = 5;
        if (Native.virDomainGetState(domain, out var state, out var reason, 0) < 0 || state != paused) return PauseReason.None;
        return reason switch
        {
            asked => PauseReason.Asked,
            ioError => HasNoSpace(domain) ? PauseReason.StorageFull : PauseReason.StorageFailed,
            _ => PauseReason.None,
        };
    }

    private static bool HasNoSpace(DomainHandle domain)
    {
        const int noSpace = 2;
        var room = Native.virDomainGetDiskErrors(domain, null, 0, 0);
        if (room <= 0) return false;
        var errors = new Native.DiskErrorStruct[room];
        var found = Native.virDomainGetDiskErrors(domain, errors, (uint)room, 0);
        foreach (var error in errors) Native.free(error.Disk);
        return errors.Take(Math.Max(0, found)).Any(e => e.Error == noSpace);
    }

    public static bool IsActive(DomainHandle domain) => State(domain).State is DomainState.Running or DomainState.Paused;

    /// <summary>libvirt's state and reason in the protocol's words.</summary>
    public static (DomainState State, OffReason Reason) State(DomainHandle domain)
    {
        if (Native.virDomainGetState(domain, out var state, out var reason, 0) < 0) throw LibvirtException.Last("reading a domain's state");
        return state switch
        {
            // running, blocked on a resource, shutting down: the guest's processors are there.
            1 or 2 or 4 => (DomainState.Running, OffReason.None),
            // paused, suspended by the guest.
            3 or 7 => (DomainState.Paused, OffReason.None),
            6 => (DomainState.Off, OffReason.Crashed),
            _ => (DomainState.Off, reason switch
            {
                1 => OffReason.GuestShutdown,
                2 => OffReason.SwitchedOff,
                3 => OffReason.Crashed,
                8 => OffReason.HostRestarted,
                _ => OffReason.Unknown,
            }),
        };
    }
}
