using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Placement;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Placement;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Capacity;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Workers;

/// <summary>
/// Walks once through what a create does, right after the start, and takes it back: queries are compiled and code is jitted
/// before the first person waits for them. Without it the first create took half a second of the console's own time.
/// </summary>
internal sealed class Rehearsal(IVirtualMachines vms, IOverview overview, IConsoleStore store, TimeProvider time, ILogger<Rehearsal> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await Task.Yield();
        try
        {
            await Run(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // Nothing depends on it.
            log.LogDebug(e, "The rehearsal ended early.");
        }
    }

    internal async Task Run(CancellationToken stop)
    {
        var request = new CreateVm("rehearsal", "rehearsal", Vcpus: 1, MemoryMib: 64, DiskGib: 1);
        await vms.Fit(Caller.System, WellKnown.DefaultName, request, stop);
        await vms.List(Caller.System, WellKnown.DefaultName, new VmQuery(), new Window(), stop);
        await overview.Get(Caller.System, stop);

        var now = time.GetUtcNow();
        var id = VmId.New(now);
        var asked = new PlacementRequest(id, WellKnown.DefaultProject, new Resources(1, 64, 1), GuestArchitecture.OfImages, null);
        var decision = PlacementEngine.Decide(asked, await FleetSnapshots.Newest(store, stop), PlacementPolicy.Default, now, 0);
        try
        {
            await store.Write<Done>(async scope =>
            {
                var vm = new VmRow { Id = id, Project = WellKnown.DefaultProject, CreatedBy = Caller.System.Principal.Name, CreatedAt = now, UpdatedAt = now };
                vm.SetSpec(new VmSpec("rehearsal", "", new Dictionary<string, string>(), new ImageId(Guid.Empty), null, asked.Size, WellKnown.DefaultName, [], "", [], ""));
                scope.Db.Vms.Add(vm);
                scope.Db.Operations.Add(MachineRows.Row(OperationProgress.Begin(OperationKind.CreateVm, vm.CreatedBy, Generation.None, 1, now), OperationId.New(now), vm, vm.CreatedBy, 0));
                scope.Db.Decisions.Add(new DecisionRow { Id = DecisionId.New(now), Vm = id, Project = vm.Project, At = now, Decision = decision, Policy = PlacementPolicy.Default });
                await scope.Db.SaveChangesAsync(stop);
                throw new RehearsalOver();
            }, stop);
        }
        catch (RehearsalOver)
        {
            // The write is undone, and with it every row.
        }
    }

    private sealed class RehearsalOver : Exception;
}
