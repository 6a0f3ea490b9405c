using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Persistence.Metrics;

public enum MetricSubjectKind { Host = 1, Vm = 2 }

/// <summary>Whose metrics.</summary>
public readonly record struct MetricSubject(MetricSubjectKind Kind, Guid Id)
{
    public static MetricSubject Of(HostId host) => new(MetricSubjectKind.Host, host.Value);
    public static MetricSubject Of(VmId vm) => new(MetricSubjectKind.Vm, vm.Value);
}

/// <summary>Which of a host's numbers; the position in <see cref="MetricSample.Values"/>.</summary>
public enum HostMetric { CpuPercent, MemoryUsedMib, MemoryTotalMib, DiskUsedMib, DiskTotalMib, Load1, CpuPressurePercent }

/// <summary>Which of a VM's numbers; the position in <see cref="MetricSample.Values"/>.</summary>
public enum VmMetric { CpuPercent, StealPercent, MemoryUsedMib, DiskReadBytesPerSecond, DiskWriteBytesPerSecond, NetReceiveBytesPerSecond, NetTransmitBytesPerSecond }

/// <summary>All numbers of one subject at one moment.</summary>
public readonly record struct MetricSample(MetricSubject Subject, DateTimeOffset At, double[] Values)
{
    public const int Width = 7;

    public static MetricSample Of(HostId host, DateTimeOffset at, HostSample s) => new(
        MetricSubject.Of(host), at, [s.CpuPercent, s.MemoryUsedMib, s.MemoryTotalMib, s.DiskUsedMib, s.DiskTotalMib, s.Load1, s.CpuPressurePercent]);

    public static MetricSample Of(DateTimeOffset at, VmSample s) => new(
        MetricSubject.Of(s.Vm), at,
        [s.CpuPercent, s.StealPercent, s.MemoryUsedMib, s.DiskReadBytesPerSecond, s.DiskWriteBytesPerSecond, s.NetReceiveBytesPerSecond, s.NetTransmitBytesPerSecond]);
}

/// <summary>Evenly spaced means of one subject. <c>Values[metric][i]</c> belongs to <see cref="From"/> + i · step; null where nothing was measured.</summary>
/// <param name="NewestAt">Of the newest sample in the window; null when there is none.</param>
public sealed record MetricWindow(DateTimeOffset From, int StepSeconds, double?[][] Values, DateTimeOffset? NewestAt)
{
    public double?[] this[HostMetric metric] => Values[(int)metric];
    public double?[] this[VmMetric metric] => Values[(int)metric];
}

/// <summary>What became of samples since the start, for <c>/metrics</c>.</summary>
/// <param name="Refused">Not a number, negative time, from the future or older than the raw samples are kept.</param>
/// <param name="Dropped">The queue was full: detail is lost, the count is not.</param>
public readonly record struct MetricCounts(long Stored, long Repeated, long Refused, long Dropped);

/// <summary>
/// The metrics, in a database of their own, so that ingestion never stalls a commit: samples as they came for an hour, means by
/// minute for 35 days.
/// </summary>
public interface IMetricsStore
{
    /// <summary>
    /// Takes samples and returns at once; they are written in batches, about every two seconds. The same subject and time again
    /// changes nothing. <see cref="MetricSample.At"/> is on the console's clock.
    /// </summary>
    void Append(IReadOnlyList<MetricSample> samples);

    /// <summary>The last <paramref name="range"/>: every 10 s up to an hour, otherwise whole minutes, at most 400 values per metric.</summary>
    Task<MetricWindow> Read(MetricSubject subject, TimeSpan range, CancellationToken stop);

    /// <summary>Makes the minutes that are over, and forgets what is past its time. Run every minute.</summary>
    Task RollUp(CancellationToken stop);

    /// <summary>Returns when everything appended so far is stored.</summary>
    Task Flush(CancellationToken stop);

    /// <summary>The end of the newest minute that <see cref="RollUp"/> has made; null before its first run.</summary>
    Task<DateTimeOffset?> CondensedUntil(CancellationToken stop);

    MetricCounts Counts { get; }
}
