using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application.Identity;
using Plinth.Web.Persistence;

namespace Plinth.Web.Application.Search;

/// <inheritdoc cref="ISearch"/>
internal sealed class SearchUseCase(IConsoleStore store, AccessControl access) : ISearch
{
    public const int MaxLength = 100, MaxWords = 5, MaxLimit = 50;

    /// <summary>Best first within each kind; the kinds in the order in which people look for them.</summary>
    private static readonly (string Permission, Func<ConsoleDb, Asked, ProjectFilter, CancellationToken, Task<Found>> Look)[] Kinds =
    [
        (Permissions.VmRead, Vms),
        (Permissions.VolumeRead, Volumes),
        (Permissions.NetworkRead, Networks),
        (Permissions.StorageRead, StorageClasses),
        (Permissions.HostRead, Hosts),
        (Permissions.ImageRead, Images),
        (Permissions.FlavorRead, Flavors),
        (Permissions.OperationRead, Operations),
    ];

    public async Task<Result<Page<SearchHit>>> Find(Caller caller, string? q, int limit, CancellationToken stop)
    {
        await using var db = store.Read();
        var rights = await access.Of(db, caller.Principal, stop);
        var allowed = new List<(Func<ConsoleDb, Asked, ProjectFilter, CancellationToken, Task<Found>> Look, ProjectFilter Mine)>();
        foreach (var (permission, look) in Kinds)
            if (await access.Projects(db, rights, permission, stop) is { Succeeded: true, Value: var mine }) allowed.Add((look, mine!));
        if (allowed.Count == 0) return rights.Check(Kinds[0].Permission)!;
        var asked = Asked.Read(q, limit);
        if (!asked.Succeeded) return Result<Page<SearchHit>>.No(asked.Refusals);

        var found = new List<Found>();
        foreach (var (look, mine) in allowed) found.Add(await look(db, asked.Value, mine, stop));
        // A name that is what was typed comes first, whatever it names.
        var veil = await Veil.For(db, rights, stop);
        var hits = found.SelectMany(f => f.Hits).Select(veil.Of).OrderBy(h => asked.Value.Rank(h.Name)).Take(limit);
        return new Page<SearchHit>([.. hits], found.Sum(f => f.Total), null);
    }

    private sealed record Found(IReadOnlyList<SearchHit> Hits, long Total);

    /// <summary>What is looked for: words that must all occur, or one id, or one IPv4 address.</summary>
    private sealed record Asked(string Text, IReadOnlyList<string> Words, Guid? Id, string? Address, int Limit)
    {
        public static Result<Asked> Read(string? q, int limit)
        {
            var refusals = new RefusalList();
            SizeRules.Within(refusals, "limit", "hits", limit, 1, MaxLimit);
            var text = (q ?? "").Trim().ToLowerInvariant();
            var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) refusals.Invalid("q", "required", "Say what to look for in q: part of a name, description or label, an id, or an address.");
            if (text.Length > MaxLength) refusals.Invalid("q", "too_long", $"q has {text.Length} characters; {MaxLength} are allowed.");
            else if (words.Length > MaxWords) refusals.Invalid("q", "too_many", $"q has {words.Length} words; {MaxWords} are allowed.");
            if (refusals.Any) return Result<Asked>.No(refusals.All);
            return new Asked(text, words, Guid.TryParseExact(text, "D", out var id) ? id : null, AddressRange.IsAddress(text) ? text : null, limit);
        }

