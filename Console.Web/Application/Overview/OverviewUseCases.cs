using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Operations;
using Plinth.Web.Application.Upkeep;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Overview;

/// <inheritdoc cref="IOverview"/>
internal sealed class OverviewUseCases(IConsoleStore store, AccessControl access, LiveHosts live, SelfChecks self, TimeProvider time) : IOverview
{
    // The page shows what is wrong now at a glance; past this the lists with their filters are the better place.
    private const int MaxProblemsOfAKind = 50, RecentOperations = 10;

    public async Task<Result<OverviewView>> Get(Caller caller, CancellationToken stop)
    {
        if (await access.Check(caller, Permissions.OverviewRead, stop) is { } no) return no;
        await using var db = store.Read();
        var hosts = await db.Hosts.Where(h => h.State != HostState.Retired).ToListAsync(stop);
        var states = await db.Vms.Where(v => v.DeletedAt == null).GroupBy(v => v.State).Select(g => new { State = g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.State, g => g.Count, stop);
        var taken = (await Taken.Of(db, null, stop)).Values.Aggregate(Resources.Zero, (sum, host) => sum + host);
        var recent = await db.Operations.OrderByDescending(o => o.CreatedAt).ThenByDescending(o => o.Id).Take(RecentOperations).ToListAsync(stop);
        return new OverviewView(
            hosts.Count, hosts.Count(h => h.State == HostState.Ready), hosts.Count(h => h.State == HostState.Lost),
            states.Values.Sum(), Count(VmState.Running), Count(VmState.Stopped), Count(VmState.Failed), Count(VmState.Waiting), Count(VmState.Lost),
            hosts.Where(h => h.Facts is not null).Aggregate(Resources.Zero, (sum, h) => sum + h.Facts!.Capacity),
            taken,
            [.. (await Problems(db, hosts, stop)).OrderBy(p => p.Severity == "error" ? 0 : 1)],
            [.. recent.Select(OperationViews.View)],
            hosts.Any(h => h.Simulated), hosts.Any(h => h.Facts?.Acceleration == Acceleration.Qemu));

        int Count(VmState state) => states.GetValueOrDefault(state);
    }

    private async Task<List<ProblemView>> Problems(ConsoleDb db, List<HostRow> hosts, CancellationToken stop)
    {
        // Hosts first: what is wrong with a VM often follows from them. Of each kind the newest comes first.
        var problems = hosts.SelectMany(OfHost).OrderByDescending(p => p.Since).ToList();
        var vms = await db.Vms.Where(v => v.State == VmState.Failed || v.State == VmState.Lost || v.State == VmState.Waiting || v.State == VmState.Paused || v.Trouble != "")
            .OrderByDescending(v => v.UpdatedAt).Take(MaxProblemsOfAKind).ToListAsync(stop);
        var projects = await db.Projects.ToDictionaryAsync(p => p.Id, p => p.Name, stop);
        var names = hosts.ToDictionary(h => h.Id, h => h.Name);
        foreach (var v in vms)
        {
            var trouble = VmTrouble.Of(v.State, v.Observed, v.Host is { } on ? names.GetValueOrDefault(on, "its host") : "its host");
            // Asked to start since: the next report tells.
            if (trouble is null && v.State is not (VmState.Failed or VmState.Lost or VmState.Waiting or VmState.Paused)) continue;
            var severe = v.State is VmState.Failed or VmState.Lost || trouble is { Code: not "guest_silent" };
            problems.Add(new ProblemView(severe ? "error" : "warning", $"VM {v.Name} {Is(v.State, trouble)}",
                trouble is null ? v.StateReason : $"{trouble.Sentence} {trouble.Remedy}", $"/projects/{projects[v.Project]}/vms/{v.Id}", trouble?.Since ?? v.UpdatedAt));
        }
        // Certificates stand with their hosts.
        problems.AddRange(self.Current.Where(c => c.State != SelfCheckState.Ok && c.Name != SelfCheckRules.CertificatesName)
            .Select(c => new ProblemView(c.State == SelfCheckState.Error ? "error" : "warning", $"This console: {c.Title.ToLowerInvariant()}", $"{c.Sentence} {c.Remedy}", "/upkeep", c.Since)));
        return problems;
    }

    private static string Is(VmState state, VmTrouble? trouble) => trouble?.Code switch
    {
        "crashed" => "has crashed",
        "guest_silent" => "is silent",
        _ => $"is {VmLifecycle.Word(state)}",
    };

    private IEnumerable<ProblemView> OfHost(HostRow h)
    {
        var now = time.GetUtcNow();
        var href = $"/hosts/{h.Id}";
        var since = live.ReportedAt(h.Id, h.ReportedAt) ?? h.JoinedAt;
        var reason = h.StateReason.Length > 0 ? h.StateReason : HostLifecycle.Sentence(h.State);
        if (h.State is HostState.Lost or HostState.Quarantined) yield return new ProblemView("error", $"Host {h.Name} is {OperationSteps.Word(h.State)}", reason, href, since);
        else if (h.State == HostState.Ready && live.IsStale(h.Id, h.ReportedAt)) yield return new ProblemView("warning", $"Host {h.Name} has not reported for {(int)(now - since).TotalSeconds} s", "What is shown of it may be out of date.", href, since);
        foreach (var f in h.Facilities.Where(f => !f.Ready)) yield return new ProblemView("error", $"The {f.Kind} {f.Name} of {h.Name} is not ready", f.Detail, href, since);
        if (h.UnknownDomains.Count > 0) yield return new ProblemView("warning", $"{h.UnknownDomains.Count} machine{(h.UnknownDomains.Count == 1 ? "" : "s")} on {h.Name} {(h.UnknownDomains.Count == 1 ? "is" : "are")} not Plinth's", string.Join(", ", h.UnknownDomains.Take(5)), href, since);
        if (h.CertificateExpiresAt is { } expires && expires < now + SelfCheckRules.CertificateWarning) yield return new ProblemView("warning", $"The certificate of {h.Name} {(expires < now ? "has expired" : "expires soon")}", $"It is valid until {expires:u}; the agent renews it while it is connected.", href, expires);
    }
}
