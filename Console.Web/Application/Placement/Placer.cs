using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Networks;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Placement;

/// <summary>Gives every VM that has none a place, oldest first; who does not fit waits with the engine's reason and does not hold up the others.</summary>
internal sealed class Placer(IConsoleStore store, ICapacityWriter capacity, MachineWriter writer, NetworkWriter networks)
{
    // Read so many at a time; a pass goes over all of them.
    private const int Portion = 500;

    /// <summary>One pass over all that wait. Returns how many got a place.</summary>
    public async Task<int> Pass(CancellationToken stop)
    {
        // What asks for the same and waits for the same reason is not worth a decision of its own in this pass.
        var full = new Dictionary<(ProjectId, Resources, HostId?, string, GuestFirmware?, HostId?), string>();
        var (placed, left) = (0, 0);
        for (; ; )
        {
            List<VmRow> waiting;
            Dictionary<string, StorageNeeds> classes;
            await using (var db = store.Read())
            {
                classes = await db.StorageClasses.ToDictionaryAsync(s => s.Name, s => s.Needs, stop);
                waiting = await db.Vms.Where(v => v.Host == null && (v.State == VmState.Requested || v.State == VmState.Waiting)).OrderBy(v => v.CreatedAt).ThenBy(v => v.Id).Skip(left).Take(Portion).ToListAsync(stop);
            }
            foreach (var vm in waiting)
            {
                var asks = (vm.Project, vm.Spec.Size, vm.Spec.OnlyHost, vm.StorageClass, vm.Spec.Firmware, vm.Spec.Source?.Host);
                if (vm.State == VmState.Waiting && full.TryGetValue(asks, out var reason) && reason == vm.StateReason)
                {
                    left++;
                    continue;
                }
                var decision = await Place(vm, classes, stop);
                if (decision?.Host is not null)
                {
                    placed++;
                    continue;
                }
                // No decision: it waits for the same reason as before, or is gone.
                (left, full[asks]) = (left + 1, decision?.Sentence ?? vm.StateReason);
            }
            if (waiting.Count < Portion) return placed;
        }
    }

    private Task<PlacementDecision?> Place(VmRow vm, Dictionary<string, StorageNeeds> classes, CancellationToken stop) => capacity.Place(
        new PlacementRequest(vm.Id, vm.Project, vm.Spec.Size, GuestArchitecture.OfImages, vm.Spec.OnlyHost, new StorageDemand(vm.StorageClass, classes[vm.StorageClass]), vm.Spec.Firmware, SourceOf(vm.Spec)), PlacementPolicy.Default, (scope, d) => Commit(scope, vm.Id, d), stop);

    internal static SourceDisk? SourceOf(VmSpec spec) => spec.Source is { } source ? new SourceDisk(source.Name, source.Host, source.HostName) : null;

    private async Task<bool> Commit(WriteScope scope, VmId id, PlacementDecision decision)
    {
        var vm = await scope.Db.Vms.SingleOrDefaultAsync(v => v.Id == id);
        if (vm is not { Host: null, State: VmState.Requested or VmState.Waiting } || vm.Operation is not { } current) return false;
        var operation = await scope.Db.Operations.SingleAsync(o => o.Id == current);
        return decision.Host is { } host ? await Placed(scope, vm, operation, host, decision.Sentence) : Waits(scope, vm, operation, decision.Sentence);
    }

    private async Task<bool> Placed(WriteScope scope, VmRow vm, OperationRow operation, HostId id, string sentence)
    {
        var host = await scope.Db.Hosts.SingleAsync(h => h.Id == id);
        vm.Host = id;
        vm.State = VmLifecycle.Next(vm.State, VmEvent.Placed).Value;
        vm.StateReason = VmLifecycle.Sentence(vm.State);
        vm.UpdatedAt = scope.Now;
        writer.Wish(scope, vm, host);
        await networks.Joined(scope, vm);
        operation.Host = id;
        MachineRows.Take(operation, OperationProgress.Placed(MachineRows.Record(operation), sentence, vm.Generation, scope.Now), vm.StopDeadlineSeconds);
        scope.Audit(Principal.System, null, "vm.place", $"vm/{vm.Id}", vm.Project, AuditOutcomes.Done, sentence);
        return true;
    }

    // The same reason again is no news: nothing is stored, however often it is tried.
    private static bool Waits(WriteScope scope, VmRow vm, OperationRow operation, string sentence)
    {
        if (vm.State == VmState.Waiting && vm.StateReason == sentence) return false;
        vm.State = VmLifecycle.Next(vm.State, VmEvent.NoRoom).Value;
        vm.StateReason = sentence;
        vm.UpdatedAt = scope.Now;
        MachineRows.Take(operation, OperationProgress.Wait(MachineRows.Record(operation), sentence), vm.StopDeadlineSeconds);
        return true;
    }
}
