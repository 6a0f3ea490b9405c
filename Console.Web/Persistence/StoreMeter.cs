using System.Diagnostics.Metrics;
using Plinth.Web.Persistence.Metrics;

namespace Plinth.Web.Persistence;

/// <summary>How the store does, for <c>/metrics</c>: how many writes share a commit, how long it holds the lock, what became of samples.</summary>
internal sealed class StoreMeter : IDisposable
{
    private readonly Meter _meter = new("Plinth");
    private readonly Counter<long> _writes;
    private readonly Histogram<double> _commits;

    public StoreMeter()
    {
        _writes = _meter.CreateCounter<long>("plinth.store.writes", "{write}", "Writes asked for, by outcome.");
        _commits = _meter.CreateHistogram<double>("plinth.store.commit.duration", "s", "From the beginning of a transaction to its durable end; many writes share one.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] });
    }

    public void Committed(int done, int failed, TimeSpan took)
    {
        _writes.Add(done, new KeyValuePair<string, object?>("outcome", "done"));
        if (failed > 0) _writes.Add(failed, new KeyValuePair<string, object?>("outcome", "failed"));
        _commits.Record(took.TotalSeconds);
    }

    public void Watch(IMetricsStore metrics) => _meter.CreateObservableCounter("plinth.metrics.samples", () => Samples(metrics.Counts), "{sample}", "Telemetry samples taken in, by outcome.");

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Samples(MetricCounts counts) =>
    [
        new(counts.Stored, new KeyValuePair<string, object?>("outcome", "stored")),
        new(counts.Repeated, new KeyValuePair<string, object?>("outcome", "repeated")),
        new(counts.Refused, new KeyValuePair<string, object?>("outcome", "refused")),
        new(counts.Dropped, new KeyValuePair<string, object?>("outcome", "dropped")),
    ];
}
