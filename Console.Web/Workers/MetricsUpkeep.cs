using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence.Metrics;

namespace Plinth.Web.Workers;

/// <summary>Makes the metrics' minutes that are over and forgets what is past its time.</summary>
internal sealed class MetricsUpkeep(IMetricsStore metrics, ILeadership leadership, TimeProvider time, ILogger<MetricsUpkeep> log) : Worker(time, log, leadership)
{
    protected override TimeSpan Every => TimeSpan.FromMinutes(1);

    public override Task Pass(CancellationToken stop) => metrics.RollUp(stop);
}
