using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Machines;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Mapping;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.History;

/// <inheritdoc cref="IHistory"/>
internal sealed class HistoryUseCases(IConsoleStore store, AccessControl access, VmViews vmViews, HostViews hostViews, TimeProvider time) : IHistory
{
    // The past does not change: whoever pages through a moment reads it once, while memory allows.
    private WeakReference<PastVms>? _lastVms;

    public async Task<Result<PastPage<VmView>>> Vms(Caller caller, string project, DateTimeOffset at, VmQuery query, Window window, CancellationToken stop)
    {
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        if (window.Cursor is not null) refusals.Invalid("cursor", "not_in_the_past", "Lists of the past are paged by offset.");
        var (sort, descending) = Lists.Sort(refusals, query.Sort, "name", "name", "created", "state", "host");
        var states = Lists.States<VmState>(refusals, "state", query.State);
        if (refusals.Any) return Result<PastPage<VmView>>.No(refusals.All);

        await using var db = store.Read();
        var owner = await access.Project(db, caller, Permissions.VmRead, project, stop);
        if (!owner.Succeeded) return Result<PastPage<VmView>>.No(owner.Refusals);
        var moment = await Resolve(db, at, stop);
        if (!moment.Succeeded) return Result<PastPage<VmView>>.No(moment.Refusals);
        var veil = await access.Veil(db, caller, stop);
        if (veil.Forbids(query) is { } notYours) return notYours;
        var past = await AllVms(db, owner.Value, moment.Value, stop);
        var matching = past.All.Where(v => VmFilter.Holds(v, query, states)).ToList();
        Comparison<VmView> order = sort switch
        {
            "created" => (a, b) => a.CreatedAt.CompareTo(b.CreatedAt),
            "state" => (a, b) => string.CompareOrdinal(a.State.ToString(), b.State.ToString()),
            "host" => (a, b) => string.CompareOrdinal(a.HostName, b.HostName),
            _ => (_, _) => 0,
        };
        var byName = sort == "name" && descending ? -1 : 1;
        matching.Sort((a, b) => order(a, b) is not 0 and var c ? (descending ? -c : c) : byName * string.CompareOrdinal(a.Name, b.Name));
        var then = matching.Skip(window.Offset ?? 0).Take(window.Limit).Select(veil.Of).ToList();
        var ids = then.Select(v => v.Id).ToArray();
        var now = (await vmViews.Many(db, await db.Vms.Where(v => ids.Contains(v.Id)).ToListAsync(stop), owner.Value, stop)).Select(veil.Of).ToDictionary(v => v.Id);
        return new PastPage<VmView>(at, moment.Value, [.. then.Select(v => new PastItem<VmView>(v, now.GetValueOrDefault(v.Id), Differences.Between(v, now.GetValueOrDefault(v.Id))))],
            matching.Count, past.All.Count(v => v.State != VmState.Deleted), await db.Vms.LongCountAsync(v => v.Project == owner.Value.Id && v.DeletedAt == null, stop));
    }

    public async Task<Result<Past<VmView>>> Vm(Caller caller, string project, VmId vm, DateTimeOffset at, CancellationToken stop)
    {
        await using var db = store.Read();
        var owner = await access.Project(db, caller, Permissions.VmRead, project, stop);
        if (!owner.Succeeded) return Result<Past<VmView>>.No(owner.Refusals);
        var moment = await Resolve(db, at, stop);
        if (!moment.Succeeded) return Result<Past<VmView>>.No(moment.Refusals);
        var mine = db.ChangeLog.Where(c => c.Kind == LogKinds.Vm && c.Id == vm.Value && c.Project == owner.Value.Id);
        if (!await mine.AnyAsync(stop)) return Naming.NoVm(vm);
        if (await mine.Where(c => c.Version <= moment.Value).OrderByDescending(c => c.Version).FirstOrDefaultAsync(stop) is not { } entry)
            return Refusal.NotFound("not_yet", $"The VM did not exist at {at:u}; its first entry is of {await mine.MinAsync(c => c.At, stop):u}.", "at");
        var veil = await access.Veil(db, caller, stop);
        var then = veil.Of((await Views(db, [entry], owner.Value, moment.Value, stop))[0]);
        var row = await db.Vms.SingleOrDefaultAsync(v => v.Id == vm, stop);
        var now = row is null ? null : veil.Of(await vmViews.One(db, row, owner.Value, stop));
        return new Past<VmView>(at, moment.Value, then, now, Differences.Between(then, now), entry.At,
            await mine.Where(c => c.At < entry.At).MaxAsync(c => (DateTimeOffset?)c.At, stop), await mine.Where(c => c.At > at).MinAsync(c => (DateTimeOffset?)c.At, stop));
    }

