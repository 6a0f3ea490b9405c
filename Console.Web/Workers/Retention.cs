using Microsoft.EntityFrameworkCore;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Workers;

/// <summary>Removes what has served its time: answers to idempotency keys, ended commands, decisions about VMs long gone, superseded change-log entries, sessions that are over.</summary>
internal sealed class Retention(IConsoleStore store, ILeadership leadership, TimeProvider time, ILogger<Retention> log) : Worker(time, log, leadership)
{
    private readonly TimeProvider _time = time;

    // An agent may answer late by the length of a lost connection; a day is far beyond every command's deadline.
    private static readonly TimeSpan KeepCommands = TimeSpan.FromDays(1);
    private static readonly TimeSpan KeepChangeLog = TimeSpan.FromDays(90);
    // A decision holds a line for every host of the fleet: about 50 KB at 200 hosts.
    private static readonly TimeSpan KeepDecisionsOfDeleted = TimeSpan.FromDays(30);

    // The ledger has who signed in when, for good.
    private static readonly TimeSpan KeepSessions = TimeSpan.FromDays(30);

    protected override TimeSpan Every => TimeSpan.FromHours(1);

    public override async Task Pass(CancellationToken stop)
    {
        var now = _time.GetUtcNow();
        var (keys, commands) = (now - Idempotency.Kept, now - KeepCommands);
        await store.Write(scope => scope.Db.IdempotencyKeys.Where(k => k.CreatedAt < keys).ExecuteDeleteAsync(stop), stop);
        await store.Write(scope => scope.Db.Commands.Where(c => c.State != CommandState.Pending && c.EndedAt < commands).ExecuteDeleteAsync(stop), stop);
        var decisions = now - KeepDecisionsOfDeleted;
        await store.Write(scope => scope.Db.Decisions.Where(d => scope.Db.Vms.Any(v => v.Id == d.Vm && v.DeletedAt != null && v.DeletedAt < decisions)).ExecuteDeleteAsync(stop), stop);
        var sessions = now - KeepSessions;
        await store.Write(scope => scope.Db.Sessions.Where(s => s.ExpiresAt < sessions || s.EndedAt < sessions).ExecuteDeleteAsync(stop), stop);
        await ChangeLogRetention.Prune(store, now - KeepChangeLog, stop);
    }
}
