using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Leading;

/// <summary>What a server knows of the others after a look at the database.</summary>
/// <param name="Servers">All that have been heard lately, this one among them.</param>
/// <param name="At">The database's clock at the look.</param>
public sealed record LeaseLook(LeaseDecision Decision, IReadOnlyList<ServerRow> Servers, DateTimeOffset At);

/// <summary>The leader's lease and the list of servers, as rows. Looks and takes happen behind the store's write lock, as every fenced write does.</summary>
public sealed class Leases(IConsoleStore store)
{
    /// <summary>A server that was silent for so long is forgotten.</summary>
    public static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    /// <summary>A sign of life of this server, and the lease taken or renewed where it may be.</summary>
    /// <param name="held">The epoch that this process leads under; <see cref="Epoch.None"/> when it does not.</param>
    public Task<LeaseLook> Attempt(ServerRow self, Epoch held, CancellationToken stop) => store.Write(async scope =>
    {
        var now = await Now(scope.Db, scope.Now, stop);
        var row = await Row(scope.Db, stop);
        var decision = Leadership.Decide(Lease(row), self.Id, held, now);
        var servers = await scope.Db.Servers.ToListAsync(stop);
        if (decision.Verdict == LeaseVerdict.Taken) await Begin(scope, row, decision.Lease, servers, self);
        if (decision.Verdict != LeaseVerdict.Follows) Take(scope.Db, row, decision.Lease);
        if (servers.FirstOrDefault(s => s.Id == self.Id) is not { } mine) scope.Db.Servers.Add(mine = new ServerRow { Id = self.Id, Name = "", PortalUrl = "", HubUrl = "", ProductVersion = "" });
        else servers.Remove(mine);
        (mine.Name, mine.PortalUrl, mine.HubUrl, mine.ProductVersion, mine.StartedAt, mine.SeenAt) = (self.Name, self.PortalUrl, self.HubUrl, self.ProductVersion, self.StartedAt, now);
        (mine.ImagesHeld, mine.ImagesLacking, mine.ImagesReason) = (self.ImagesHeld, self.ImagesLacking, self.ImagesReason);
        foreach (var gone in servers.Where(s => now - s.SeenAt > Forgotten).ToArray())
        {
            scope.Db.Servers.Remove(gone);
            servers.Remove(gone);
        }
        return new LeaseLook(decision, [.. servers.Append(mine).OrderBy(s => s.Name, StringComparer.Ordinal).ThenBy(s => s.Id.Value)], now);
    }, stop);

    /// <summary>An orderly end: the lease is free at once, and the server is no longer missed.</summary>
    public Task Leave(ServerId self, Epoch held, CancellationToken stop) => store.Write(async scope =>
    {
        if (await Row(scope.Db, stop) is { } row) Take(scope.Db, row, Leadership.Release(Lease(row)!, self, held, await Now(scope.Db, scope.Now, stop)));
        if (await scope.Db.Servers.SingleOrDefaultAsync(s => s.Id == self, stop) is { } mine) scope.Db.Servers.Remove(mine);
        return Done.Value;
    }, stop);

    /// <summary>The lease and the servers as they are.</summary>
    public async Task<(LeaderLease? Lease, IReadOnlyList<ServerRow> Servers, DateTimeOffset At)> Look(DateTimeOffset clock, CancellationToken stop)
    {
        await using var db = store.Read();
        return (Lease(await Row(db, stop)), await db.Servers.OrderBy(s => s.Name).ThenBy(s => s.Id).ToListAsync(stop), await Now(db, clock, stop));
    }

    /// <summary>To be called behind the write lock, in the transaction of what is to be guarded.</summary>
    /// <exception cref="TermOverException">The epoch is not the lease's any more.</exception>
    internal static async Task Fence(ConsoleDb db, Epoch epoch)
    {
        if (Leadership.Fence(epoch, Lease(await db.WorkerLeases.AsNoTracking().SingleOrDefaultAsync(l => l.Name == WorkerLeaseRow.Leader))) is { } refusal) throw new TermOverException(refusal.Message);
    }

    // Sessions end with the server that held them: its hosts begin new ones here.
    private static async Task Begin(WriteScope scope, WorkerLeaseRow? former, LeaderLease lease, List<ServerRow> servers, ServerRow self)
    {
        foreach (var host in await scope.Db.Hosts.Where(h => h.Connected).ToListAsync()) host.Connected = false;
        if (former is null || former.Holder == self.Id) return;
        var before = servers.FirstOrDefault(s => s.Id == former.Holder);
        var silent = before is null ? $"Server {former.Holder} has stopped" : $"{before.Name} was last heard {(lease.Since - before.SeenAt).TotalSeconds:0} s ago";
        scope.Audit(Principal.System, null, "server.lead", $"server/{self.Id}", null, AuditOutcomes.Done, $"{self.Name} leads from now on, in epoch {lease.Epoch}. {silent}.");
    }

    private static Task<WorkerLeaseRow?> Row(ConsoleDb db, CancellationToken stop) => db.WorkerLeases.SingleOrDefaultAsync(l => l.Name == WorkerLeaseRow.Leader, stop);

    private static LeaderLease? Lease(WorkerLeaseRow? row) => row is null ? null : new LeaderLease(row.Holder, row.Epoch, row.Since, row.Until);

    private static void Take(ConsoleDb db, WorkerLeaseRow? row, LeaderLease lease)
    {
        if (row is null) db.WorkerLeases.Add(row = new WorkerLeaseRow { Name = WorkerLeaseRow.Leader });
        (row.Holder, row.Epoch, row.Since, row.Until) = (lease.Holder, lease.Epoch, lease.Since, lease.Until);
    }

    /// <summary>On PostgreSQL its own clock, in whole milliseconds: servers' clocks differ.</summary>
    private static async Task<DateTimeOffset> Now(ConsoleDb db, DateTimeOffset clock, CancellationToken stop) => db.Database.IsNpgsql()
        ? DateTimeOffset.FromUnixTimeMilliseconds((await db.Database.SqlQuery<long>($"SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS \"Value\"").ToListAsync(stop))[0])
        : clock;
}
