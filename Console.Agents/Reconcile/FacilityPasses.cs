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

    /// <summary>As last seen, in the order storage, network.</summary>
    public IReadOnlyList<ObservedFacility> Observed { get; private set; } = [];

    public DateTimeOffset? DueAt => _items.Count == 0 ? null : _items.Values.Min(i => i.DueAt);

    /// <summary>True when what is observed has changed.</summary>
    public async Task<bool> Run(DesiredHostState desired, CancellationToken stop)
    {
        if (Interlocked.Exchange(ref _invalid, false))
            foreach (var item in _items.Values) item.DueAt = DateTimeOffset.MinValue;
        foreach (var storageClass in desired.StorageClasses)
            await Ensure("storage", storageClass.Name, storageClass, () => hypervisor.EnsurePool(storageClass, stop), stop);
        foreach (var network in desired.Networks)
            await Ensure("network", network.Name, network, () => hypervisor.EnsureNetwork(network, stop), stop);
        var observed = _items.Values.Select(i => i.Observed).ToList();
        if (observed.SequenceEqual(Observed)) return false;
        Observed = observed;
        return true;
    }

    /// <summary>The hypervisor was restarted: what it said before may not hold.</summary>
    public void Invalidate() => _invalid = true;

    private async Task Ensure(string kind, string name, object configuration, Func<Task<ObservedFacility>> ensure, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        if (_items.TryGetValue((kind, name), out var item) && item.Configuration.Equals(configuration) && item.DueAt > now) return;
        item ??= _items[(kind, name)] = new Item(configuration, new ObservedFacility(kind, name, false, "not made yet"));
        item.Configuration = configuration;
        try
        {
            item.Observed = await ensure();
            item.Failures = item.Observed.Ready ? 0 : item.Failures + 1;
        }
        catch (HypervisorException e)
        {
            item.Failures++;
            item.Observed = new ObservedFacility(kind, name, false, e.Message);
            log.Warn($"{kind} '{name}': {e.Message}");
        }
        stop.ThrowIfCancellationRequested();
        item.DueAt = time.GetUtcNow() + (item.Failures == 0 ? CheckEvery : Backoff.After(item.Failures));
    }

    private sealed class Item(object configuration, ObservedFacility observed)
    {
        public object Configuration { get; set; } = configuration;
        public ObservedFacility Observed { get; set; } = observed;
        public DateTimeOffset DueAt { get; set; } = DateTimeOffset.MinValue;
        public int Failures { get; set; }
    }
}
