using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence.Auditing;

namespace Plinth.Web.Workers;

/// <summary>Gives new audit entries their place in the tree and signs a checkpoint over them.</summary>
internal sealed class AuditSequencing(AuditSequencer sequencer, Signals signals, ILeadership leadership, TimeProvider time, ILogger<AuditSequencing> log) : Worker(time, log, leadership)
{
    // A checkpoint per wake: seconds between them bound what a break-in could rewrite unseen, and the table's growth.
    protected override TimeSpan Every => TimeSpan.FromSeconds(5);
    protected override Signal Signal => signals.Audit;

    public override Task Pass(CancellationToken stop) => sequencer.Advance(stop);
}
