using Plinth.Web.Application;
using Plinth.Web.Application.Agents;
using Plinth.Web.Application.Servers;

namespace Plinth.Web.Workers;

/// <summary>Drives the replacement of agents, host after host. Everything it knows stands in the database: a server that takes over goes on with it.</summary>
internal sealed class AgentRolling(AgentRoller roller, Signals signals, ILeadership leadership, TimeProvider time, ILogger<AgentRolling> log) : Worker(time, log, leadership)
{
    // Deadlines are minutes; what agents say is seen a second later at most.
    protected override TimeSpan Every => TimeSpan.FromSeconds(1);

    protected override Signal Signal => signals.Agents;

    public override Task Pass(CancellationToken stop) => roller.Pass(stop);
}
