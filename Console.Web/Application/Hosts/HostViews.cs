using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Hosts;

/// <summary>Turns host rows into what people see: facts, what the ledger says is taken, and how old the observation is.</summary>
internal sealed class HostViews(LiveHosts live, Lazy<IAgentGateway> gateway, ILeadership leadership)
{
    public async Task<IReadOnlyList<HostView>> Many(ConsoleDb db, IReadOnlyList<HostRow> rows, CancellationToken stop)
    {
        var ids = rows.Select(r => r.Id).ToArray();
        var taken = await Taken.Of(db, ids, stop);
        var machines = await db.Vms.Where(v => v.Host != null && ids.Contains(v.Host.Value) && v.DeletedAt == null).GroupBy(v => v.Host!.Value)
            .Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, stop);
        return [.. rows.Select(r => View(r, taken.GetValueOrDefault(r.Id), machines.GetValueOrDefault(r.Id)))];
    }

    private HostView View(HostRow h, Resources taken, int machines)
    {
        var memory = live.Find(h.Id);
        var sample = memory?.Sample;
        return new HostView(
            h.Id, h.Name, h.State, h.StateReason.Length > 0 ? h.StateReason : HostLifecycle.Sentence(h.State), h.Simulated, h.Facts,
            h.Facts?.Capacity ?? Resources.Zero, taken, memory?.Free ?? h.ObservedFree, machines, leadership.HasSession(gateway.Value, h.Id, h.Connected),
            live.ReportedAt(h.Id, h.ReportedAt), live.IsStale(h.Id, h.ReportedAt), h.Generation, h.AcceptedGeneration,
            [.. h.Facilities.Select(f => new FacilityView(f.Kind, f.Name, f.Ready, f.Detail, f.Drift, f.DriftAt))], h.UnknownDomains,
            sample is null ? null : new HostSampleView(sample.At, sample.CpuPercent, sample.MemoryUsedMib, sample.MemoryTotalMib, sample.DiskUsedMib, sample.DiskTotalMib, sample.Load1),
            h.JoinedAt, h.CertificateExpiresAt, h.Version);
    }
}
