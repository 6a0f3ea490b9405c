using System.Runtime.InteropServices;
using Plinth.Agents.Machines;

namespace Plinth.Agents.Libvirt;

/// <summary>Counters of all running domains in one call of <c>virConnectGetAllDomainStats</c>.</summary>
internal static class DomainStats
{
    private const uint CpuTotal = 2, Balloon = 4, Vcpu = 8, Interface = 16, Block = 32;
    private const uint Active = 1, NoWait = 0x20000000;

    public static IReadOnlyList<DomainCounters> Read(ConnectHandle connection, Func<DomainHandle, string> startKey)
    {
        // A domain that is busy (a migration, a hung QEMU) gives what it can instead of holding up all others.
        var count = Native.virConnectGetAllDomainStats(connection, CpuTotal | Balloon | Vcpu | Interface | Block, out var records, Active | NoWait);
        if (count < 0) throw LibvirtException.Last("reading domain statistics");
        try
        {
            var counters = new List<DomainCounters>(count);
            for (var i = 0; i < count; i++)
            {
                // struct _virDomainStatsRecord { virDomainPtr dom; virTypedParameterPtr params; int nparams; }
                var record = Marshal.ReadIntPtr(records, i * nint.Size);
                var domainPointer = Marshal.ReadIntPtr(record);
                Native.virDomainRef(domainPointer);
                using var domain = new DomainHandle(domainPointer);
                if (!DomainLookup.IsOwn(domain)) continue;
                counters.Add(Counters(domain, startKey(domain), TypedParameters.Read(Marshal.ReadIntPtr(record, nint.Size), Marshal.ReadInt32(record, 2 * nint.Size))));
            }
            return counters;
        }
        finally
        {
            Native.virDomainStatsRecordListFree(records);
        }
    }

    private static DomainCounters Counters(DomainHandle domain, string startKey, Dictionary<string, long> values)
    {
        var vcpus = (int)values.GetValueOrDefault("vcpu.current");
        return new DomainCounters(
            DomainLookup.Id(domain), startKey, vcpus,
            values.GetValueOrDefault("cpu.time"),
            // Time in the run queue: ready to run while the host ran something else, which the guest sees as steal.
            Sum(values, "vcpu.", vcpus, ".delay"),
            MemoryUsedKib(values) / 1024,
            Sum(values, "block.", Count("block.count"), ".rd.bytes"), Sum(values, "block.", Count("block.count"), ".wr.bytes"),
            Sum(values, "net.", Count("net.count"), ".rx.bytes"), Sum(values, "net.", Count("net.count"), ".tx.bytes"));

        int Count(string name) => (int)values.GetValueOrDefault(name);
    }

    /// <summary>What the guest itself says it uses; until its balloon driver reports, what its process holds.</summary>
    private static long MemoryUsedKib(Dictionary<string, long> values) =>
        values.TryGetValue("balloon.available", out var available) && (values.TryGetValue("balloon.usable", out var free) || values.TryGetValue("balloon.unused", out free))
            ? Math.Max(0, available - free)
            : values.GetValueOrDefault("balloon.rss");

    private static long Sum(Dictionary<string, long> values, string prefix, int count, string suffix)
    {
        var sum = 0L;
        for (var i = 0; i < count; i++) sum += values.GetValueOrDefault($"{prefix}{i}{suffix}");
        return sum;
    }
}
