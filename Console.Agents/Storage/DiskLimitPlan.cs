using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Agents.Storage;

/// <summary>Which disk should have which limits. Pure.</summary>
internal static class DiskLimitPlan
{
    /// <summary>By serial: the machine's own disks, and the volumes that are to be attached to it. What may do as much as it can is among them, so that a limit set by hand is seen.</summary>
    public static IReadOnlyDictionary<string, IoLimits> Of(DesiredMachine machine, IReadOnlyList<DesiredVolume> volumes) =>
        machine.Disks.Select(d => (d.Serial, d.Limits))
            .Concat(volumes.Where(v => v.Vm == machine.Vm).Select(v => (v.Serial, v.Limits)))
            .DistinctBy(d => d.Serial)
            .ToDictionary(d => d.Serial, d => d.Limits ?? IoLimits.None);

    /// <summary>"2 of 5 disks are limited; read back and compared."</summary>
    public static string Detail(IReadOnlyCollection<IoLimits> limits)
    {
        var limited = limits.Count(l => l != IoLimits.None);
        return $"{limited} of {limits.Count} disk{(limits.Count == 1 ? "" : "s")} limited by {(limits.Count == 1 ? "its" : "their")} storage class; read back and compared.";
    }
}
