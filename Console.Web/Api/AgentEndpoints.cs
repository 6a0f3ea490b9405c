using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Security;

namespace Plinth.Web.Api;

internal static class AgentEndpoints
{
    public static void Map(RouteGroupBuilder api)
    {
        var agents = api.MapGroup("/agents").WithTags("Agents");

        agents.MapGet("", async (HttpContext http, IAgentUpgrades use) =>
                Answers.Ok(await use.Fleet(http.Caller(), http.RequestAborted)))
            .Needs(Permissions.HostRead).Describe<AgentFleetView>("List agents", "The version that this server hands out, the version of every host's agent, and the newest replacement. Always whole.");

        agents.MapPost("/upgrade", async (HttpContext http, IAgentUpgrades use, JsonBody<ReplaceAgents> body) =>
                Answers.Accepted(http, await use.Upgrade(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.HostManage).Describe<OperationView>("Upgrade agents", "One host after the other, the one with the fewest VMs first; halts at the first that fails. Each keeps the version it came from, and goes on with it where the new one fails. Guests run on. hosts: names or ids; without it all that can be taken there.", StatusCodes.Status202Accepted);

        agents.MapPost("/revert", async (HttpContext http, IAgentUpgrades use, JsonBody<ReplaceAgents> body) =>
                Answers.Accepted(http, await use.Revert(http.Caller(), body.Value, Inputs.IdempotencyKey(http), http.RequestAborted)))
            .Needs(Permissions.HostManage).Describe<OperationView>("Take agents back", "To the previous version, which each host has kept; in the same way as an upgrade.", StatusCodes.Status202Accepted);
    }
}
