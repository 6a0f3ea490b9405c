using Plinth.Web.Persistence.Metrics;

namespace Plinth.Web.Workers;

/// <summary>Makes the metrics' minutes that are over and forgets what is past its time.</summary>
internal sealed class MetricsUpkeep(IMetricsStore metrics, TimeProvider time, ILogger<MetricsUpkeep> log) : Worker(time, log)
{
    protected override TimeSpan Every => TimeSpan.FromMinutes(1);

    public override Task Pass(CancellationToken stop) => metrics.RollUp(stop);
}
