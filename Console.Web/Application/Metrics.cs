using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Persistence.Metrics;

namespace Plinth.Web.Application;

/// <summary>Takes telemetry into the metrics.</summary>
internal sealed class MetricWriter(IMetricsStore store)
{
    // Batches held up by a lost connection keep their time; a clock that is further off than that is not believed.
    private static readonly TimeSpan OldestBatch = TimeSpan.FromMinutes(10), ClockDrift = TimeSpan.FromSeconds(10);

    public Task Write(HostId host, TelemetryBatch batch, DateTimeOffset now, CancellationToken stop)
    {
        var sent = batch.Host.At;
        var at = sent > now + ClockDrift || sent < now - OldestBatch ? now : sent;
        store.Append([MetricSample.Of(host, at, batch.Host), .. batch.Machines.Select(m => MetricSample.Of(at, m))]);
        return Task.CompletedTask;
    }
}

/// <summary>Gives charts their series.</summary>
internal sealed class MetricReader(IMetricsStore store)
{
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1), Most = TimeSpan.FromDays(35);

    private const string Percent = "%", Mebibytes = "MiB", BytesPerSecond = "B/s";

    public async Task<Result<IReadOnlyList<SeriesView>>> Vm(VmId vm, TimeSpan range, CancellationToken stop)
    {
        if (OutOfRange(range) is { } no) return no;
        var window = await store.Read(MetricSubject.Of(vm), range, stop);
        return Result<IReadOnlyList<SeriesView>>.Ok(
        [
            Series("cpu", Percent, window, window[VmMetric.CpuPercent]),
            Series("steal", Percent, window, window[VmMetric.StealPercent]),
            Series("memory", Mebibytes, window, window[VmMetric.MemoryUsedMib]),
            Series("disk-read", BytesPerSecond, window, window[VmMetric.DiskReadBytesPerSecond]),
            Series("disk-write", BytesPerSecond, window, window[VmMetric.DiskWriteBytesPerSecond]),
            Series("net-receive", BytesPerSecond, window, window[VmMetric.NetReceiveBytesPerSecond]),
            Series("net-transmit", BytesPerSecond, window, window[VmMetric.NetTransmitBytesPerSecond]),
        ]);
    }

    public async Task<Result<IReadOnlyList<SeriesView>>> Host(HostId host, TimeSpan range, CancellationToken stop)
    {
        if (OutOfRange(range) is { } no) return no;
        var window = await store.Read(MetricSubject.Of(host), range, stop);
        return Result<IReadOnlyList<SeriesView>>.Ok(
        [
            Series("cpu", Percent, window, window[HostMetric.CpuPercent]),
            Series("memory", Mebibytes, window, window[HostMetric.MemoryUsedMib]),
            Series("disk", Mebibytes, window, window[HostMetric.DiskUsedMib]),
            Series("load", "", window, window[HostMetric.Load1]),
        ]);
    }

    private static Refusal? OutOfRange(TimeSpan range) => range >= Least && range <= Most
        ? null
        : Refusal.Invalid("range", "out_of_range", $"The range is from 1 minute to {Most.TotalDays:0} days: metrics are kept that long.");

    private static SeriesView Series(string name, string unit, MetricWindow window, double?[] values) => new(name, unit, window.From, window.StepSeconds, values, window.NewestAt);
}