    public async Task<Result<PastPage<HostView>>> Hosts(Caller caller, DateTimeOffset at, HostQuery query, Window window, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        if (window.Cursor is not null) refusals.Invalid("cursor", "not_in_the_past", "Lists of the past are paged by offset.");
        var (sort, descending) = Lists.Sort(refusals, query.Sort, "name", "name", "joined");
        var states = Lists.States<HostState>(refusals, "state", query.State);
        if (refusals.Any) return Result<PastPage<HostView>>.No(refusals.All);

        await using var db = store.Read();
        var moment = await Resolve(db, at, stop);
        if (!moment.Succeeded) return Result<PastPage<HostView>>.No(moment.Refusals);
        var all = await Views(db, await Last(db, LogKinds.Host, moment.Value).ToListAsync(stop), moment.Value, stop);
        var part = query.Q?.Trim().ToLowerInvariant() ?? "";
        var matching = all.Where(h => (states is null ? h.State != HostState.Retired : states.Contains(h.State)) && h.Name.Contains(part, StringComparison.Ordinal));
        var sorted = (sort, descending) switch
        {
            ("joined", false) => matching.OrderBy(h => h.JoinedAt),
            ("joined", true) => matching.OrderByDescending(h => h.JoinedAt),
            (_, false) => matching.OrderBy(h => h.Name, StringComparer.Ordinal),
            (_, true) => matching.OrderByDescending(h => h.Name, StringComparer.Ordinal),
        };
        var list = sorted.ToList();
        var then = list.Skip(window.Offset ?? 0).Take(window.Limit).ToList();
        var ids = then.Select(h => h.Id).ToArray();
        var now = (await hostViews.Many(db, await db.Hosts.Where(h => ids.Contains(h.Id)).ToListAsync(stop), stop)).ToDictionary(h => h.Id);
        return new PastPage<HostView>(at, moment.Value, [.. then.Select(h => new PastItem<HostView>(h, now.GetValueOrDefault(h.Id), Differences.Between(h, now.GetValueOrDefault(h.Id))))],
            list.Count, all.Count(h => h.State != HostState.Retired), await db.Hosts.LongCountAsync(h => h.State != HostState.Retired, stop));
    }

