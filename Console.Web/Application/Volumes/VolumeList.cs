using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Volumes;

/// <summary>The list of volumes: filters, sort and window in one query, names as the tie-break (they are unique in a project).</summary>
internal static class VolumeList
{
    public static async Task<Result<(IReadOnlyList<VolumeRow> Rows, long Total, string? Next)>> Read(ConsoleDb db, ProjectRow project, VolumeQuery query, Window window, CancellationToken stop)
    {
        var refusals = new RefusalList();
        Lists.Check(refusals, window);
        var (sort, descending) = Lists.Sort(refusals, query.Sort, "name", "name", "created", "size");
        var states = Lists.States<VolumeState>(refusals, "state", query.State);
        var key = (descending ? "-" : "") + sort;
        var cursor = Cursor.Read(window, key);
        if (!cursor.Succeeded) refusals.Add(cursor.Refusals[0]);
        if (refusals.Any) return Result<(IReadOnlyList<VolumeRow>, long, string?)>.No(refusals.All);

        var volumes = db.Volumes.Where(v => v.Project == project.Id);
        volumes = states is null ? volumes.Where(v => v.DeletedAt == null) : volumes.Where(v => states.Contains(v.State));
        if (query.Q?.Trim().ToLowerInvariant() is { Length: > 0 } q) volumes = volumes.Where(v => v.Name.Contains(q) || v.Description.ToLower().Contains(q));
        // What does not exist has no volumes: an empty list, not an error, so that links to what is gone keep working.
        if (!string.IsNullOrWhiteSpace(query.Host))
        {
            var host = (await Naming.Host(db, query.Host, stop))?.Id ?? default;
            volumes = volumes.Where(v => v.Host == host);
        }
        if (!string.IsNullOrWhiteSpace(query.Vm))
        {
            var vm = (await Naming.Vm(db, project.Id, query.Vm, stop))?.Id ?? new VmId(Guid.Empty);
            volumes = volumes.Where(v => v.Vm == vm);
        }
        var total = await volumes.LongCountAsync(stop);
        var sorted = Sorted(volumes, sort, descending, window.Offset is null ? cursor.Value : null);
        if (window.Offset is { } offset) sorted = sorted.Skip(offset);
        var rows = await sorted.Take(window.Limit + 1).ToListAsync(stop);
        if (rows.Count <= window.Limit) return (rows, total, null);
        rows.RemoveAt(rows.Count - 1);
        var last = rows[^1];
        return (rows, total, new Cursor(key, sort switch { "created" => last.CreatedAt.ToUnixTimeMilliseconds().ToString(), "size" => last.SizeGib.ToString(), _ => "" }, last.Name).Text());
    }

    private static IQueryable<VolumeRow> Sorted(IQueryable<VolumeRow> volumes, string sort, bool descending, Cursor? after)
    {
        switch (sort)
        {
            case "created":
                if (after is not null)
                {
                    var at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(after.Number(), 0, 253402300799999));
                    volumes = descending
                        ? volumes.Where(v => v.CreatedAt < at || (v.CreatedAt == at && string.Compare(v.Name, after.Name) > 0))
                        : volumes.Where(v => v.CreatedAt > at || (v.CreatedAt == at && string.Compare(v.Name, after.Name) > 0));
                }
                return (descending ? volumes.OrderByDescending(v => v.CreatedAt) : volumes.OrderBy(v => v.CreatedAt)).ThenBy(v => v.Name);
            case "size":
                if (after is not null)
                {
                    var size = (int)Math.Clamp(after.Number(), 0, int.MaxValue);
                    volumes = descending
                        ? volumes.Where(v => v.SizeGib < size || (v.SizeGib == size && string.Compare(v.Name, after.Name) > 0))
                        : volumes.Where(v => v.SizeGib > size || (v.SizeGib == size && string.Compare(v.Name, after.Name) > 0));
                }
                return (descending ? volumes.OrderByDescending(v => v.SizeGib) : volumes.OrderBy(v => v.SizeGib)).ThenBy(v => v.Name);
            default:
                if (after is not null) volumes = descending ? volumes.Where(v => string.Compare(v.Name, after.Name) < 0) : volumes.Where(v => string.Compare(v.Name, after.Name) > 0);
                return descending ? volumes.OrderByDescending(v => v.Name) : volumes.OrderBy(v => v.Name);
        }
    }
}
