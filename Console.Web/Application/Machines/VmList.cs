using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <summary>The list of VMs: filters, sort and window in one query, names as the tie-break (they are unique in a project).</summary>
internal static class VmList
{
    public static async Task<Result<(IReadOnlyList<VmRow> Rows, long Total, string? Next)>> Read(ConsoleDb db, ProjectRow project, VmQuery query, Window window, CancellationToken stop)
    {
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        var (sort, descending) = Lists.Sort(refusals, query.Sort, "name", "name", "created", "state", "host");
        var states = Lists.States<VmState>(refusals, "state", query.State);
        var cursor = Cursor.Read(window, (descending ? "-" : "") + sort);
        if (!cursor.Succeeded) refusals.Add(cursor.Refusals[0]);
        if (refusals.Any) return Result<(IReadOnlyList<VmRow>, long, string?)>.No(refusals.All);

        var vms = db.Vms.Where(v => v.Project == project.Id);
        vms = states is null ? vms.Where(v => v.DeletedAt == null) : vms.Where(v => states.Contains(v.State));
        if (!string.IsNullOrWhiteSpace(query.Q)) vms = vms.Where(v => v.SearchText.Contains(query.Q.Trim().ToLowerInvariant()));
        if (!string.IsNullOrWhiteSpace(query.Label))
        {
            var label = query.Label.Trim().ToLowerInvariant();
            vms = label.Contains('=') ? vms.Where(v => (v.SearchText + "\n").Contains("\n" + label + "\n")) : vms.Where(v => v.SearchText.Contains("\n" + label + "="));
        }
        if (!string.IsNullOrWhiteSpace(query.Host))
        {
            // A host that does not exist has no VMs: an empty list, not an error, so that links to retired hosts keep working.
            var host = await Naming.Host(db, query.Host, stop);
            var id = host?.Id;
            vms = id is null ? vms.Where(_ => false) : vms.Where(v => v.Host == id);
        }
        var total = await vms.LongCountAsync(stop);
        var sorted = Sorted(db, vms, sort, descending, window.Offset is null ? cursor.Value : null);
        if (window.Offset is { } offset) sorted = sorted.Skip(offset);
        var rows = await sorted.Take(window.Limit + 1).ToListAsync(stop);
        if (rows.Count <= window.Limit) return (rows, total, null);
        rows.RemoveAt(rows.Count - 1);
        var last = rows[^1];
        var key = sort switch
        {
            "created" => last.CreatedAt.ToUnixTimeMilliseconds().ToString(),
            "state" => last.State.ToString(),
            "host" => last.Host is { } h ? await db.Hosts.Where(x => x.Id == h).Select(x => x.Name).SingleAsync(stop) : "",
            _ => "",
        };
        return (rows, total, new Cursor((descending ? "-" : "") + sort, key, last.Name).Text());
    }

    private static IQueryable<VmRow> Sorted(ConsoleDb db, IQueryable<VmRow> vms, string sort, bool descending, Cursor? after)
    {
        switch (sort)
        {
            case "created":
                if (after is not null)
                {
                    var at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(after.Number(), 0, 253402300799999));
                    vms = descending
                        ? vms.Where(v => v.CreatedAt < at || (v.CreatedAt == at && string.Compare(v.Name, after.Name) > 0))
                        : vms.Where(v => v.CreatedAt > at || (v.CreatedAt == at && string.Compare(v.Name, after.Name) > 0));
                }
                return descending ? vms.OrderByDescending(v => v.CreatedAt).ThenBy(v => v.Name) : vms.OrderBy(v => v.CreatedAt).ThenBy(v => v.Name);
            case "state":
                if (after is not null && Enum.TryParse<VmState>(after.Key, out var state))
                {
                    // States are stored as words; what sorts behind one is a short list.
                    var behind = Enum.GetValues<VmState>().Where(s => string.CompareOrdinal(s.ToString(), state.ToString()) is var c && (descending ? c < 0 : c > 0)).ToArray();
                    vms = vms.Where(v => behind.Contains(v.State) || (v.State == state && string.Compare(v.Name, after.Name) > 0));
                }
                return descending ? vms.OrderByDescending(v => v.State).ThenBy(v => v.Name) : vms.OrderBy(v => v.State).ThenBy(v => v.Name);
            case "host":
                var placed = vms.Select(v => new { Vm = v, Host = db.Hosts.Where(h => h.Id == v.Host).Select(h => h.Name).FirstOrDefault() ?? "" });
                if (after is not null)
                    placed = descending
                        ? placed.Where(p => string.Compare(p.Host, after.Key) < 0 || (p.Host == after.Key && string.Compare(p.Vm.Name, after.Name) > 0))
                        : placed.Where(p => string.Compare(p.Host, after.Key) > 0 || (p.Host == after.Key && string.Compare(p.Vm.Name, after.Name) > 0));
                return (descending ? placed.OrderByDescending(p => p.Host) : placed.OrderBy(p => p.Host)).ThenBy(p => p.Vm.Name).Select(p => p.Vm);
            default:
                if (after is not null) vms = descending ? vms.Where(v => string.Compare(v.Name, after.Name) < 0) : vms.Where(v => string.Compare(v.Name, after.Name) > 0);
                return descending ? vms.OrderByDescending(v => v.Name) : vms.OrderBy(v => v.Name);
        }
    }
}
