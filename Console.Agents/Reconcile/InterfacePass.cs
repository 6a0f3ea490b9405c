using Plinth.Agents.Machines;
using Plinth.Agents.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>The interface pass of the reconciler: one act a round for each interface that is not as it should be, side by side.</summary>
/// <param name="ended">An act on an interface of this VM has ended.</param>
internal sealed class InterfacePass(IHypervisor host, TimeProvider time, AgentLog log, Action<VmId> ended)
{
    // Each is a moment's work for libvirt, which does one at a time for a machine anyway.
    private const int ActsAtOnce = 4;

    private readonly SemaphoreSlim _room = new(ActsAtOnce);
    private readonly Lock _gate = new();
    private readonly Dictionary<(VmId Vm, string Mac), InterfaceWork> _works = [];
    private long _moment;

    public DateTimeOffset? DueAt
    {
        get
        {
            lock (_gate) return _works.Values.Min(w => w.DueAt);
        }
    }

    /// <summary>In the order of the MAC addresses.</summary>
    /// <param name="addresses">What the guest says it has on an interface.</param>
    public IReadOnlyList<ObservedInterface> Observed(VmId vm, Func<string, IReadOnlyList<string>> addresses)
    {
        lock (_gate) return [.. _works.Values.Where(w => w.Vm == vm && w.Pictured).OrderBy(w => w.Mac, StringComparer.Ordinal).Select(w => w.Observe(addresses(w.Mac)))];
    }

    public async Task Run(DesiredHostState desired, IReadOnlyDictionary<VmId, DomainInfo> domains, CancellationToken stop)
    {
        var wanted = desired.Machines.SelectMany(m => m.Nics.Select(n => (Key: (m.Vm, n.Mac), Nic: n))).ToDictionary(n => n.Key, n => n.Nic);
        var networks = desired.Networks.ToDictionary(n => n.Id);
        long begun;
        lock (_gate)
        {
            foreach (var gone in _works.Where(w => !w.Value.Busy && !wanted.ContainsKey(w.Key)).Select(w => w.Key).ToList()) _works.Remove(gone);
            begun = _moment;
        }
        if (wanted.Count == 0) return;
        var there = (await host.Interfaces(stop)).ToDictionary(i => (i.Vm, i.Mac));
        lock (_gate)
        {
            foreach (var (key, nic) in wanted)
            {
                if (!_works.TryGetValue(key, out var work)) _works[key] = work = new InterfaceWork(key.Vm, key.Mac);
                // An act that ended since the picture was begun knows better than the picture.
                if (work.Busy || work.TouchedAt > begun) continue;
                work.See(nic, there.GetValueOrDefault(key));
                var sight = new InterfaceSight(nic, work.Info, domains.TryGetValue(key.Vm, out var domain) ? domain.State : DomainState.Absent, host.Pinned.Contains(key.Mac), work.LastAsk);
                Consider(work, sight, networks.GetValueOrDefault(nic.Network), stop);
            }
        }
    }

    private void Consider(InterfaceWork work, InterfaceSight sight, NetworkConfig? network, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var action = InterfacePlan.Next(sight, now);
        work.Gone = action is InterfaceAction.Fulfilled;
        switch (action)
        {
            case InterfaceAction.Rest rest:
                work.Succeeded();
                work.DueAt = rest.Until;
                return;
            case InterfaceAction.Fulfilled:
                work.Succeeded();
                return;
            case InterfaceAction.AwaitRules:
                work.Problem ??= new MachineProblem("rules_missing", $"The packet rules do not pin the interface {work.Mac} yet; it is added when they do.", action.Step, Final: false);
                return;
        }
        if (work.Problem is { Final: true } || (work.Problem is not null && work.DueAt > now)) return;
        work.Busy = true;
        _ = Task.Run(() => Do(work, action, network, stop), CancellationToken.None);
    }

    private async Task Do(InterfaceWork work, InterfaceAction action, NetworkConfig? network, CancellationToken stop)
    {
        var entered = false;
        MachineProblem? problem = null;
        try
        {
            await _room.WaitAsync(stop);
            entered = true;
            if (action is InterfaceAction.Remove)
                lock (_gate) work.Asked(time.GetUtcNow());
            await (action switch
            {
                InterfaceAction.Add add => host.AddInterface(work.Vm, add.Nic, network ?? throw Refusals.NetworkMissing(add.Nic.Network), stop),
                InterfaceAction.Remove => host.RemoveInterface(work.Vm, work.Mac, stop),
                _ => throw new ArgumentOutOfRangeException(nameof(action), action, "is nothing to do"),
            });
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (HypervisorException e)
        {
            problem = new MachineProblem(e.Code, e.Message, action.Step, e.Final);
        }
        catch (Exception e)
        {
            log.Fault($"interface {work.Mac} of VM {work.Vm}, {action.GetType().Name}", e);
            problem = new MachineProblem("agent_fault", $"The agent failed: {e.Message}. It tries again; its log has more.", action.Step, false);
        }
        finally
        {
            if (entered) _room.Release();
            lock (_gate)
            {
                if (problem is null) work.Succeeded();
                else work.Failed(problem, time.GetUtcNow());
                work.Busy = false;
                work.TouchedAt = ++_moment;
            }
            if (problem is not null) log.Warn($"interface {work.Mac} of VM {work.Vm}: {problem.Message}");
            ended(work.Vm);
        }
    }
}

/// <summary>What this process knows about one interface. Guarded by the pass's gate.</summary>
internal sealed class InterfaceWork(VmId vm, string mac)
{
    private bool? _leaving;
    private DateTimeOffset? _firstAsk;
    private int _failures;

    public VmId Vm { get; } = vm;
    public string Mac { get; } = mac;
    public InterfaceInfo? Info { get; private set; }
    public bool Pictured => _leaving is not null;
    public bool Busy { get; set; }
    public long TouchedAt { get; set; }
    public DateTimeOffset? DueAt { get; set; }
    public DateTimeOffset? LastAsk { get; private set; }
    public MachineProblem? Problem { get; set; }
    public bool Gone { get; set; }

    public void See(DesiredNic wanted, InterfaceInfo? info)
    {
        // A new wish is a new chance, and a new request to the guest.
        if (wanted.Leaving != _leaving) (Problem, DueAt, _failures, LastAsk, _firstAsk) = (null, null, 0, null, null);
        (_leaving, Info) = (wanted.Leaving, info);
    }

    public void Asked(DateTimeOffset now) => (LastAsk, _firstAsk) = (now, _firstAsk ?? now);

    public void Succeeded() => (Problem, DueAt, _failures) = (null, null, 0);

    public void Failed(MachineProblem problem, DateTimeOffset now)
    {
        (Problem, _failures) = (problem, _failures + 1);
        DueAt = problem.Final ? null : now + Backoff.After(_failures);
    }

    public ObservedInterface Observe(IReadOnlyList<string> addresses) =>
        new(Mac, Info?.Configured ?? false, Info?.Plugged ?? false, _leaving ?? false, _firstAsk, Gone, Problem, addresses);
}
