using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.State;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Persistence.Capacity;

/// <summary>Decides places and commits them: the single way a place on a host is taken.</summary>
public interface ICapacityWriter
{
    /// <summary>
    /// Chooses a host on a snapshot, re-checks it against the newest state in the transaction, and stores allocation and
    /// decision record together with what <paramref name="commit"/> changes. A place lost to somebody else is sought again,
    /// a bounded number of times; a decision without a host is a result as well ("waiting for …") and is stored too.
    /// </summary>
    /// <param name="commit">Moves VM and operation on, whether placed or not. Called in the write, so it may run more than once.
    /// It gives false when the VM is no longer to be placed (deleted meanwhile): then nothing at all is stored.</param>
    /// <returns>The decision; null where <paramref name="commit"/> gave false.</returns>
    Task<PlacementDecision?> Place(PlacementRequest request, PlacementPolicy policy, Func<WriteScope, PlacementDecision, Task<bool>> commit, CancellationToken stop);

    /// <summary>Gives the VM's place on its host another size, inside a write, judged as if the place were taken anew; the reason with numbers where it does not fit.</summary>
    Task<Refusal?> Resize(WriteScope scope, VmId vm, Resources size, PlacementPolicy policy, CancellationToken stop = default);

    /// <summary>Gives a place whose vCPUs and memory were given back its size again, inside a write; refused, with numbers, for lack of room alone: the disk is there, whatever else its host is.</summary>
    Task<Refusal?> Retake(WriteScope scope, VmId vm, Resources size, PlacementPolicy policy, CancellationToken stop = default);

    /// <summary>Gives back what the VM's place has beyond <paramref name="size"/>.</summary>
    Task Settle(WriteScope scope, VmId vm, Resources size, CancellationToken stop = default);
}

/// <inheritdoc/>
public sealed class CapacityWriter(IConsoleStore store, FleetCache fleet, TimeProvider time) : ICapacityWriter
{
    // Losing a race this often means the fleet is almost full; then the decision is made inside of the write, where nobody can come first.
    private const int MaxRaces = 3;

    public async Task<PlacementDecision?> Place(PlacementRequest request, PlacementPolicy policy, Func<WriteScope, PlacementDecision, Task<bool>> commit, CancellationToken stop)
    {
        // The same VM gives the same seed: a decision can be made again, and equal hosts still share the load.
        var seed = Seed(request.Vm);
        for (var race = 0; race < MaxRaces; race++)
        {
            var snapshot = await fleet.Newest(stop);
            var decidedAt = Milliseconds(time.GetUtcNow());
            var decision = PlacementEngine.Decide(request, snapshot, policy, decidedAt, seed);
            var outcome = await store.Write(async scope =>
            {
                if (decision.Host is { } host && !await StillFits(scope, request, host, policy, stop)) return Outcome.Lost;
                return await Store(scope, decision, snapshot, decidedAt, policy, commit) ? Outcome.Stored : Outcome.Withdrawn;
            }, stop);
            if (outcome != Outcome.Lost) return outcome == Outcome.Stored ? decision : null;
        }
        return await store.Write(async scope =>
        {
            var snapshot = await FleetSnapshots.Load(scope.Db, stop);
            var decision = PlacementEngine.Decide(request, snapshot, policy, scope.Now, seed);
            return await Store(scope, decision, snapshot, scope.Now, policy, commit) ? decision : null;
        }, stop);
    }

    public Task<Refusal?> Resize(WriteScope scope, VmId vm, Resources size, PlacementPolicy policy, CancellationToken stop) =>
        Take(scope, vm, size, policy, _ => true, host => $"Ask for less, or free room on {host}.", stop);

    public async Task<Refusal?> Retake(WriteScope scope, VmId vm, Resources size, PlacementPolicy policy, CancellationToken stop)
    {
        var place = await scope.Db.Allocations.SingleAsync(a => a.Vm == vm, stop);
        // It never gave its room away.
        if ((place.Vcpus, place.MemoryMib, place.DiskGib) == (size.Vcpus, size.MemoryMib, size.DiskGib)) return null;
        return await Take(scope, vm, size, policy, reason => reason.Class == RefusalClass.Full, host => $"Free room on {host}, then restore it.", stop);
    }