    public async Task<Result<Past<HostView>>> Host(Caller caller, HostId host, DateTimeOffset at, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.HostRead, stop) is { } no) return no;
        await using var db = store.Read();
        var moment = await Resolve(db, at, stop);
        if (!moment.Succeeded) return Result<Past<HostView>>.No(moment.Refusals);
        var mine = db.ChangeLog.Where(c => c.Kind == LogKinds.Host && c.Id == host.Value);
        if (!await mine.AnyAsync(stop)) return Refusal.NotFound("host_not_found", $"There is no host {host}.");
        if (await mine.Where(c => c.Version <= moment.Value).OrderByDescending(c => c.Version).FirstOrDefaultAsync(stop) is not { } entry)
            return Refusal.NotFound("not_yet", $"The host had not joined at {at:u}; its first entry is of {await mine.MinAsync(c => c.At, stop):u}.", "at");
        var then = (await Views(db, [entry], moment.Value, stop))[0];
        var rows = await db.Hosts.Where(h => h.Id == host).ToListAsync(stop);
        var now = rows.Count == 0 ? null : (await hostViews.Many(db, rows, stop))[0];
        return new Past<HostView>(at, moment.Value, then, now, Differences.Between(then, now), entry.At,
            await mine.Where(c => c.At < entry.At).MaxAsync(c => (DateTimeOffset?)c.At, stop), await mine.Where(c => c.At > at).MinAsync(c => (DateTimeOffset?)c.At, stop));
    }

    /// <summary>The version of the change log that held at a time, if it can still be rebuilt.</summary>
    private async Task<Result<long>> Resolve(ConsoleDb db, DateTimeOffset at, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        if (at > now) return Refusal.Invalid("at", "in_the_future", $"{at:u} lies in the future: it is {now:u}.");
        if (await db.ChangeLog.Where(c => c.At <= at).MaxAsync(c => (long?)c.Version, stop) is not { } version)
            return Refusal.NotFound("before_the_log", $"Nothing is known of {at:u}: the change log begins at {await db.ChangeLog.MinAsync(c => (DateTimeOffset?)c.At, stop):u}.", "at");
        if (await ChangeLogRetention.Horizon(db, stop) is var horizon && version < horizon)
            return Refusal.NotFound("version_pruned", $"{at:u} is older than the change log is kept: the oldest moment that can be shown is {await db.ChangeLog.Where(c => c.Version >= horizon).MinAsync(c => (DateTimeOffset?)c.At, stop):u}.", "at");
        return version;
    }

    private static IQueryable<ChangeLogRow> Last(ConsoleDb db, string kind, long version, ProjectId? project = null)
    {
        var last = db.ChangeLog.Where(c => c.Kind == kind && c.Version <= version && (project == null || c.Project == project)).GroupBy(c => c.Id).Select(g => g.Max(c => c.Version));
        return db.ChangeLog.Where(c => last.Contains(c.Version) && !c.Deleted);
    }

    private async Task<PastVms> AllVms(ConsoleDb db, ProjectRow project, long version, CancellationToken stop)
    {
        if (_lastVms?.TryGetTarget(out var kept) == true && kept.Version == version && kept.Project == project.Id) return kept;
        var past = new PastVms(project.Id, version, await Views(db, await Last(db, LogKinds.Vm, version, project.Id).ToListAsync(stop), project, version, stop));
        _lastVms = new WeakReference<PastVms>(past);
        return past;
    }

    private async Task<IReadOnlyList<VmView>> Views(ConsoleDb db, IReadOnlyList<ChangeLogRow> entries, ProjectRow project, long version, CancellationToken stop)
    {
        var hosts = (await Last(db, LogKinds.Host, version).Select(c => c.Document).ToListAsync(stop)).Select(StoredJson.Read<HostRow>).ToDictionary(h => h.Id);
        var images = (await Last(db, LogKinds.Image, version).Select(c => c.Document).ToListAsync(stop)).Select(StoredJson.Read<ImageRow>).ToDictionary(i => i.Id, i => i.Name);
        List<VmRow> rows = [.. entries.Select(e => StoredJson.Read<VmRow>(e.Document).SetSpec(StoredJson.Read<SpecOf>(e.Document).Spec))];
        var views = await vmViews.Many(db, rows, project, stop);
        // What the present knows better it must not say here: names, hosts and ages are those of then.
        return [.. views.Zip(rows, (view, row) => view with
        {
            HostName = row.Host is { } h ? hosts.GetValueOrDefault(h)?.Name : null,
            Acceleration = row.Host is { } on ? hosts.GetValueOrDefault(on)?.Facts?.Acceleration : null,
            ImageName = images.GetValueOrDefault(row.Image, view.ImageName),
            ObservedAt = row.ObservedAt,
            Stale = false,
        })];
    }

    private async Task<IReadOnlyList<HostView>> Views(ConsoleDb db, IReadOnlyList<ChangeLogRow> entries, long version, CancellationToken stop)
    {
        List<HostRow> rows = [.. entries.Select(e => StoredJson.Read<HostRow>(e.Document))];
        var taken = (await Last(db, LogKinds.Allocation, version).Select(c => c.Document).ToListAsync(stop)).Select(StoredJson.Read<AllocationRow>).ToLookup(a => a.Host);
        var volumes = (await Last(db, LogKinds.VolumeAllocation, version).Select(c => c.Document).ToListAsync(stop)).Select(StoredJson.Read<VolumeAllocationRow>).ToLookup(a => a.Host);
        var views = await hostViews.Many(db, rows, stop);
        return [.. views.Zip(rows, (view, row) => view with
        {
            Allocated = taken[row.Id].Aggregate(Resources.Zero, (sum, a) => sum + new Resources(a.Vcpus, a.MemoryMib, a.DiskGib)) + new Resources(0, 0, volumes[row.Id].Sum(a => a.DiskGib)),
            VmCount = taken[row.Id].Count(),
            ObservedFree = row.ObservedFree,
            Connected = row.Connected,
            ReportedAt = row.ReportedAt,
            Stale = false,
            Sample = null,
        })];
    }

    private sealed record SpecOf(VmSpec Spec);

    private sealed record PastVms(ProjectId Project, long Version, IReadOnlyList<VmView> All);
}

/// <summary>The filters of the VM list, over what was rebuilt from the change log.</summary>
internal static class VmFilter
{
    public static bool Holds(VmView vm, VmQuery query, IReadOnlyList<VmState>? states)
    {
        if (states is null ? vm.State == VmState.Deleted : !states.Contains(vm.State)) return false;
        var labels = vm.Labels.Select(l => $"{l.Key}={l.Value}".ToLowerInvariant()).ToList();
        if (query.Q?.Trim().ToLowerInvariant() is { Length: > 0 } part && !vm.Name.Contains(part, StringComparison.Ordinal) && !vm.Description.Contains(part, StringComparison.OrdinalIgnoreCase) && !labels.Any(l => l.Contains(part, StringComparison.Ordinal))) return false;
        if (query.Label?.Trim().ToLowerInvariant() is { Length: > 0 } label && !labels.Any(l => label.Contains('=') ? l == label : l.StartsWith(label + "=", StringComparison.Ordinal))) return false;
        return string.IsNullOrWhiteSpace(query.Host) || vm.HostName == query.Host || vm.Host?.ToString() == query.Host;
    }
}
