using System.Xml.Linq;
using Plinth.Agents.Libvirt;
using Plinth.Agents.Machines;
using Plinth.Agents.Machines.Xml;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Storage;

/// <summary>The limits of all disks of a host: read back from QEMU and from the definitions at every look, set where they differ.</summary>
internal sealed class DiskLimits(LibvirtConnection libvirt, TimeProvider time)
{
    private const uint Live = 1, Config = 2;
    private const string LimitsFailed = "limits_failed", LimitsDiffer = "limits_differ";

    // As they were last found or set: what differs from that without another wish was changed by hand.
    private Dictionary<(VmId Vm, string Serial), IoLimits> _inForce = [];
    private string _drift = "";
    private DateTimeOffset? _driftAt;

    public async Task<ObservedFacility> Ensure(DesiredHostState desired, CancellationToken stop)
    {
        var (seen, drift, failures) = (new Dictionary<(VmId, string), IoLimits>(), new List<string>(), new List<string>());
        foreach (var machine in desired.Machines)
        {
            var wanted = DiskLimitPlan.Of(machine, desired.Volumes ?? []);
            try
            {
                foreach (var serial in await libvirt.Call(connection => Set(connection, machine, wanted, drift), e => Failed(machine, e), stop)) seen[(machine.Vm, serial)] = wanted[serial];
            }
            // One machine's trouble is not the others'.
            catch (HypervisorException e) when (e.Code is LimitsFailed or LimitsDiffer)
            {
                failures.Add(e.Message);
            }
        }
        if (drift.Count > 0) (_drift, _driftAt) = ($"Put right: {string.Join("; ", drift)}.", time.GetUtcNow());
        _inForce = seen;
        return new ObservedFacility("limits", "disk limits", failures.Count == 0, failures.Count == 0 ? DiskLimitPlan.Detail(seen.Values) : string.Join(" ", failures), _drift, _driftAt);
    }

    /// <summary>The serials of the disks that the machine has and that are now as they should be.</summary>
    private List<string> Set(ConnectHandle connection, DesiredMachine machine, IReadOnlyDictionary<string, IoLimits> wanted, List<string> drift)
    {
        using var domain = DomainLookup.Find(connection, machine.Vm);
        var held = new List<string>();
        if (domain is null) return held;
        foreach (var (flag, disks) in new[] { (Config, LibvirtHypervisor.Definition(domain)), (Live, LibvirtHypervisor.Running(domain)) })
            foreach (var disk in disks?.Elements("devices").Elements("disk") ?? [])
            {
                if (disk.Element("serial")?.Value is not { } serial || !wanted.TryGetValue(serial, out var limits) || DomainVolumes.TargetOf(disk) is not { } device) continue;
                var differences = DiskTuning.Differences(DiskTuning.Read(domain, device, flag), limits);
                if (differences.Count > 0)
                {
                    DiskTuning.Set(domain, device, limits, flag);
                    if (DiskTuning.Differences(DiskTuning.Read(domain, device, flag), limits) is { Count: > 0 } left)
                        throw new HypervisorException(LimitsDiffer, $"The limits of disk '{serial}' of {machine.Name} were set and are not as wanted: {string.Join(", ", left)}.");
                    if (_inForce.TryGetValue((machine.Vm, serial), out var before) && before == limits)
                        drift.Add($"disk '{serial}' of {machine.Name}{(flag == Live ? "" : ", from its next start on,")} had {string.Join(", ", differences)}");
                }
                if (!held.Contains(serial)) held.Add(serial);
            }
        return held;
    }

    private static HypervisorException Failed(DesiredMachine machine, LibvirtException e) =>
        new(LimitsFailed, $"The disk limits of {machine.Name} could not be set: {e.Said}", cause: e);
}
