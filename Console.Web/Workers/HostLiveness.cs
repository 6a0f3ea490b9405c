using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Workers;

/// <summary>Stores receipts of reports now and then (placement trusts them), and marks hosts lost whose session ended and whose report is stale.</summary>
internal sealed class HostLiveness(IConsoleStore store, LiveHosts live, Lazy<IAgentGateway> gateway, ILeadership leadership, TimeProvider time, ILogger<HostLiveness> log) : Worker(time, log, leadership)
{
    private readonly TimeProvider _time = time;

    // A third of what makes a report stale, so that the stored receipt of a living host is always fresh.
    protected override TimeSpan Every => TimeSpan.FromSeconds(5);

    public override async Task Pass(CancellationToken stop)
    {
        await StoreReceipts(stop);
        var now = _time.GetUtcNow();
        List<HostId> silent;
        await using (var db = store.Read())
        {
            var ready = await db.Hosts.Where(h => h.State == HostState.Ready).Select(h => new { h.Id, h.ReportedAt }).ToListAsync(stop);
            silent = [.. ready.Where(h => !gateway.Value.IsConnected(h.Id) && Silent(h.Id, h.ReportedAt, now)).Select(h => h.Id)];
        }
        foreach (var host in silent) await Lose(host, stop);
    }

    // A console that was down itself has heard nobody: hosts get the full time from its start.
    private bool Silent(HostId host, DateTimeOffset? stored, DateTimeOffset now)
    {
        var heard = live.ReportedAt(host, stored) is { } at && at > live.Since ? at : live.Since;
        return Freshness.IsStale(heard, now);
    }

    private async Task StoreReceipts(CancellationToken stop)
    {
        var fresh = live.All.Where(h => h.Live.ReportedAt is { } at && at != h.Live.StoredReportedAt).Select(h => (h.Host, h.Live, At: h.Live.ReportedAt!.Value, h.Live.Free)).ToArray();
        if (fresh.Length == 0) return;
        await store.Write(async scope =>
        {
            var ids = fresh.Select(f => f.Host).ToArray();
            var rows = await scope.Db.Hosts.Where(h => ids.Contains(h.Id)).ToDictionaryAsync(h => h.Id, stop);
            foreach (var (host, _, at, free) in fresh)
            {
                if (!rows.TryGetValue(host, out var row)) continue;
                row.ReportedAt = at;
                if (free is { } f) row.ObservedFree = f;
            }
            return Done.Value;
        }, stop);
        foreach (var (_, memory, at, _) in fresh) memory.StoredReportedAt = at;
    }

    private Task Lose(HostId id, CancellationToken stop) => store.Write(async scope =>
    {
        var host = await scope.Db.Hosts.SingleAsync(h => h.Id == id, stop);
        if (host.State != HostState.Ready) return Done.Value;
        host.State = HostLifecycle.Next(host.State, HostEvent.SessionLost).Value;
        host.StateReason = "Its agent's session ended and it has not reported since. VMs on it may be running. Check the host and its agent.";
        (host.Connected, var vms) = (false, await scope.Db.Vms.Where(v => v.Host == id && v.DeletedAt == null).ToListAsync(stop));
        foreach (var vm in vms)
        {
            var image = await scope.Db.Images.SingleAsync(i => i.Id == vm.Image, stop);
            var operation = vm.Operation is { } current ? await scope.Db.Operations.SingleAsync(o => o.Id == current, stop) : null;
            var record = MachineRows.Record(vm, host.Name, image.HasGuestAgent);
            var lost = MachineProgress.HostLost(record, operation is null ? null : MachineRows.Record(operation));
            MachineRows.Take(vm, record with { State = lost.State, Reason = lost.Reason }, scope.Now);
        }
        scope.AfterCommit(() => live[id].Machines.Clear());
        scope.Audit(Principal.System, null, "host.state", $"host/{id}", null, AuditOutcomes.Done, $"{host.Name}: ready -> lost; {vms.Count(v => v.State == VmState.Lost)} VMs lost");
        return Done.Value;
    }, stop);
}
