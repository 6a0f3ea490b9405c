using Plinth.Agents.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Telemetry;

/// <summary>Turns two readings of a domain's counters into rates.</summary>
internal static class Rates
{
    /// <summary>Null where the readings are of different starts of the domain (its counters began anew), or no time lies between.</summary>
    public static VmSample? Between(DomainCounters before, DomainCounters after, TimeSpan elapsed)
    {
        if (before.Vm != after.Vm || before.StartKey != after.StartKey || elapsed <= TimeSpan.Zero) return null;
        var seconds = elapsed.TotalSeconds;
        // In percent of all the VM's virtual CPUs.
        var whole = seconds * 1e9 * Math.Max(1, after.Vcpus) / 100;
        return new VmSample(
            after.Vm,
            Math.Clamp(Grown(before.CpuTimeNanoseconds, after.CpuTimeNanoseconds) / whole, 0, 100),
            Math.Clamp(Grown(before.StealNanoseconds, after.StealNanoseconds) / whole, 0, 100),
            after.MemoryUsedMib,
            Grown(before.DiskReadBytes, after.DiskReadBytes) / seconds,
            Grown(before.DiskWriteBytes, after.DiskWriteBytes) / seconds,
            Grown(before.NetReceiveBytes, after.NetReceiveBytes) / seconds,
            Grown(before.NetTransmitBytes, after.NetTransmitBytes) / seconds);
    }

    // A device that was unplugged takes its bytes out of the sum: no negative traffic.
    private static double Grown(long before, long after) => Math.Max(0, after - before);
}
