using System.Runtime.InteropServices;
using Plinth.Core.Storage;

namespace Plinth.Agents.Libvirt;

/// <summary>The limits of one disk as libvirt names them, and as QEMU enforces them.</summary>
internal static class DiskTuning
{
    // Somebody may have set a sum of reads and writes by hand: it excludes limits of each, so it is always taken back first.
    private static readonly string[] Sums = ["total_bytes_sec", "total_iops_sec"];

    private static readonly (string Name, Func<IoLimits, long?> Limit)[] Rates =
    [
        ("read_bytes_sec", l => l.ReadBytesPerSecond), ("write_bytes_sec", l => l.WriteBytesPerSecond), ("read_iops_sec", l => l.ReadIops), ("write_iops_sec", l => l.WriteIops),
    ];

    /// <summary>The values in libvirt's own order; 0 is no limit.</summary>
    public static IReadOnlyList<(string Name, long Value)> Values(IoLimits limits) =>
    [
        .. Rates.Select(r => (r.Name, r.Limit(limits) ?? 0)),
        .. Rates.Select(r => (r.Name + "_max", limits.Burst(r.Limit(limits)))),
        .. Rates.Select(r => (r.Name + "_max_length", limits.Burst(r.Limit(limits)) > 0 ? (long)limits.BurstSeconds!.Value : 0)),
    ];

    /// <summary>What differs between what a disk has and what it should have: "write_bytes_sec 0 instead of 2097152".</summary>
    public static IReadOnlyList<string> Differences(IReadOnlyDictionary<string, long> has, IoLimits limits)
    {
        var wanted = Values(limits).ToDictionary(v => v.Name, v => v.Value);
        return [.. Rates.Select(r => r.Name).Concat(Sums).SelectMany(name => Parts(name).Select(part => (Part: part, Has: has.GetValueOrDefault(part), Wanted: wanted.GetValueOrDefault(part))))
            .Where(p => p.Has != p.Wanted).Select(p => $"{p.Part} {p.Has} instead of {p.Wanted}")];

        // The length of a burst means nothing where there is none; QEMU says 1 then.
        IEnumerable<string> Parts(string name) => has.GetValueOrDefault(name + "_max") == 0 && wanted.GetValueOrDefault(name + "_max") == 0 ? [name] : [name, name + "_max", name + "_max_length"];
    }

    /// <summary>What the disk has: the running one is asked of QEMU itself, so that nothing done behind libvirt's back is missed.</summary>
    public static IReadOnlyDictionary<string, long> Read(DomainHandle domain, string device, uint flags)
    {
        var count = 0;
        if (Native.virDomainGetBlockIoTune(domain, device, 0, ref count, flags) < 0) throw LibvirtException.Last("reading the limits of a disk");
        var memory = Marshal.AllocHGlobal(count * TypedParameters.Bytes);
        try
        {
            if (Native.virDomainGetBlockIoTune(domain, device, memory, ref count, flags) < 0) throw LibvirtException.Last("reading the limits of a disk");
            var values = TypedParameters.Read(memory, count);
            Native.virTypedParamsClear(memory, count);
            return values;
        }
        finally
        {
            Marshal.FreeHGlobal(memory);
        }
    }

    public static void Set(DomainHandle domain, string device, IoLimits limits, uint flags)
    {
        nint parameters = 0;
        var (count, capacity) = (0, 0);
        try
        {
            // All of them, zeros too: what is not named keeps its value, and a length without its burst is refused.
            foreach (var (name, value) in Sums.Select(s => (s, 0L)).Concat(Values(limits)))
                if (Native.virTypedParamsAddULLong(ref parameters, ref count, ref capacity, name, (ulong)value) < 0) throw LibvirtException.Last("naming the limits of a disk");
            if (Native.virDomainSetBlockIoTune(domain, device, parameters, count, flags) < 0) throw LibvirtException.Last("setting the limits of a disk");
        }
        finally
        {
            Native.virTypedParamsFree(parameters, count);
        }
    }
}
