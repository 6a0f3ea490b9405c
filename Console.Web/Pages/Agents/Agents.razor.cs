using Microsoft.AspNetCore.Components;
using Plinth.Web.Application;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Agents;

public partial class Agents
{
    [Inject] public required IAgents Joining { get; set; }
    [Inject] public required IAgentUpgrades Upgrades { get; set; }
    [Inject] public required IOperations Work { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    protected override AgentsView Open(Caller caller) => new(Joining, Upgrades, Work, Feed, Time, caller);
}
