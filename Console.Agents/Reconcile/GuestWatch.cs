using Plinth.Agents.Machines;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Reconcile;

/// <summary>Asks the guest agents of running VMs: often until the first answer, then now and then. Never holds up the reconciler.</summary>
internal sealed class GuestWatch(IHypervisor hypervisor, TimeProvider time, AgentLog log, Action<VmId, string, GuestInfo> answered, Action<VmId, string, DateTimeOffset> silent)
{
    // An agent that does not answer costs its query a second or so.
    private const int QueriesAtOnce = 8;

    private static readonly TimeSpan Eager = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan EagerFor = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AwaitingAddress = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    /// <summary>One that has answered and does not for this long is silent: two questions in a row were lost by then.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(50);

    private readonly SemaphoreSlim _room = new(QueriesAtOnce);
    private readonly Dictionary<VmId, (string StartKey, CancellationTokenSource Stop)> _followed = [];

    /// <summary>Call from one thread: follows this start of the VM, and no earlier one.</summary>
    /// <param name="hasAnswered">It has answered in this start before: its silence counts from now on.</param>
    public void Follow(VmId vm, string startKey, bool hasAnswered, CancellationToken stop)
    {
        if (_followed.TryGetValue(vm, out var followed) && followed.StartKey == startKey) return;
        Unfollow(vm);
        var source = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _followed[vm] = (startKey, source);
        _ = Task.Run(() => Run(vm, startKey, hasAnswered, source.Token), CancellationToken.None);
    }

    public void Unfollow(VmId vm)
    {
        if (!_followed.Remove(vm, out var followed)) return;
        followed.Stop.Cancel();
        followed.Stop.Dispose();
    }

    private async Task Run(VmId vm, string startKey, bool hasAnswered, CancellationToken stop)
    {
        var since = time.GetUtcNow();
        DateTimeOffset? last = hasAnswered ? since : null;
        try
        {
            while (true)
            {
                var info = await Ask(vm, stop);
                if (info is not null)
                {
                    last = time.GetUtcNow();
                    answered(vm, startKey, info);
                }
                else if (last is { } heard && time.GetUtcNow() - heard >= SilentAfter)
                {
                    silent(vm, startKey, heard);
                }
                var pause = info switch
                {
                    null => time.GetUtcNow() - since < EagerFor ? Eager : Patient,
                    // It is up and has no lease yet.
                    { Addresses.Count: 0 } => time.GetUtcNow() - since < EagerFor ? AwaitingAddress : Settled,
                    _ => Settled,
                };
                await Task.Delay(pause, time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            log.Fault($"watching the guest agent of VM {vm}", e);
        }
    }

    private async Task<GuestInfo?> Ask(VmId vm, CancellationToken stop)
    {
        await _room.WaitAsync(stop);
        try
        {
            return await hypervisor.Guest(vm, stop);
        }
        catch (HypervisorException)
        {
            return null;
        }
        finally
        {
            _room.Release();
        }
    }
}
