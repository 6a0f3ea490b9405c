using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Machines;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Hosts;

/// <inheritdoc cref="IHosts"/>
internal sealed class HostUseCases(IConsoleStore store, AccessControl access, Mutations mutations, HostViews views, VmViews vmViews, MetricReader metrics) : IHosts
{
    public async Task<Result<Page<HostView>>> List(Caller caller, HostQuery query, Window window, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        var (sort, descending) = Lists.Sort(refusals, query.Sort, "name", "name", "joined");
        var states = Lists.States<HostState>(refusals, "state", query.State);
        var cursor = Cursor.Read(window, (descending ? "-" : "") + sort);
        if (!cursor.Succeeded) refusals.Add(cursor.Refusals[0]);
        if (refusals.Any) return Result<Page<HostView>>.No(refusals.All);

        await using var db = store.Read();
        var hosts = states is null ? db.Hosts.Where(h => h.State != HostState.Retired) : db.Hosts.Where(h => states.Contains(h.State));
        if (!string.IsNullOrWhiteSpace(query.Q)) hosts = hosts.Where(h => h.Name.Contains(query.Q.Trim().ToLowerInvariant()));
        var total = await hosts.LongCountAsync(stop);
        if (window.Offset is null && cursor.Value is { } after)
        {
            var at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(after.Number(), 0, 253402300799999));
            hosts = (sort, descending) switch
            {
                ("joined", false) => hosts.Where(h => h.JoinedAt > at || (h.JoinedAt == at && string.Compare(h.Name, after.Name) > 0)),
                ("joined", true) => hosts.Where(h => h.JoinedAt < at || (h.JoinedAt == at && string.Compare(h.Name, after.Name) > 0)),
                (_, false) => hosts.Where(h => string.Compare(h.Name, after.Name) > 0),
                (_, true) => hosts.Where(h => string.Compare(h.Name, after.Name) < 0),
            };
        }
        hosts = (sort, descending) switch
        {
            ("joined", false) => hosts.OrderBy(h => h.JoinedAt).ThenBy(h => h.Name),
            ("joined", true) => hosts.OrderByDescending(h => h.JoinedAt).ThenBy(h => h.Name),
            (_, false) => hosts.OrderBy(h => h.Name),
            (_, true) => hosts.OrderByDescending(h => h.Name),
        };
        if (window.Offset is { } offset) hosts = hosts.Skip(offset);
        var rows = await hosts.Take(window.Limit + 1).ToListAsync(stop);
        string? next = null;
        if (rows.Count > window.Limit)
        {
            rows.RemoveAt(rows.Count - 1);
            next = new Cursor((descending ? "-" : "") + sort, rows[^1].JoinedAt.ToUnixTimeMilliseconds().ToString(), rows[^1].Name).Text();
        }
        return new Page<HostView>(await views.Many(db, rows, stop), total, next);
    }

    public async Task<Result<HostView>> Get(Caller caller, HostId host, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        await using var db = store.Read();
        return await db.Hosts.SingleOrDefaultAsync(h => h.Id == host, stop) is { } row ? (await views.Many(db, [row], stop))[0] : NotFound(host);
    }

    public async Task<Result<IReadOnlyList<SeriesView>>> Metrics(Caller caller, HostId host, TimeSpan range, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        await using var db = store.Read();
        return await db.Hosts.AnyAsync(h => h.Id == host, stop) ? await metrics.Host(host, range, stop) : NotFound(host);
    }

    public async Task<Result<Page<VmView>>> Vms(Caller caller, HostId host, Window window, CancellationToken stop)
    {
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        if (window.Cursor is not null) refusals.Invalid("cursor", "not_here", "This list is paged by offset.");
        if (refusals.Any) return Result<Page<VmView>>.No(refusals.All);
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        await using var db = store.Read();
        var mine = await access.Projects(db, caller, Permissions.VmRead, stop);
        if (!mine.Succeeded) return Result<Page<VmView>>.No(mine.Refusals);
        if (!await db.Hosts.AnyAsync(h => h.Id == host, stop)) return NotFound(host);
        var vms = mine.Value.Of(db.Vms).Where(v => v.Host == host && v.DeletedAt == null);
        var total = await vms.LongCountAsync(stop);
        var rows = await vms.OrderBy(v => v.Name).ThenBy(v => v.Id).Skip(window.Offset ?? 0).Take(window.Limit).ToListAsync(stop);
        var ids = rows.Select(r => r.Project).Distinct().ToArray();
        var shown = new List<VmView>();
        foreach (var owner in await db.Projects.Where(p => ids.Contains(p.Id)).ToListAsync(stop))
            shown.AddRange(await vmViews.Many(db, [.. rows.Where(r => r.Project == owner.Id)], owner, stop));
        return new Page<VmView>([.. shown.OrderBy(v => v.Name, StringComparer.Ordinal).ThenBy(v => v.ProjectName, StringComparer.Ordinal)], total, null);
    }

    public Task<Result<HostView>> Adopt(Caller caller, HostId host, CancellationToken stop) =>
        Change(caller, "host.adopt", host, HostEvent.Adopted, (m, row) =>
        {
            // The refused hello left the agent's numbers in the row; see AgentDirectory.Hello.
            var taken = Admission.Adopt(new HostSessionRecord(row.State, row.Epoch, row.Generation), row.Epoch, row.AcceptedGeneration);
            m.Detail = $"{row.Name}: generation {row.Generation} -> {taken.Generation}";
            (row.Epoch, row.Generation, row.StateReason) = (taken.Epoch, taken.Generation, "");
            return Task.FromResult<Refusal?>(null);
        }, stop);

    public Task<Result<HostView>> Retire(Caller caller, HostId host, CancellationToken stop) =>
        Change(caller, "host.retire", host, HostEvent.RetiredByOperator, async (m, row) =>
        {
            m.Detail = row.Name;
            var vms = await m.Db.Vms.Where(v => v.Host == host && v.DeletedAt == null).OrderBy(v => v.Name).Select(v => v.Name).ToListAsync(stop);
            if (vms.Count > 0) return Refusal.Conflict("host_in_use", $"{row.Name} has {vms.Count} VM{(vms.Count == 1 ? "" : "s")} ({string.Join(", ", vms.Take(5))}{(vms.Count > 5 ? ", …" : "")}). Delete them first.");
            var volumes = await m.Db.Volumes.Where(v => v.Host == host && v.DeletedAt == null).OrderBy(v => v.Name).Select(v => v.Name).ToListAsync(stop);
            if (volumes.Count > 0) return Refusal.Conflict("host_in_use", $"{row.Name} has {volumes.Count} volume{(volumes.Count == 1 ? "" : "s")} ({string.Join(", ", volumes.Take(5))}{(volumes.Count > 5 ? ", …" : "")}). Delete them first.");
            row.StateReason = $"Retired by {m.By}.";
            return null;
        }, stop);

    private async Task<Result<HostView>> Change(Caller caller, string action, HostId host, HostEvent e, Func<Mutation, HostRow, Task<Refusal?>> change, CancellationToken stop)
    {
        var changed = await mutations.Run(caller, Permissions.HostManage, action, $"host/{host}", async m =>
        {
            if (await m.Db.Hosts.SingleOrDefaultAsync(h => h.Id == host, stop) is not { } row) return NotFound(host);
            var next = HostLifecycle.Next(row.State, e);
            if (!next.Succeeded) return Result<Guid>.No(next.Refusals);
            if (await change(m, row) is { } no) return no;
            row.State = next.Value;
            return host.Value;
        }, stop);
        return changed.Succeeded ? await Get(caller, host, stop) : Result<HostView>.No(changed.Refusals);
    }

    private static Refusal NotFound(HostId host) => Refusal.NotFound("host_not_found", $"There is no host {host}.");
}
