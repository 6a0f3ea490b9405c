using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Operations;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Agents;

/// <summary>Moves on the roll that is under way: reads the hosts, asks <see cref="AgentRolls"/>, stores what it says, and tells at most one agent.</summary>
internal sealed class AgentRoller(IConsoleStore store, AgentSightings sightings, Lazy<IAgentGateway> gateway)
{
    public async Task Pass(CancellationToken stop)
    {
        List<OperationId> underWay;
        await using (var db = store.Read())
            underWay = await db.Operations.OfAgents().UnderWay().Select(o => o.Id).ToListAsync(stop);
        foreach (var id in underWay)
            await store.Write(async scope =>
            {
                await Advance(scope, id, stop);
                return Done.Value;
            }, stop);
    }

    private async Task Advance(WriteScope scope, OperationId id, CancellationToken stop)
    {
        var operation = await scope.Db.Operations.SingleAsync(o => o.Id == id, stop);
        if (OperationLifecycle.IsFinished(operation.State)) return;
        var row = await scope.Db.AgentRolls.SingleAsync(r => r.Operation == id, stop);
        var hosts = (await sightings.Read(scope.Db, stop)).ToDictionary(h => h.Host);
        var commands = await scope.Db.Commands.Where(c => c.Operation == id && c.State != CommandState.Pending).ToDictionaryAsync(c => c.Id, stop);
        var step = AgentRolls.Next(
            row.Roll, operation.State == OperationState.Cancelling, hosts.GetValueOrDefault,
            command => commands.TryGetValue(command, out var c) ? new CommandOutcome(c.State == CommandState.Succeeded, c.Result, c.EndedAt ?? scope.Now) : null,
            CommandId.New(scope.Now), scope.Now);
        if (step.Tell is { } tell) Send(scope, id, row.Roll, tell);
        foreach (var (before, after) in row.Roll.Hosts.Zip(step.Roll.Hosts).Where(h => h.Second.Ended && !h.First.Ended)) Note(scope, operation, before, after);
        row.Roll = step.Roll;
        MachineRows.Take(operation, AgentRolls.Tell(MachineRows.Record(operation), step, scope.Now), 0);
    }

    private void Send(WriteScope scope, OperationId operation, AgentRoll roll, AgentRollHost host)
    {
        var command = new CommandRow
        {
            Id = host.Command!.Value, Host = host.Host, Operation = operation, CreatedAt = scope.Now, Deadline = scope.Now + AgentRolls.FetchWithin,
            Body = roll.Back ? new RevertAgent(host.To) : new UpgradeAgent(host.To, roll.Digest, roll.SizeBytes),
        };
        scope.Db.Commands.Add(command);
        // The hub puts in the epoch of the session that carries it.
        scope.AfterCommit(() => _ = gateway.Value.Send(command.Host, new Command(Epoch.None, command.Id, command.Deadline, command.Body), CancellationToken.None));
    }

    private static void Note(WriteScope scope, OperationRow operation, AgentRollHost before, AgentRollHost after)
    {
        if (after.State == AgentRollState.LeftOut) return;
        scope.Audit(Principal.System, null, "host.agent-replaced", $"host/{after.Host}", null, after.State == AgentRollState.Done ? AuditOutcomes.Done : AuditOutcomes.Refused,
            $"{after.Name}: {before.From} -> {before.To}, {after.Detail}; asked for by {operation.StartedBy}");
    }
}
