using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Operations;
using Plinth.Web.Application.Servers;
using Plinth.Web.Application.Volumes;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Workers;

/// <summary>
/// Drives what no report drives: deadlines of steps and commands. Its first pass after a start reads every unfinished operation
/// anew, so that whatever a killed console left half-told is told.
/// </summary>
internal sealed class OperationDriver(IConsoleStore store, MachineWriter machines, VolumeWriter volumes, LiveHosts live, ILeadership leadership, TimeProvider time, ILogger<OperationDriver> log) : Worker(time, log, leadership)
{
    private readonly TimeProvider _time = time;
    private bool _all = true;

    // Deadlines are minutes; a second more or less tells nobody anything.
    protected override TimeSpan Every => TimeSpan.FromSeconds(1);

    protected override void Begin() => _all = true;

    public override async Task Pass(CancellationToken stop)
    {
        var now = _time.GetUtcNow();
        List<(OperationId Operation, VmId? Vm, VolumeId? Volume, HostId? Host, DateTimeOffset? Deadline)> unfinished;
        List<CommandId> expired;
        await using (var db = store.Read())
        {
            unfinished = [.. (await db.Operations
                .UnderWay().Where(o => o.Vm != null || o.Volume != null)
                .Select(o => new { o.Id, o.Vm, o.Volume, o.Host, o.Deadline }).ToListAsync(stop))
                .Select(o => (o.Id, o.Vm, o.Volume, o.Host, o.Deadline))];
            expired = await db.Commands.Where(c => c.State == CommandState.Pending && c.Deadline < now).Select(c => c.Id).ToListAsync(stop);
        }
        foreach (var id in expired) await Expire(id, stop);
        foreach (var operation in unfinished)
        {
            // What waits looks at each report in full, whatever was remembered before.
            if (operation is { Host: { } host, Volume: null }) live.Forget(host, operation.Vm!.Value);
            if (!_all && !(operation.Deadline < now)) continue;
            if (operation.Volume is { } volume) await Advance(operation.Operation, volume, stop);
            else await Advance(operation.Operation, operation.Vm!.Value, stop);
        }
        _all = false;
    }

    private Task Advance(OperationId operation, VmId id, CancellationToken stop) => store.Write(async scope =>
    {
        if (await scope.Db.Vms.SingleOrDefaultAsync(v => v.Id == id, stop) is { } vm && vm.Operation == operation) await machines.Advance(scope, vm);
        return Done.Value;
    }, stop);

    private Task Advance(OperationId operation, VolumeId id, CancellationToken stop) => store.Write(async scope =>
    {
        if (await scope.Db.Volumes.SingleOrDefaultAsync(v => v.Id == id, stop) is { } volume && volume.Operation == operation) await volumes.Advance(scope, volume);
        return Done.Value;
    }, stop);

    private Task Expire(CommandId id, CancellationToken stop) => store.Write(async scope =>
    {
        if (await scope.Db.Commands.SingleAsync(c => c.Id == id, stop) is not { State: CommandState.Pending } command) return Done.Value;
        (command.State, command.EndedAt) = (CommandState.Expired, scope.Now);
        command.Result = $"The host's agent did not answer within {(command.Deadline - command.CreatedAt).TotalSeconds:0} s, so this was given up. Check that the agent is connected, then ask again.";
        if (command.Vm is { } of && await scope.Db.Vms.SingleOrDefaultAsync(v => v.Id == of, stop) is { } vm && vm.Operation == command.Operation) await machines.Advance(scope, vm);
        return Done.Value;
    }, stop);
}
