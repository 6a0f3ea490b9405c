using Plinth.Agents.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Network;

/// <summary>The host's packet rules: compiled by Core, replaced in one transaction each, read back and compared at every look.</summary>
internal sealed class PacketRules(HostShell shell, TimeProvider time)
{
    private const string Failed = "The packet rules could not be set";

    /// <summary>Lists tables one per line, "null" for one that is not there. Variables: TABLES (words "router:family", "-" for the host's own).</summary>
    private const string List = """
        export PATH=$PATH:/usr/sbin:/sbin
        for table in $TABLES; do
            router=${table%%:*}
            into=; [ "$router" = - ] || into="ip netns exec $router"
            $into nft -j list table "${table#*:}" plinth 2> /dev/null || echo null
        done
        """;

    private IReadOnlyList<string> _inForce = [];
    private string _drift = "";
    private DateTimeOffset? _driftAt;
    private IReadOnlyDictionary<string, RuleCount> _counts = new Dictionary<string, RuleCount>();

    public IReadOnlySet<string> Pinned { get; private set; } = new HashSet<string>();

    /// <summary>As of the last look.</summary>
    public IReadOnlyList<InterfaceDrops> Drops { get; private set; } = [];

    public async Task<ObservedFacility> Ensure(DesiredHostState desired, CancellationToken stop)
    {
        // An interface that is not pinned is not let through: what cannot be pinned stays mute and holds up nobody else.
        desired = desired with { Machines = [.. desired.Machines.Where(m => IsSound(m, desired.Networks))], Networks = [.. desired.Networks.Where(IsSound)] };
        var tables = HostRules.Compile(desired);
        // Comparing what is wanted, not the listing: a table that goes on is no drift when what is wanted has changed.
        string[] wanted = [.. tables.Select(t => t.Script(new Dictionary<string, RuleCount>()))];
        var listings = await Listings(tables, stop);
        var found = tables.Zip(listings, (t, l) => t.Differences(l)).ToArray();
        _counts = Newest(listings[0]);
        for (var i = 0; i < tables.Count; i++)
        {
            if (found[i].Count > 0) await Apply(tables[i], i == 0 ? _counts : RuleTable.Counts(listings[i]), stop);
            if (i == 0) Pinned = desired.Machines.SelectMany(m => m.Nics).Select(n => n.Mac).ToHashSet();
        }
        if (found.Any(f => f.Count > 0))
        {
            if (_inForce.SequenceEqual(wanted)) (_drift, _driftAt) = ($"Put right: {string.Join("; ", found.SelectMany(f => f))}.", time.GetUtcNow());
            var left = tables.Zip(await Listings(tables, stop), (t, l) => t.Differences(l)).SelectMany(d => d).ToArray();
            if (left.Length > 0) throw new HypervisorException("rules_differ", $"The packet rules were set and are not as wanted: {string.Join("; ", left)}. Another program may be changing them.");
        }
        _inForce = wanted;
        Drops = HostRules.Drops(desired, _counts);
        var pinned = desired.Machines.Sum(m => m.Nics.Count);
        return new ObservedFacility("rules", "anti-spoofing", true, $"{pinned} guest interface{(pinned == 1 ? "" : "s")} pinned to their own addresses; read back and compared.", _drift, _driftAt);
    }

    private static bool IsSound(DesiredMachine machine, IReadOnlyList<NetworkConfig> networks) => Sound(() => DomainRules.Check(machine, networks));

    private static bool IsSound(NetworkConfig network) => Sound(() => DomainRules.Check(network));

    private static bool Sound(Action check)
    {
        try
        {
            check();
            return true;
        }
        catch (HypervisorException)
        {
            return false;
        }
    }

    // Rules that somebody flushed took their counts with them: what was last seen goes on.
    private Dictionary<string, RuleCount> Newest(string? listing)
    {
        var counts = new Dictionary<string, RuleCount>(_counts);
        foreach (var (name, count) in RuleTable.Counts(listing)) counts[name] = count;
        return counts;
    }

    private async Task<string?[]> Listings(IReadOnlyList<RuleTable> tables, CancellationToken stop)
    {
        var said = await shell.Script(Failed, List, new Dictionary<string, string> { ["TABLES"] = string.Join(' ', tables.Select(t => $"{(t.Router is { } r ? NetworkNames.Router(r) : "-")}:{t.Family}")) }, stop);
        string?[] listings = [.. said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l == "null" ? null : l)];
        return listings.Length == tables.Count ? listings : throw new HypervisorException("rules_unread", $"The packet rules could not be read: nft gave {listings.Length} answers for {tables.Count} tables.");
    }

    private Task Apply(RuleTable table, IReadOnlyDictionary<string, RuleCount> carried, CancellationToken stop)
    {
        string[] into = table.Router is { } router ? ["ip", "netns", "exec", NetworkNames.Router(router)] : [];
        return shell.Run(Failed, [.. into, "nft", "-j", "-f", "-"], table.Script(carried), stop);
    }
}
