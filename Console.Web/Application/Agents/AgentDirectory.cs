using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Machines;
using Plinth.Web.Live;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Agents;

/// <inheritdoc cref="IAgentDirectory"/>
internal sealed class AgentDirectory(IConsoleStore store, LiveHosts live, ReportReader reports, DesiredStateReader desired, MachineWriter machines, MetricWriter metrics, IChangeFeed feed, TimeProvider time) : IAgentDirectory
{
    public async Task<ServerMessage> Hello(HostId host, Hello hello, CancellationToken stop)
    {
        var answer = await store.Write<ServerMessage>(async scope =>
        {
            if (await scope.Db.Hosts.SingleOrDefaultAsync(h => h.Id == host, stop) is not { } row)
                return new Refused("host_unknown", "This console does not know the host; it may have been restored from an older backup. Join the host anew with a fresh token.");
            var decision = Admission.Decide(hello, new HostSessionRecord(row.State, row.Epoch, row.Generation), scope.Now);
            if (decision.Quarantine) Quarantine(scope, row, hello, (Refused)decision.Answer);
            if (decision.Admitted)
            {
                (row.Epoch, row.Connected, row.BootId, row.Executable) = (decision.Record.Epoch, true, hello.BootId, hello.Executable);
                // The facts that come with the first report say the same, seconds later.
                if (row.Facts is { } facts && facts.AgentVersion != hello.AgentVersion) row.Facts = facts with { AgentVersion = hello.AgentVersion };
            }
            return decision.Answer;
        }, stop);
        if (answer is Welcome welcome) live[host].Begin(welcome.Epoch);
        return answer;
    }

    public Task<DesiredHostState> Desired(HostId host, CancellationToken stop) => desired.Read(host, stop);

    public async Task<IReadOnlyList<Command>> PendingCommands(HostId host, Epoch epoch, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        await using var db = store.Read();
        var rows = await db.Commands.Where(c => c.Host == host && c.State == CommandState.Pending && c.Deadline > now).OrderBy(c => c.CreatedAt).ToListAsync(stop);
        return [.. rows.Select(c => new Command(epoch, c.Id, c.Deadline, c.Body))];
    }

    public async Task Report(HostId host, Report report, CancellationToken stop)
    {
        var memory = await InForce(host, report.Epoch, stop);
        (memory.ReportedAt, memory.Free) = (time.GetUtcNow(), report.State.Free);
        await reports.Read(host, memory, report.State, stop);
    }

    public async Task Telemetry(HostId host, TelemetryBatch batch, CancellationToken stop)
    {
        var memory = await InForce(host, batch.Epoch, stop);
        if (batch.Sequence <= memory.TelemetrySequence) return;
        (memory.TelemetrySequence, memory.Sample) = (batch.Sequence, batch.Host);
        await metrics.Write(host, batch, time.GetUtcNow(), stop);
        feed.Publish([new Change("host-sample", host.Value, null, 0), .. batch.Machines.Select(m => new Change("vm-sample", m.Vm.Value, null, 0))]);
    }

    public async Task CommandResult(HostId host, CommandResult result, CancellationToken stop)
    {
        await InForce(host, result.Epoch, stop);
        await store.Write(async scope =>
        {
            // Delivered again, or expired meanwhile: the first outcome stands.
            if (await scope.Db.Commands.SingleOrDefaultAsync(c => c.Id == result.Command && c.Host == host, stop) is not { State: CommandState.Pending } command) return Done.Value;
            (command.State, command.Result, command.EndedAt) = (result.Succeeded ? CommandState.Succeeded : CommandState.Failed, result.Message, scope.Now);
            if (command.Vm is { } id && await scope.Db.Vms.SingleOrDefaultAsync(v => v.Id == id, stop) is { } vm && vm.Operation == command.Operation) await machines.Advance(scope, vm);
            return Done.Value;
        }, stop);
    }

    public async Task Disconnected(HostId host, Epoch epoch, CancellationToken stop)
    {
        var memory = await InForce(host, epoch, stop);
        memory.Connected = false;
        await store.Write(async scope =>
        {
            if (await scope.Db.Hosts.SingleOrDefaultAsync(h => h.Id == host && h.Epoch == epoch, stop) is { } row) row.Connected = false;
            return Done.Value;
        }, stop);
    }

    // The memory of a host whose session this is; after a restart of the console, the row says which session is in force.
    private async Task<LiveHost> InForce(HostId host, Epoch epoch, CancellationToken stop)
    {
        var memory = live[host];
        var current = memory.Epoch;
        if (current == Epoch.None)
        {
            await using var db = store.Read();
            current = await db.Hosts.Where(h => h.Id == host).Select(h => h.Epoch).SingleOrDefaultAsync(stop);
        }
        return epoch == current ? memory : throw new StaleEpochException(host, epoch, current);
    }

    private static void Quarantine(WriteScope scope, HostRow row, Hello hello, Refused refused)
    {
        // What the agent has seen is kept for Adopt. Raising an epoch harms nothing: it only fences.
        if (hello.LastEpoch > row.Epoch) row.Epoch = hello.LastEpoch;
        row.AcceptedGeneration = hello.LastGeneration;
        (row.Connected, row.StateReason) = (false, refused.Message);
        if (row.State == HostState.Quarantined) return;
        row.State = HostLifecycle.Next(row.State, HostEvent.RefusedByProtocol).Value;
        scope.Audit(new Principal(PrincipalKind.Agent, row.Id.ToString(), row.Name), null, "host.quarantine", $"host/{row.Id}", null, AuditOutcomes.Refused, refused.Message);
    }
}
