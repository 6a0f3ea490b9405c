using Plinth.Web.Application;
using Plinth.Web.Application.Placement;
using Plinth.Web.Application.Servers;

namespace Plinth.Web.Workers;

/// <summary>Gives waiting VMs a place: at once when one is asked for or room appears, and every few seconds in case a signal was lost in a restart.</summary>
internal sealed class PlacementWorker(Placer placer, Signals signals, ILeadership leadership, TimeProvider time, ILogger<PlacementWorker> log) : Worker(time, log, leadership)
{
    protected override TimeSpan Every => TimeSpan.FromSeconds(5);
    protected override Signal Signal => signals.Placement;

    public override Task Pass(CancellationToken stop) => placer.Pass(stop);
}