        public int Rank(string name) => name == Text ? 0 : name.StartsWith(Text, StringComparison.Ordinal) ? 1 : name.Contains(Text, StringComparison.Ordinal) ? 2 : 3;
    }

    private static async Task<Found> Vms(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var vms = mine.Of(db.Vms).Where(v => v.DeletedAt == null);
        if (asked.Id is { } id) vms = mine.Of(db.Vms).Where(v => v.Id == new VmId(id));
        else if (asked.Address is { } address) vms = vms.Where(v => db.NetworkAddresses.Any(a => a.Address == address && a.Vm == v.Id));
        else foreach (var word in asked.Words) vms = vms.Where(v => v.SearchText.Contains(word));
        var total = await vms.LongCountAsync(stop);
        if (total == 0) return new Found([], 0);
        // Ids first: an index holds all that this needs, so that 20,000 wide rows stay unread.
        var best = await vms.OrderBy(v => v.Name == asked.Text ? 0 : v.Name.StartsWith(asked.Text) ? 1 : v.Name.Contains(asked.Text) ? 2 : 3).ThenBy(v => v.Name)
            .Select(v => v.Id).Take(asked.Limit).ToListAsync(stop);
        var rows = await db.Vms.Where(v => best.Contains(v.Id))
            .Select(v => new
            {
                v.Id, v.Name, v.State, v.Spec,
                Project = db.Projects.Where(p => p.Id == v.Project).Select(p => p.Name).First(),
                Host = db.Hosts.Where(h => h.Id == v.Host).Select(h => h.Name).FirstOrDefault(),
            })
            .ToDictionaryAsync(v => v.Id, stop);
        return new Found([.. best.Where(rows.ContainsKey).Select(b => rows[b]).Select(v =>
            new SearchHit("vm", v.Id.Value, v.Project, v.Name, v.Host is null ? v.Spec.Description : $"on {v.Host}", VmLifecycle.Word(v.State)))], total);
    }

    private static async Task<Found> Volumes(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var volumes = mine.Of(db.Volumes).Where(v => v.DeletedAt == null);
        if (asked.Id is { } id) volumes = mine.Of(db.Volumes).Where(v => v.Id == new VolumeId(id));
        else foreach (var word in asked.Words) volumes = volumes.Where(v => (v.Name + " " + v.Description).ToLower().Contains(word));
        var total = await volumes.LongCountAsync(stop);
        if (total == 0) return new Found([], 0);
        var rows = await volumes.OrderBy(v => v.Name == asked.Text ? 0 : v.Name.StartsWith(asked.Text) ? 1 : 2).ThenBy(v => v.Name).Take(asked.Limit)
            .Select(v => new { v.Id, v.Name, v.State, v.SizeGib, Project = db.Projects.Where(p => p.Id == v.Project).Select(p => p.Name).First(), Host = db.Hosts.Where(h => h.Id == v.Host).Select(h => h.Name).First() })
            .ToListAsync(stop);
        return new Found([.. rows.Select(v => new SearchHit("volume", v.Id.Value, v.Project, v.Name, $"{v.SizeGib} GiB on {v.Host}", VolumeLifecycle.Word(v.State)))], total);
    }

    private static async Task<Found> Networks(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var networks = mine.Of(db.Networks);
        if (asked.Id is { } id) networks = networks.Where(n => n.Id == new NetworkId(id));
        else foreach (var word in asked.Words) networks = networks.Where(n => (n.Name + " " + n.Description + " " + n.Cidr).ToLower().Contains(word));
        var rows = await networks.OrderBy(n => n.Name == asked.Text ? 0 : n.Name.StartsWith(asked.Text) ? 1 : 2).ThenBy(n => n.Name).Take(asked.Limit)
            .Select(n => new { n.Id, n.Name, n.Cidr, n.Description, Project = db.Projects.Where(p => p.Id == n.Project).Select(p => p.Name).First() }).ToListAsync(stop);
        return new Found([.. rows.Select(n => new SearchHit("network", n.Id.Value, n.Project, n.Name, n.Description.Length > 0 ? $"{n.Cidr} · {n.Description}" : n.Cidr, ""))], rows.Count < asked.Limit ? rows.Count : await networks.LongCountAsync(stop));
    }

    private static async Task<Found> StorageClasses(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var classes = db.StorageClasses.AsQueryable();
        if (asked.Id is { } id) classes = classes.Where(s => s.Id == new StorageClassId(id));
        else foreach (var word in asked.Words) classes = classes.Where(s => (s.Name + " " + s.Description).ToLower().Contains(word));
        var rows = await classes.OrderBy(s => s.Name == asked.Text ? 0 : s.Name.StartsWith(asked.Text) ? 1 : 2).ThenBy(s => s.Name).Take(asked.Limit).ToListAsync(stop);
        return new Found([.. rows.Select(s => new SearchHit("storage-class", s.Id.Value, null, s.Name, $"needs {s.Needs} · {s.Limits}", ""))], rows.Count < asked.Limit ? rows.Count : await classes.LongCountAsync(stop));
    }

    private static async Task<Found> Hosts(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var hosts = db.Hosts.Where(h => h.State != HostState.Retired);
        if (asked.Id is { } id) hosts = db.Hosts.Where(h => h.Id == new HostId(id));
        else foreach (var word in asked.Words) hosts = hosts.Where(h => h.Name.ToLower().Contains(word));
        var total = await hosts.LongCountAsync(stop);
        if (total == 0) return new Found([], 0);
        var rows = await hosts.OrderBy(h => h.Name == asked.Text ? 0 : h.Name.StartsWith(asked.Text) ? 1 : 2).ThenBy(h => h.Name)
            .Take(asked.Limit).Select(h => new { h.Id, h.Name, h.State, h.Facts }).ToListAsync(stop);
        return new Found([.. rows.Select(h => new SearchHit("host", h.Id.Value, null, h.Name, h.Facts?.CpuModel ?? "not reported yet", OperationSteps.Word(h.State)))], total);
    }

    private static async Task<Found> Images(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var images = db.Images.AsQueryable();
        if (asked.Id is { } id) images = images.Where(i => i.Id == new ImageId(id));
        else foreach (var word in asked.Words) images = images.Where(i => (i.Name + " " + i.Description + " " + i.Digest).ToLower().Contains(word));
        var rows = await images.OrderBy(i => i.Name).Take(asked.Limit).ToListAsync(stop);
        return new Found([.. rows.Select(i => new SearchHit("image", i.Id.Value, null, i.Name, i.Description, OperationSteps.Word(i.State)))], rows.Count < asked.Limit ? rows.Count : await images.LongCountAsync(stop));
    }

    private static async Task<Found> Flavors(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var flavors = db.Flavors.AsQueryable();
        if (asked.Id is { } id) flavors = flavors.Where(f => f.Id == new FlavorId(id));
        else foreach (var word in asked.Words) flavors = flavors.Where(f => (f.Name + " " + f.Description).ToLower().Contains(word));
        var rows = await flavors.OrderBy(f => f.Name).Take(asked.Limit).ToListAsync(stop);
        return new Found([.. rows.Select(f => new SearchHit("flavor", f.Id.Value, null, f.Name, $"{f.Vcpus} vCPU, {f.MemoryMib} MiB, {f.DiskGib} GiB", ""))], rows.Count < asked.Limit ? rows.Count : await flavors.LongCountAsync(stop));
    }

    // Operations are many and live for weeks: found by id, or by the beginning of what they worked on, newest first.
    private static async Task<Found> Operations(ConsoleDb db, Asked asked, ProjectFilter mine, CancellationToken stop)
    {
        var operations = asked.Id is { } id
            ? mine.Of(db.Operations).Where(o => o.Id == new OperationId(id))
            : mine.Of(db.Operations).Where(o => string.Compare(o.Target, asked.Text) >= 0 && string.Compare(o.Target, asked.Text + "\U0010FFFF") < 0);
        var total = await operations.LongCountAsync(stop);
        if (total == 0) return new Found([], 0);
        var rows = await operations.OrderByDescending(o => o.CreatedAt).Take(asked.Limit)
            .Select(o => new { o.Id, o.Kind, o.Target, o.State, o.StartedBy, o.CreatedAt }).ToListAsync(stop);
        return new Found([.. rows.Select(o => new SearchHit("operation", o.Id.Value, null, $"{OperationSteps.Title(o.Kind)} {o.Target}", $"by {o.StartedBy}", OperationSteps.Word(o.State)))], total);
    }
}
