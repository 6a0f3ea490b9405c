using Plinth.Agents.Machines;
using Plinth.Agents.Storage;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>The volume pass of the reconciler: one act a round for each volume that is not as it should be, side by side.</summary>
internal sealed class VolumePass(IVolumeHost host, TimeProvider time, AgentLog log, Action ended)
{
    // As many as a host's storage does well at once.
    private const int ActsAtOnce = 4;

    private readonly SemaphoreSlim _room = new(ActsAtOnce);
    private readonly Lock _gate = new();
    private readonly Dictionary<VolumeId, VolumeWork> _works = [];
    private long _moment;

    public DateTimeOffset? DueAt
    {
        get
        {
            lock (_gate) return _works.Values.Min(w => w.DueAt);
        }
    }

    public IReadOnlyList<ObservedVolume> Observed
    {
        get
        {
            lock (_gate) return [.. _works.Values.Where(w => w.Pictured).OrderBy(w => w.Volume.Value).Select(w => w.Observe())];
        }
    }

    public async Task Run(DesiredHostState desired, IReadOnlyDictionary<VmId, DomainInfo> domains, CancellationToken stop)
    {
        var wanted = (desired.Volumes ?? []).ToDictionary(v => v.Volume);
        var tombstones = (desired.VolumeTombstones ?? []).ToHashSet();
        long begun;
        lock (_gate)
        {
            foreach (var gone in _works.Values.Where(w => !w.Busy && !wanted.ContainsKey(w.Volume) && !tombstones.Contains(w.Volume)).ToList()) _works.Remove(gone.Volume);
            begun = _moment;
        }
        if (wanted.Count == 0 && tombstones.Count == 0) return;
        var there = (await host.Volumes(stop)).ToDictionary(v => v.Volume);
        lock (_gate)
        {
            foreach (var id in tombstones.Concat(wanted.Keys).Distinct())
            {
                if (!_works.TryGetValue(id, out var work)) _works[id] = work = new VolumeWork(id);
                // An act that ended since the picture was begun knows better than the picture.
                if (work.Busy || work.TouchedAt > begun) continue;
                // Where a mistake names it as both, what a person asked to be destroyed is not built up again.
                var volume = tombstones.Contains(id) ? null : wanted[id];
                work.See(volume, there.GetValueOrDefault(id), desired.Generation);
                Consider(work, new VolumeSight(volume, work.Info, volume?.Vm is { } vm && domains.TryGetValue(vm, out var domain) ? domain.State : DomainState.Absent, work.LastAsk), stop);
            }
        }
    }

    private void Consider(VolumeWork work, VolumeSight sight, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var action = VolumePlan.Next(sight, now);
        work.Gone = action is VolumeAction.Fulfilled;
        switch (action)
        {
            case VolumeAction.Rest rest:
                work.Succeeded();
                work.DueAt = rest.Until;
                return;
            case VolumeAction.Fulfilled:
                work.Succeeded();
                return;
            case VolumeAction.Refuse refuse:
                (work.Problem, work.DueAt) = (new MachineProblem(refuse.Code, refuse.Message, refuse.Step, Final: true), null);
                return;
        }
        if (work.Problem is { Final: true } || (work.Problem is not null && work.DueAt > now)) return;
        work.Busy = true;
        _ = Task.Run(() => Do(work, action, stop), CancellationToken.None);
    }

    private async Task Do(VolumeWork work, VolumeAction action, CancellationToken stop)
    {
        var entered = false;
        MachineProblem? problem = null;
        try
        {
            await _room.WaitAsync(stop);
            entered = true;
            if (action is VolumeAction.Detach)
                lock (_gate) work.Asked(time.GetUtcNow());
            await (action switch
            {
                VolumeAction.Make make => host.EnsureVolume(make.Volume, stop),
                VolumeAction.Grow grow => host.EnsureVolume(grow.Volume, stop),
                VolumeAction.Attach attach => host.Attach(attach.Volume, attach.Vm, stop),
                VolumeAction.Detach detach => host.Detach(work.Volume, detach.Vm, stop),
                VolumeAction.Remove => host.RemoveVolume(work.Volume, stop),
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
            log.Fault($"volume {work.Volume}, {action.GetType().Name}", e);
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
            if (problem is not null) log.Warn($"volume {work.Volume}: {problem.Message}");
            ended();
        }
    }
}

/// <summary>What this process knows about one volume. Guarded by the pass's gate.</summary>
internal sealed class VolumeWork(VolumeId volume)
{
    private DesiredVolume? _wanted;
    private Generation _answers;
    private DateTimeOffset? _firstAsk;
    private int _failures;

    public VolumeId Volume { get; } = volume;
    public VolumeInfo? Info { get; private set; }
    public bool Pictured { get; private set; }
    public bool Busy { get; set; }
    public long TouchedAt { get; set; }
    public DateTimeOffset? DueAt { get; set; }
    public DateTimeOffset? LastAsk { get; private set; }
    public MachineProblem? Problem { get; set; }
    public bool Gone { get; set; }

    public void See(DesiredVolume? wanted, VolumeInfo? info, Generation answers)
    {
        // A new wish is a new chance, and a new request to the guest.
        if (wanted != _wanted) (Problem, DueAt, _failures, LastAsk, _firstAsk) = (null, null, 0, null, null);
        (_wanted, Info, _answers, Pictured) = (wanted, info, answers, true);
    }

    public void Asked(DateTimeOffset now) => (LastAsk, _firstAsk) = (now, _firstAsk ?? now);

    public void Succeeded() => (Problem, DueAt, _failures) = (null, null, 0);

    public void Failed(MachineProblem problem, DateTimeOffset now)
    {
        (Problem, _failures) = (problem, _failures + 1);
        DueAt = problem.Final ? null : now + Backoff.After(_failures);
    }

    public ObservedVolume Observe() => new(Volume, _answers, Info?.SizeBytes ?? 0, Info?.Vm, Info?.Plugged ?? false, _firstAsk, Gone, Problem);
}
