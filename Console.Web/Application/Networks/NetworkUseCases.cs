using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Quotas;
using Plinth.Web.Application.Hosts;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Quotas;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Networks;

/// <inheritdoc cref="INetworks"/>
internal sealed class NetworkUseCases(IConsoleStore store, AccessControl access, Mutations mutations, NetworkWriter writer, Lazy<IAgentGateway> gateway, LiveHosts live, ILeadership leadership) : INetworks
{
    /// <summary>A project with more has lost sight of them; each costs a router on its hosts.</summary>
    private const int MaxPerProject = 200;

    public async Task<Result<IReadOnlyList<NetworkView>>> List(Caller caller, string project, CancellationToken stop)
    {
        await using var db = store.Read();
        var owner = await access.Project(db, caller, Permissions.NetworkRead, project, stop);
        if (!owner.Succeeded) return Result<IReadOnlyList<NetworkView>>.No(owner.Refusals);
        var rows = await db.Networks.Where(n => n.Project == owner.Value.Id).OrderBy(n => n.Name).ToListAsync(stop);
        return Result<IReadOnlyList<NetworkView>>.Ok(await Views(db, caller, rows, stop));
    }

    public async Task<Result<NetworkView>> Get(Caller caller, string project, NetworkId network, CancellationToken stop)
    {
        await using var db = store.Read();
        var row = await Readable(db, caller, project, network, stop);
        return row.Succeeded ? (await Views(db, caller, [row.Value], stop))[0] : Result<NetworkView>.No(row.Refusals);
    }

    public async Task<Result<IReadOnlyList<NetworkMemberView>>> Members(Caller caller, string project, NetworkId network, CancellationToken stop)
    {
        await using var db = store.Read();
        var row = await Readable(db, caller, project, network, stop);
        if (!row.Succeeded) return Result<IReadOnlyList<NetworkMemberView>>.No(row.Refusals);
        var taken = await db.NetworkAddresses.Where(a => a.Network == network).ToListAsync(stop);
        var ids = taken.Select(a => a.Vm).Distinct().ToArray();
        var vms = await db.Vms.Where(v => ids.Contains(v.Id)).ToDictionaryAsync(v => v.Id, stop);
        var hosts = await db.Hosts.Select(h => new { h.Id, h.Name }).ToDictionaryAsync(h => h.Id, h => h.Name, stop);
        var veil = await access.Veil(db, caller, stop);
        return Result<IReadOnlyList<NetworkMemberView>>.Ok([.. taken.Where(a => vms.ContainsKey(a.Vm))
            .Select(a => new NetworkMemberView(a.Vm, vms[a.Vm].Name, vms[a.Vm].Host is { } h ? hosts.GetValueOrDefault(h) : null, a.Mac, a.Address, vms[a.Vm].Nics.FirstOrDefault(n => n.Mac == a.Mac)?.Rules ?? [], vms[a.Vm].Version))
            .Select(veil.Of).OrderBy(m => m.VmName, StringComparer.Ordinal)]);
    }

    public async Task<Result<NetworkView>> Create(Caller caller, string project, CreateNetwork request, string? idempotencyKey, CancellationToken stop)
    {
        var made = await mutations.In(caller, Permissions.NetworkManage, project, "network.create", "network", Idempotency.Of(caller, idempotencyKey, "network.create", project, request), async (m, owner) =>
        {
            var others = await m.Db.Networks.Where(n => n.Project == owner.Id).ToListAsync(stop);
            var hosts = await m.Db.Hosts.Where(h => h.State != HostState.Retired && !h.Simulated).ToListAsync(stop);
            var refusals = new RefusalList();
            NameRules.CheckName(refusals, "name", request.Name);
            NameRules.CheckDescription(refusals, "description", request.Description);
            if (NetworkChecks.Range(request.Cidr, others.Select(n => (n.Name, n.Cidr)), hosts.Where(h => h.Facts is { TunnelAddress.Length: > 0 }).Select(h => (h.Name, h.Facts!.TunnelAddress))) is { } range) refusals.Add(range);
            foreach (var no in NetworkChecks.Rules("rules", request.Rules)) refusals.Add(no);
            if (others.Any(n => n.Name == request.Name))
                refusals.Add(Refusal.Conflict("name_taken", $"The project {owner.Name} has a network named {request.Name} already; choose another name.") with { Field = "name" });
            if (others.Count >= MaxPerProject) refusals.Add(Refusal.Conflict("too_many", $"The project {owner.Name} has {others.Count} networks; at most {MaxPerProject} are allowed."));
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            if (await QuotaUse.Check(m.Db, owner, QuotaUse.One(QuotaResources.Networks), stop) is { Count: > 0 } over) return Result<Guid>.No(over);
            var row = new NetworkRow
            {
                Id = NetworkId.New(m.Now), Project = owner.Id, Name = request.Name!, Description = request.Description ?? "", Kind = NetworkKind.Vxlan,
                Cidr = request.Cidr!, Vni = await FreeVni(m.Db, stop), Rules = Stored(request.Rules), CreatedAt = m.Now,
            };
            m.Db.Networks.Add(row);
            (m.Target, m.Detail) = ($"network/{row.Id}", $"{row.Name}: {row.Cidr}, VXLAN {row.Vni}");
            return row.Id.Value;
        }, stop);
        return made.Succeeded ? await Get(caller, project, new NetworkId(made.Value), stop) : Result<NetworkView>.No(made.Refusals);
    }

