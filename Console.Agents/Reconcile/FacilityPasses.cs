using Plinth.Agents.Machines;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>The storage and the network pass: pools and networks exist before anything is made in them.</summary>
internal sealed class FacilityPasses(IHypervisor hypervisor, TimeProvider time, AgentLog log)
{
    /// <summary>Somebody may have stopped a pool or network on the host: looked after at this pace.</summary>
    private static readonly TimeSpan CheckEvery = TimeSpan.FromMinutes(1);

    private readonly Dictionary<(string Kind, string Name), Item> _items = [];

    private bool _invalid;

    // What an earlier run of the agent left is looked for once.
    private bool _pruned;

    public IReadOnlyList<InterfaceDrops> Drops { get; private set; } = [];

    /// <summary>Why the VM must not be started now; null when all its interfaces are pinned.</summary>
    public string? Unprotected(DesiredMachine machine) =>
        machine.Nics.FirstOrDefault(n => !hypervisor.Pinned.Contains(n.Mac)) is { } nic
            ? $"The packet rules do not pin the interface {nic.Mac} yet; the VM is started when they do." + (Observed.FirstOrDefault(f => f.Kind == "rules") is { Ready: false } no ? " " + no.Detail : "")
            : null;

    /// <summary>As last seen, in the order storage, network, rules, limits.</summary>
    public IReadOnlyList<ObservedFacility> Observed { get; private set; } = [];

    public DateTimeOffset? DueAt => _items.Count == 0 ? null : _items.Values.Min(i => i.DueAt);

    /// <summary>True when what is observed has changed.</summary>
    public async Task<bool> Run(DesiredHostState desired, CancellationToken stop)
    {
        if (Interlocked.Exchange(ref _invalid, false))
            foreach (var item in _items.Values) item.DueAt = DateTimeOffset.MinValue;
        foreach (var pool in desired.Pools)
            await Ensure(("storage", pool.Name), pool, CheckEvery, () => hypervisor.EnsurePool(pool, stop), stop);
        foreach (var network in desired.Networks)
            await Ensure(("network", KeyOf(network)), network, network.Overlay is null ? CheckEvery : hypervisor.NetworkLookEvery, () => hypervisor.EnsureNetwork(network, stop), stop);
        await Ensure(("rules", "anti-spoofing"), desired, hypervisor.NetworkLookEvery, () => hypervisor.EnsureRules(desired, stop), stop);
        await Ensure(("limits", "disk limits"), desired, hypervisor.LimitsLookEvery, () => hypervisor.EnsureLimits(desired, stop), stop);
        await Prune(desired, stop);
        var observed = _items.Values.Select(i => i.Observed).ToList();
        if (observed.SequenceEqual(Observed) && hypervisor.Drops.SequenceEqual(Drops)) return false;
        (Observed, Drops) = (observed, hypervisor.Drops);
        return true;
    }

    /// <summary>The hypervisor was restarted: what it said before may not hold.</summary>
    public void Invalidate() => _invalid = true;

    // Two projects may each have a network of the same name.
    private static string KeyOf(NetworkConfig network) => network.Overlay is null ? network.Name : network.Id.ToString();

    /// <summary>A network that is no longer wanted leaves the picture; the host loses it once no guest's interface is on it.</summary>
    private async Task Prune(DesiredHostState desired, CancellationToken stop)
    {
        var wanted = desired.Networks.Select(KeyOf).ToHashSet();
        foreach (var gone in _items.Keys.Where(k => k.Kind == "network" && !wanted.Contains(k.Name)).ToList())
        {
            _items.Remove(gone);
            _pruned = false;
        }
        if (_pruned) return;
        try
        {
            await hypervisor.PruneNetworks(desired.Networks, stop);
            // A guest that is still going keeps its network for now: another look with the next change.
            _pruned = desired.Tombstones.Count == 0;
        }
        catch (HypervisorException e)
        {
            log.Warn(e.Message);
        }
    }

    private async Task Ensure((string Kind, string Name) key, object configuration, TimeSpan every, Func<Task<ObservedFacility>> ensure, CancellationToken stop)
    {
        var (kind, name) = (key.Kind, configuration is NetworkConfig n ? n.Name : key.Name);
        var id = (configuration as NetworkConfig)?.Id.Value;
        var now = time.GetUtcNow();
        if (_items.TryGetValue(key, out var item) && item.Configuration.Equals(configuration) && item.DueAt > now) return;
        item ??= _items[key] = new Item(configuration, new ObservedFacility(kind, name, false, "not made yet", Id: id));
        item.Configuration = configuration;
        try
        {
            item.Observed = await ensure() with { Id = id };
            item.Failures = item.Observed.Ready ? 0 : item.Failures + 1;
        }
        catch (HypervisorException e)
        {
            item.Failures++;
            item.Observed = item.Observed with { Ready = false, Detail = e.Message };
            log.Warn($"{kind} '{name}': {e.Message}");
        }
        stop.ThrowIfCancellationRequested();
        item.DueAt = time.GetUtcNow() + (item.Failures == 0 ? every : Backoff.After(item.Failures));
    }

    private sealed class Item(object configuration, ObservedFacility observed)
    {
        public object Configuration { get; set; } = configuration;
        public ObservedFacility Observed { get; set; } = observed;
        public DateTimeOffset DueAt { get; set; } = DateTimeOffset.MinValue;
        public int Failures { get; set; }
    }
}
