using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>
/// Makes the host what its desired state says, in fixed passes: storage, network, picture, images, machines, volumes, interfaces. Takes no hints: a
/// signal or the clock wakes it, it reads everything, and each act is idempotent. VMs are worked on side by side and never wait for each other's failures.
/// </summary>
internal sealed partial class HostReconciler
{
    // Making disks and starting guests is heavy on one host's storage; more at once would only make each slower.
    private const int ActsAtOnce = 8;

    /// <summary>A missed event is found at the latest after this.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly IHypervisor _hypervisor;
    private readonly AgentLedger _ledger;
    private readonly ImageFetcher _images;
    private readonly TimeProvider _time;
    private readonly AgentLog _log;
    private readonly Guid _boot;
    private readonly FacilityPasses _facilities;
    private readonly MachineExecutor _executor;
    private readonly VolumePass _volumes;
    private readonly InterfacePass _interfaces;
    private readonly GuestWatch _guests;
    private readonly WakeSignal _wake;
    private readonly SemaphoreSlim _room = new(ActsAtOnce);
    private readonly Lock _gate = new();
    private readonly Dictionary<VmId, MachineWork> _works = [];
    private IReadOnlyList<string> _foreign = [];
    private Generation _answers;
    private string? _trouble;
    private long _moment;

    /// <param name="boot">The host's boot id: another one means that every guest was lost with the former.</param>
    public HostReconciler(IHypervisor hypervisor, AgentLedger ledger, IImageSource images, Guid boot, TimeProvider time, AgentLog log)
    {
        (_hypervisor, _ledger, _boot, _time, _log) = (hypervisor, ledger, boot, time, log);
        _images = new ImageFetcher(hypervisor, images, time, log);
        _images.Changed += _ => Wake();
        _facilities = new FacilityPasses(hypervisor, time, log);
        _executor = new MachineExecutor(hypervisor, time);
        _volumes = new VolumePass(hypervisor, time, log, () =>
        {
            Changed?.Invoke();
            Wake();
        });
        _interfaces = new InterfacePass(hypervisor, time, log, InterfaceChanged);
        _guests = new GuestWatch(hypervisor, time, log, GuestAnswered, GuestSilent);
        _wake = new WakeSignal(time);
    }

    /// <summary>Something that is reported may have changed.</summary>
    public event Action? Changed;

    /// <summary>Complete rounds so far.</summary>
    internal long Rounds { get; private set; }

    public void Wake() => _wake.Set();