    private static async Task<Refusal?> Take(WriteScope scope, VmId vm, Resources size, PlacementPolicy policy, Func<HostRefusal, bool> counts, Func<string, string> remedy, CancellationToken stop)
    {
        var place = await scope.Db.Allocations.SingleAsync(a => a.Vm == vm, stop);
        var held = new Resources(place.Vcpus, place.MemoryMib, place.DiskGib);
        var host = await FleetSnapshots.LoadHost(scope.Db, place.Host, stop) ?? throw new InvalidOperationException($"the host {place.Host} of VM {vm} is unknown");
        var without = host with { Allocated = host.Allocated - held };
        var reasons = PlacementEngine.Recheck(new PlacementRequest(vm, place.Project, size, host.Architecture, null), without, policy, scope.Now).Where(counts).ToList();
        if (reasons.Count > 0)
            return Refusal.Conflict("no_room", $"{host.Name} cannot give it {size.Vcpus} vCPU and {Sizes.Mib(size.MemoryMib)}: {string.Join("; ", reasons.Select(r => r.Message))}. {remedy(host.Name)}");
        (place.Vcpus, place.MemoryMib, place.DiskGib) = (size.Vcpus, size.MemoryMib, size.DiskGib);
        return null;
    }

    public async Task Settle(WriteScope scope, VmId vm, Resources size, CancellationToken stop)
    {
        if (await scope.Db.Allocations.SingleOrDefaultAsync(a => a.Vm == vm, stop) is { } place)
            (place.Vcpus, place.MemoryMib, place.DiskGib) = (Math.Min(place.Vcpus, size.Vcpus), Math.Min(place.MemoryMib, size.MemoryMib), Math.Min(place.DiskGib, size.DiskGib));
    }

    /// <summary>Makes a stored decision again, in full, from the change log.</summary>
    public static async Task<Result<PlacementDecision>> Replay(ConsoleDb db, DecisionRow stored, CancellationToken stop)
    {
        var then = await FleetSnapshots.At(db, stored.Decision.SnapshotVersion, stop);
        return then.Succeeded
            ? PlacementEngine.Decide(stored.Decision.Request, Heard(then.Value, stored), stored.Policy, stored.At, stored.Decision.Seed)
            : Result<PlacementDecision>.No(then.Refusals);
    }

    private static ClusterSnapshot Heard(ClusterSnapshot fleet, DecisionRow stored) =>
        fleet with { Hosts = [.. fleet.Hosts.Select(h => h with { ReportedAt = stored.Unheard.TryGetValue(h.Id, out var at) ? at : stored.At })] };

    private enum Outcome { Stored, Withdrawn, Lost }

    private static async Task<bool> StillFits(WriteScope scope, PlacementRequest request, HostId host, PlacementPolicy policy, CancellationToken stop) =>
        await FleetSnapshots.LoadHost(scope.Db, host, stop) is { } newest && PlacementEngine.Recheck(request, newest, policy, scope.Now).Count == 0;

    private static async Task<bool> Store(WriteScope scope, PlacementDecision decision, ClusterSnapshot snapshot, DateTimeOffset decidedAt, PlacementPolicy policy, Func<WriteScope, PlacementDecision, Task<bool>> commit)
    {
        if (!await commit(scope, decision))
        {
            scope.Discard();
            return false;
        }
        var request = decision.Request;
        if (decision.Host is { } host) AllocationLedger.Take(scope, new Allocation(request.Vm, request.Project, host, request.Size));
        scope.Db.Add(new DecisionRow
        {
            Id = DecisionId.New(decidedAt),
            Vm = request.Vm,
            Project = request.Project,
            At = decidedAt,
            Decision = decision.Abridged(),
            Policy = policy,
            Unheard = snapshot.Hosts.Where(h => h.ReportedAt is not { } at || Freshness.IsStale(at, decidedAt)).ToDictionary(h => h.Id, h => h.ReportedAt),
        });
        return true;
    }

    private static DateTimeOffset Milliseconds(DateTimeOffset t) => DateTimeOffset.FromUnixTimeMilliseconds(t.ToUnixTimeMilliseconds());

    private static int Seed(VmId vm)
    {
        Span<byte> bytes = stackalloc byte[16];
        vm.Value.TryWriteBytes(bytes);
        // The last bytes of a UUIDv7 are its random part.
        return BitConverter.ToInt32(bytes[12..]);
    }
}