    public async Task<Result<NetworkView>> Update(Caller caller, string project, NetworkId network, UpdateNetwork request, long? expectedVersion, CancellationToken stop)
    {
        var changed = await mutations.In(caller, Permissions.NetworkManage, project, "network.update", $"network/{network}", async (m, owner) =>
        {
            var row = await Find(m.Db, owner, network, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (expectedVersion is { } seen && seen != row.Value.Version) return Refusal.Stale($"The network has changed since version {seen}; its version is {row.Value.Version}. Read it again.");
            var refusals = new RefusalList();
            NameRules.CheckDescription(refusals, "description", request.Description);
            foreach (var no in NetworkChecks.Rules("rules", request.Rules)) refusals.Add(no);
            if (request.Rules is not null && row.Value.Kind == NetworkKind.HostNat) refusals.Add(NoRules(row.Value.Name));
            if (refusals.Any) return Result<Guid>.No(refusals.All);
            row.Value.Description = request.Description ?? row.Value.Description;
            if (request.Rules is not null)
            {
                row.Value.Rules = Stored(request.Rules);
                await writer.Tell(m.Scope, [network]);
            }
            m.Detail = $"{row.Value.Name}: {Said(row.Value.Rules)}";
            return network.Value;
        }, stop);
        return changed.Succeeded ? await Get(caller, project, network, stop) : Result<NetworkView>.No(changed.Refusals);
    }

    public async Task<Result<Done>> Delete(Caller caller, string project, NetworkId network, CancellationToken stop)
    {
        var deleted = await mutations.In(caller, Permissions.NetworkManage, project, "network.delete", $"network/{network}", async (m, owner) =>
        {
            var row = await Find(m.Db, owner, network, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (row.Value.Kind == NetworkKind.HostNat) return Refusal.Conflict("network_kept", $"The network {row.Value.Name} comes with the project and stays.");
            var ids = await m.Db.NetworkAddresses.Where(a => a.Network == network).Select(a => a.Vm).Distinct().ToListAsync(stop);
            var vms = await m.Db.Vms.Where(v => ids.Contains(v.Id)).OrderBy(v => v.Name).Select(v => v.Name).ToListAsync(stop);
            if (vms.Count > 0)
                return Refusal.Conflict("network_in_use", $"The network {row.Value.Name} has {vms.Count} VM{(vms.Count == 1 ? "" : "s")} on it ({string.Join(", ", vms.Take(5))}{(vms.Count > 5 ? ", …" : "")}). Delete them, or remove their interfaces on it, first.");
            m.Db.Networks.Remove(row.Value);
            m.Detail = $"{row.Value.Name}: {row.Value.Cidr}";
            return network.Value;
        }, stop);
        return deleted.Succeeded ? Done.Value : Result<Done>.No(deleted.Refusals);
    }

    public async Task<Result<Done>> SetInterfaceRules(Caller caller, string project, VmId vm, string mac, SetInterfaceRules request, long? expectedVersion, CancellationToken stop)
    {
        var set = await mutations.In(caller, Permissions.NetworkManage, project, "vm.interface-rules", $"vm/{vm}", async (m, owner) =>
        {
            if (await m.Db.Vms.SingleOrDefaultAsync(v => v.Id == vm && v.Project == owner.Id && v.DeletedAt == null, stop) is not { } row) return Naming.NoVm(vm);
            if (row.Nics.FirstOrDefault(n => n.Mac == mac) is not { } nic) return Refusal.NotFound("interface_not_found", $"The VM {row.Name} has no interface {RefusalList.Quote(mac)}.");
            if (expectedVersion is { } seen && seen != row.Version) return Refusal.Stale($"The VM {row.Name} has changed since version {seen}; its version is {row.Version}. Read it again.");
            if (request.Rules is null) return Refusal.Invalid("rules", "required", "A list of rules is needed; an empty one lets nothing in but what the network's own rules do.");
            if (NetworkChecks.Rules("rules", request.Rules) is { Count: > 0 } no) return Result<Guid>.No(no);
            if (nic.Address is null) return NoRules(nic.Name);
            var rules = Stored(request.Rules);
            row.Nics = [.. row.Nics.Select(n => n.Mac == mac ? n with { Rules = rules } : n)];
            row.UpdatedAt = m.Now;
            await writer.Tell(m.Scope, [nic.Network]);
            m.Detail = $"{row.Name} on {nic.Name}: {Said(rules)}";
            return vm.Value;
        }, stop);
        return set.Succeeded ? Done.Value : Result<Done>.No(set.Refusals);
    }

    internal static Refusal NoRules(string network) =>
        Refusal.Invalid("rules", "no_rules", $"The network {network} stands behind each host's own NAT: nothing comes in from outside, so it has no rules. Use a network of your own.");

    internal static IReadOnlyList<PortRule> Stored(IReadOnlyList<PortRule?>? rules) => [.. (rules ?? []).Select(r => r! with { Ports = r.Ports ?? "" })];

    private static string Said(IReadOnlyList<PortRule> rules) => rules.Count == 0 ? "nothing comes in from outside" : string.Join(", ", rules);

    // The lowest that is free: ids fit into the addresses of uplinks.
    internal static async Task<int> FreeVni(ConsoleDb db, CancellationToken stop)
    {
        var taken = (await db.Networks.Where(n => n.Vni != 0).Select(n => n.Vni).ToListAsync(stop)).ToHashSet();
        return Enumerable.Range(NetworkNames.FirstVni, NetworkNames.LastVni - NetworkNames.FirstVni + 1).First(v => !taken.Contains(v));
    }

    private async Task<Result<NetworkRow>> Readable(ConsoleDb db, Caller caller, string project, NetworkId network, CancellationToken stop)
    {
        var owner = await access.Project(db, caller, Permissions.NetworkRead, project, stop);
        return owner.Succeeded ? await Find(db, owner.Value, network, stop) : Result<NetworkRow>.No(owner.Refusals);
    }

    private static async Task<Result<NetworkRow>> Find(ConsoleDb db, ProjectRow owner, NetworkId network, CancellationToken stop) =>
        await db.Networks.SingleOrDefaultAsync(n => n.Id == network && n.Project == owner.Id, stop) is { } row
            ? row
            : Refusal.NotFound("network_not_found", $"The project {owner.Name} has no network {network}.");

    private async Task<IReadOnlyList<NetworkView>> Views(ConsoleDb db, Caller caller, IReadOnlyList<NetworkRow> rows, CancellationToken stop)
    {
        var veil = await access.Veil(db, caller, stop);
        var ids = rows.Select(n => n.Id).ToArray();
        var members = await db.NetworkAddresses.Where(a => ids.Contains(a.Network))
            .Join(db.Vms.Where(v => v.DeletedAt == null), a => a.Vm, v => v.Id, (a, v) => new { a.Network, v.Host }).ToListAsync(stop);
        var hostIds = members.Where(m => m.Host is not null).Select(m => m.Host!.Value).Distinct().ToArray();
        var hosts = await db.Hosts.Where(h => hostIds.Contains(h.Id)).ToDictionaryAsync(h => h.Id, stop);
        return [.. rows.Select(n =>
        {
            var range = AddressRange.Parse(n.Cidr);
            var own = members.Where(m => m.Network == n.Id).ToArray();
            return veil.Of(new NetworkView(
                n.Id, n.Project, n.Name, n.Description, OperationSteps.Word(n.Kind), n.Cidr, n.Vni == 0 ? null : n.Vni, range.Gateway, n.Vni == 0 ? null : VirtualNetwork.OverlayMtu,
                range.Guests, n.Vni == 0 ? null : own.Length, n.Rules,
                [.. own.Where(m => m.Host is not null).GroupBy(m => m.Host!.Value).Select(g => Conformity(n, hosts[g.Key], g.Count())).OrderBy(h => h.HostName, StringComparer.Ordinal)],
                n.CreatedAt, n.Version));
        })];
    }

    /// <summary>What the host last said about the network and the rules, beside what is wanted.</summary>
    private NetworkHostView Conformity(NetworkRow network, HostRow host, int vms)
    {
        var seen = host.Facilities.FirstOrDefault(f => f.Kind == "network" && f.Id == network.Id.Value);
        var rules = host.Facilities.FirstOrDefault(f => f.Kind == "rules");
        var (reportedAt, stale) = (live.ReportedAt(host.Id, host.ReportedAt), live.IsStale(host.Id, host.ReportedAt) || !leadership.HasSession(gateway.Value, host.Id, host.Connected));
        if (seen is null || rules is null)
            return new NetworkHostView(host.Id, host.Name, vms, null, $"{host.Name} has not reported the network yet; it has answered generation {host.AcceptedGeneration} of {host.Generation}.", "", null, reportedAt, stale);
        var drift = new[] { seen, rules }.Where(f => f.DriftAt is not null).OrderByDescending(f => f.DriftAt).FirstOrDefault();
        return new NetworkHostView(host.Id, host.Name, vms, seen.Ready && rules.Ready, rules.Ready ? seen.Detail : seen.Ready ? rules.Detail : $"{seen.Detail} {rules.Detail}", drift?.Drift ?? "", drift?.DriftAt, reportedAt, stale);
    }
}
