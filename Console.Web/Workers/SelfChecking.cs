using Plinth.Web.Application.Upkeep;

namespace Plinth.Web.Workers;

/// <summary>Has the console look at itself.</summary>
internal sealed class SelfChecking(SelfChecks checks, TimeProvider time, ILogger<SelfChecking> log) : Worker(time, log, leadership: null)
{
    protected override TimeSpan Every => TimeSpan.FromMinutes(1);

    public override Task Pass(CancellationToken stop) => checks.Run(stop);
}