    public async Task Run(CancellationToken stop)
    {
        var events = FollowEvents(stop);
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            var due = _time.GetUtcNow() + LookEvery;
            try
            {
                var next = await Pass(stop);
                if (next < due) due = next;
                failures = 0;
                Rounds++;
                Changed?.Invoke();
            }
            catch (HypervisorException e)
            {
                failures++;
                Trouble(e.Message);
                due = _time.GetUtcNow() + Backoff.After(Math.Min(failures, 4));
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            try
            {
                await _wake.Wait(due, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
        }
        await events;
    }

    /// <summary>One round; the moment at which the next is due at the latest.</summary>
    private async Task<DateTimeOffset> Pass(CancellationToken stop)
    {
        var desired = _ledger.State.Desired;
        if (desired is not null && await _facilities.Run(desired, stop)) Changed?.Invoke();
        long begun;
        lock (_gate) begun = _moment;
        var picture = await HostPicture.Read(_hypervisor, stop);
        lock (_gate)
        {
            if (_trouble is not null) _log.Info("the hypervisor answers again");
            _trouble = null;
            _foreign = picture.Foreign;
            var tombstones = desired?.Tombstones.Select(t => t.Vm).ToHashSet() ?? [];
            var machines = desired?.Machines.ToDictionary(m => m.Vm) ?? [];
            // Remove before adding: what goes makes room for what comes.
            foreach (var vm in tombstones.Concat(machines.Keys).Concat(picture.Domains.Keys).Distinct().ToList())
            {
                if (!_works.TryGetValue(vm, out var work)) _works[vm] = work = new MachineWork(vm);
                // A copy for a machine that must go is not waited for.
                if (tombstones.Contains(vm)) work.Copying?.Cancel();
                // A worker that was active since the picture was begun knows better than the picture.
                if (!work.Busy && work.TouchedAt <= begun)
                {
                    work.Domain = picture.Domains.GetValueOrDefault(vm);
                    work.HasFiles = picture.FileOwners.Contains(vm);
                    work.FormerFiles = picture.FormerFileOwners.Contains(vm);
                    work.Pictured = true;
                    Consider(work, desired, stop);
                }
            }
            foreach (var gone in _works.Values.Where(w => !w.Busy && w.Domain is null && !tombstones.Contains(w.Vm) && !machines.ContainsKey(w.Vm)).ToList())
            {
                _works.Remove(gone.Vm);
                _guests.Unfollow(gone.Vm);
            }
            _answers = desired?.Generation ?? Generation.None;
        }
        if (desired is not null)
        {
            await _volumes.Run(desired, picture.Domains, stop);
            await _interfaces.Run(desired, picture.Domains, stop);
        }
        lock (_gate)
        {
            var dues = _works.Values.Select(w => w.DueAt).Append(_facilities.DueAt).Append(_volumes.DueAt).Append(_interfaces.DueAt).OfType<DateTimeOffset>();
            return dues.DefaultIfEmpty(DateTimeOffset.MaxValue).Min();
        }
    }

    private void Consider(MachineWork work, DesiredHostState? desired, CancellationToken stop)
    {
        var now = _time.GetUtcNow();
        var view = View(work, desired, now);
        work.Answers = desired?.Generation ?? Generation.None;
        Follow(work, view, stop);
        var wanted = Wanted(view);
        if (work.Problem is not null && work.ProblemFor != wanted) work.Succeeded();
        var action = MachinePlan.Next(view, now);
        if (Settle(work, view, action, stop)) return;
        if (work.Problem is { Final: true } || (work.Problem is not null && work.DueAt > now)) return;
        work.Busy = true;
        _ = Task.Run(() => Work(work, stop), CancellationToken.None);
    }

    /// <summary>Deals with everything that needs no act on the host. True when nothing else is to be done now.</summary>
    private bool Settle(MachineWork work, MachineView view, MachineAction action, CancellationToken stop)
    {
        switch (action)
        {
            case Rest rest:
                work.Succeeded();
                work.Progress = null;
                work.DueAt = rest.Until;
                return true;
            case AwaitImage wait:
                var download = _images.Ensure(wait.Image, stop);
                if (download is null) return false;
                work.Progress = download.Running ? download.Progress : null;
                (work.Problem, work.ProblemFor, work.DueAt) = (download.Problem, Wanted(view), download.RetryAt);
                return true;
            case Fulfilled:
                work.Succeeded();
                (work.Gone, work.Progress, work.Guest) = (true, null, GuestInfo.Unknown);
                if (_ledger.State.Machines.ContainsKey(work.Vm)) _ledger.Record(new MachineForgottenEntry(work.Vm));
                return true;
            case Refuse refuse:
                (work.Problem, work.ProblemFor, work.DueAt) = (new MachineProblem(refuse.Code, refuse.Message, refuse.At, Final: true), Wanted(view), null);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Act after act for one VM until it rests, by its newest desired state.</summary>
    private async Task Work(MachineWork work, CancellationToken stop)
    {
        MachineAction action = new Rest();
        var wanted = new MachineWish(false, 0, null, null);
        var entered = false;
        try
        {
            await _room.WaitAsync(stop);
            entered = true;
            while (true)
            {
                MachineView view;
                IReadOnlyList<NetworkConfig> networks;
                lock (_gate)
                {
                    var (desired, now) = (_ledger.State.Desired, _time.GetUtcNow());
                    view = View(work, desired, now);
                    wanted = Wanted(view);
                    networks = desired?.Networks ?? [];
                    action = MachinePlan.Next(view, now);
                    if (Settle(work, view, action, stop)) return;
                    work.Progress = Doing(action);
                }
                if (work.Progress is not null) Changed?.Invoke();
                if (action is StartDomain && view.Desired is { } starting && _facilities.Unprotected(starting) is { } unprotected) throw new HypervisorException("rules_missing", unprotected);
                var copying = action is MakeDisks { Machine: var made } && made.Disks.Any(d => d.Source is not null) ? CancellationTokenSource.CreateLinkedTokenSource(stop) : null;
                lock (_gate) work.Copying = copying;
                var outcome = await _executor.Do(action, view, work.Domain, networks, progress => Told(work, progress), copying?.Token ?? stop);
                lock (_gate)
                {
                    work.EndCopy();
                    Remember(outcome.Facts);
                    (work.Domain, work.HasFiles, work.FormerFiles, work.Progress) = (outcome.Domain, outcome.HasFiles, outcome.FormerFiles ?? work.FormerFiles, null);
                    if (outcome.AskedShutdownAt is { } asked) work.LastShutdownAsk = asked;
                    work.Succeeded();
                    work.Answers = _ledger.State.Generation;
                    Follow(work, view, stop);
                }
                Changed?.Invoke();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested || work.Copying is { IsCancellationRequested: true })
        {
        }
        catch (HypervisorException e)
        {
            Failed(work, new MachineProblem(e.Code, e.Message, action.Step, e.Final), wanted);
        }
        catch (Exception e)
        {
            _log.Fault($"VM {work.Vm}, {action.GetType().Name}", e);
            Failed(work, new MachineProblem("agent_fault", $"The agent failed: {e.Message}. It tries again; its log has more.", action.Step, false), wanted);
        }
        finally
        {
            if (entered) _room.Release();
            lock (_gate)
            {
                work.Busy = false;
                work.EndCopy();
                work.TouchedAt = ++_moment;
            }
            Changed?.Invoke();
            Wake();
        }
    }

    private void Told(MachineWork work, Progress progress)
    {
        // It has come further than what failed before.
        lock (_gate) (work.Progress, work.Problem) = (progress, null);
        Changed?.Invoke();
    }

    private void Failed(MachineWork work, MachineProblem problem, MachineWish wanted)
    {
        lock (_gate)
        {
            work.Progress = null;
            work.Failed(problem, wanted, _time.GetUtcNow());
        }
        _log.Warn($"VM {work.Vm}: {problem.Message}");
    }

    private MachineView View(MachineWork work, DesiredHostState? desired, DateTimeOffset now)
    {
        var facts = _ledger.State.Facts(work.Vm);
        var tombstone = desired?.Tombstones.Any(t => t.Vm == work.Vm) ?? false;
        if (!work.Gone || !tombstone) facts = Remember(facts.Seen(work.State, work.Domain?.Off ?? OffReason.None, work.Domain?.StartKey ?? "", _boot, now));
        return new MachineView(desired?.Machines.FirstOrDefault(m => m.Vm == work.Vm), tombstone, work.State, work.HasFiles, facts, _boot, work.LastShutdownAsk, _images.Has, work.Domain?.Disk ?? 0, work.FormerFiles);
    }

    private MachineFacts Remember(MachineFacts facts)
    {
        var known = _ledger.State.Facts(facts.Vm);
        if (facts == known) return known;
        if (facts.StartKey != known.StartKey && _works.TryGetValue(facts.Vm, out var work)) (work.Guest, work.GuestAgentAt, work.GuestSilentSince) = (GuestInfo.Unknown, null, null);
        _ledger.Record(new MachineEntry(facts));
        return facts;
    }

    private void Follow(MachineWork work, MachineView view, CancellationToken stop)
    {
        if (work.State == DomainState.Running && view.Desired is { HasGuestAgent: true } && !view.Tombstone)
        {
            var facts = _ledger.State.Facts(work.Vm);
            _guests.Follow(work.Vm, work.Domain!.StartKey, facts.StartKey == work.Domain.StartKey && facts.GuestAgentAt is not null, stop);
        }
        else _guests.Unfollow(work.Vm);
    }

    private async Task FollowEvents(CancellationToken stop)
    {
        try
        {
            await foreach (var e in _hypervisor.Events.ReadAllAsync(stop))
            {
                if (e.Vm is not { } vm) _facilities.Invalidate();
                else if (e.What == DomainEvent.Rebooted) GuestRebooted(vm);
                Wake();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private static MachineWish Wanted(MachineView view) => new(view.Tombstone, view.Desired?.PowerGeneration ?? 0, view.Desired?.Name, view.Desired?.Size, view.Desired?.DiskGeneration ?? 0);
}
