using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Agents;

/// <summary>The agents of the fleet as they are known now.</summary>
internal sealed class AgentSightings(LiveHosts live, Lazy<IAgentGateway> gateway, ILeadership leadership)
{
    /// <summary>Of all hosts that have not left, by name.</summary>
    public async Task<IReadOnlyList<AgentSighting>> Read(ConsoleDb db, CancellationToken stop)
    {
        var hosts = await db.Hosts.Where(h => h.State != HostState.Retired).OrderBy(h => h.Name)
            .Select(h => new { h.Id, h.Name, h.State, h.Simulated, h.Connected, h.Facts, h.Executable, h.Facilities }).ToListAsync(stop);
        var vms = await db.Vms.Where(v => v.Host != null && v.DeletedAt == null).GroupBy(v => v.Host!.Value).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop);
        return
        [
            .. hosts.Select(h => new AgentSighting(
                h.Id, h.Name, h.State, h.Simulated, leadership.HasSession(gateway.Value, h.Id, h.Connected), live.Find(h.Id)?.Host is not null,
                h.Facts?.AgentVersion, h.Executable, [.. h.Facilities.Where(f => !f.Ready)], vms.GetValueOrDefault(h.Id))),
        ];
    }
}
