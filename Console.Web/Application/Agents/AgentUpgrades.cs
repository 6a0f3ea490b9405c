using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Operations;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Agents;

/// <inheritdoc cref="IAgentUpgrades"/>
internal sealed class AgentUpgrades(IConsoleStore store, AccessControl access, Mutations mutations, AgentSightings sightings, IAgentOffer offer, Signals signals) : IAgentUpgrades
{
    private const int MaxReasons = 5;

    public async Task<Result<AgentFleetView>> Fleet(Caller caller, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        var offered = await offer.Read(stop);
        await using var db = store.Read();
        var hosts = await sightings.Read(db, stop);
        var operation = await db.Operations.OfAgents().OrderByDescending(o => o.CreatedAt).ThenByDescending(o => o.Id).FirstOrDefaultAsync(stop);
        var roll = operation is null ? null : (await db.AgentRolls.SingleOrDefaultAsync(r => r.Operation == operation.Id, stop))?.Roll;
        // Once it has ended, who was not reached waits for nothing.
        var inRoll = roll?.Hosts.Where(h => h.State != AgentRollState.Waiting || !OperationLifecycle.IsFinished(operation!.State)).ToDictionary(h => h.Host) ?? [];
        return new AgentFleetView(
            offered.Succeeded ? offered.Value.Version : null, offered.Succeeded ? offered.Value.Digest : null, offered.Succeeded ? offered.Value.SizeBytes : null, offered.Succeeded ? null : offered.Reason,
            [.. hosts.Select(h => View(h, offered.Succeeded ? offered.Value : null, inRoll.GetValueOrDefault(h.Host)))],
            operation is null ? null : OperationViews.View(operation));
    }

    public async Task<Result<OperationView>> Upgrade(Caller caller, ReplaceAgents request, string? idempotencyKey, CancellationToken stop)
    {
        var offered = await offer.Read(stop);
        return await Begin(caller, "agents.upgrade", OperationKind.UpgradeAgents, request, idempotencyKey, offered.Succeeded ? null : offered.Refusals[0],
            host => AgentRolls.WhyNotTo(host, offered.Value!.Version),
            hosts => AgentRolls.Plan(hosts, _ => offered.Value!.Version, back: false, offered.Value!.Digest, offered.Value.SizeBytes), stop);
    }

    public Task<Result<OperationView>> Revert(Caller caller, ReplaceAgents request, string? idempotencyKey, CancellationToken stop) =>
        Begin(caller, "agents.revert", OperationKind.RevertAgents, request, idempotencyKey, null, AgentRolls.WhyNotBack,
            hosts => AgentRolls.Plan(hosts, h => h.Executable!.Previous!, back: true, "", 0), stop);

    private async Task<Result<OperationView>> Begin(
        Caller caller, string action, OperationKind kind, ReplaceAgents request, string? idempotencyKey, Refusal? impossible,
        Func<AgentSighting, string?> whyNot, Func<IEnumerable<AgentSighting>, AgentRoll> plan, CancellationToken stop)
    {
        var begun = await mutations.Run(caller, Permissions.HostManage, action, "agents", Idempotency.Of(caller, idempotencyKey, action, request), async m =>
        {
            if (impossible is not null) return impossible;
            if (await m.Db.Operations.OfAgents().UnderWay().FirstOrDefaultAsync(stop) is { } other)
                return Refusal.Conflict("roll_under_way", $"“{OperationSteps.Title(other.Kind)}” of {other.Target}, asked for by {other.StartedBy}, is under way: agents are replaced one after the other. Wait for it, or cancel it.");
            var all = await sightings.Read(m.Db, stop);
            var chosen = Choose(all, request, whyNot);
            if (!chosen.Succeeded) return Result<Guid>.No(chosen.Refusals);
            var roll = plan(chosen.Value!);
            m.Detail = string.Join(", ", roll.Hosts.Take(20).Select(h => $"{h.Name}: {h.From} -> {h.To}")) + (roll.Hosts.Count > 20 ? $", … ({roll.Hosts.Count} hosts)" : "");
            var record = OperationProgress.Begin(kind, m.By, Generation.None, 0, m.Now);
            var row = new OperationRow { Id = OperationId.New(m.Now), Kind = kind, Target = Target(roll), StartedBy = m.By, CreatedAt = m.Now };
            MachineRows.Take(row, record, 0);
            m.Db.Operations.Add(row);
            m.Db.AgentRolls.Add(new AgentRollRow { Operation = row.Id, Roll = roll });
            m.Target = $"operation/{row.Id}";
            m.Scope.AfterCommit(signals.Agents.Ring);
            return row.Id.Value;
        }, stop);
        if (!begun.Succeeded) return Result<OperationView>.No(begun.Refusals);
        await using var db = store.Read();
        return OperationViews.View(await db.Operations.SingleAsync(o => o.Id == new OperationId(begun.Value), stop));
    }

    /// <summary>Those that were named, where any were: each has to be fit. Otherwise all that are.</summary>
    private static Result<IReadOnlyList<AgentSighting>> Choose(IReadOnlyList<AgentSighting> all, ReplaceAgents request, Func<AgentSighting, string?> whyNot)
    {
        if (request.Hosts is not { } named)
        {
            List<AgentSighting> fit = [.. all.Where(h => whyNot(h) is null)];
            if (fit.Count > 0) return fit;
            var reasons = all.Select(h => $"{h.Name} {whyNot(h)}").ToList();
            return Refusal.Conflict("no_agent_to_replace", reasons.Count == 0
                ? "No host has joined; there is no agent to replace."
                : $"There is no agent to replace: {string.Join("; ", reasons.Take(MaxReasons))}{(reasons.Count > MaxReasons ? $"; and {reasons.Count - MaxReasons} more" : "")}.");
        }
        var refusals = new RefusalList();
        var chosen = new List<AgentSighting>();
        if (named.Count == 0) refusals.Invalid("hosts", "hosts_empty", "hosts names no host; leave it out for all that can be taken.");
        for (var i = 0; i < named.Count; i++)
        {
            var text = named[i] ?? "";
            var host = all.FirstOrDefault(h => h.Name == text || h.Host.ToString() == text);
            if (host is null) refusals.Invalid($"hosts[{i}]", "host_not_found", $"There is no host {RefusalList.Quote(text)}.");
            else if (whyNot(host) is { } reason) refusals.Invalid($"hosts[{i}]", "agent_not_replaced", $"{host.Name} {reason}.");
            else if (!chosen.Contains(host)) chosen.Add(host);
        }
        return refusals.Any ? Result<IReadOnlyList<AgentSighting>>.No(refusals.All) : chosen;
    }

    private static string Target(AgentRoll roll)
    {
        var on = roll.Hosts.Count == 1 ? roll.Hosts[0].Name : $"{roll.Hosts.Count} hosts";
        return roll.Hosts.Select(h => h.To).Distinct().ToList() is [var to] ? $"on {on} to {to}" : $"on {on}";
    }

    private static AgentView View(AgentSighting host, OfferedAgent? offered, AgentRollHost? roll) => new(
        host.Host, host.Name, host.State, host.Simulated, host.Connected, host.Version, host.Executable?.Previous, host.Executable is { OnTrial: true },
        offered is not null && host.Version is { } has && AgentRolls.Compare(has, offered.Version) is < 0 ? offered.Version : null,
        offered is null ? "nothing is handed out" : AgentRolls.WhyNotTo(host, offered.Version), AgentRolls.WhyNotBack(host),
        host.Executable?.Setback is { } setback ? $"{setback.Version} was put back: {setback.Reason}" : null, roll?.State, roll?.Detail);
}
