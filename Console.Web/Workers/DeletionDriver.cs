using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application.Machines;
using Plinth.Web.Application.Servers;
using Plinth.Web.Persistence;

namespace Plinth.Web.Workers;

/// <summary>Removes what was deleted and can be restored no longer. Until when stands in the row, so a restart neither loses nor hastens it.</summary>
internal sealed class DeletionDriver(IConsoleStore store, MachineWriter machines, ILeadership leadership, TimeProvider time, ILogger<DeletionDriver> log) : Worker(time, log, leadership)
{
    private readonly TimeProvider _time = time;

    protected override TimeSpan Every => TimeSpan.FromSeconds(5);

    public override async Task Pass(CancellationToken stop)
    {
        var now = _time.GetUtcNow();
        List<VmId> over;
        await using (var db = store.Read()) over = await db.Vms.Where(v => v.State == VmState.Restorable && v.RestorableUntil <= now).Select(v => v.Id).ToListAsync(stop);
        foreach (var id in over)
            await store.Write(async scope => await scope.Db.Vms.SingleOrDefaultAsync(v => v.Id == id, stop) is { } vm && await machines.RemoveWhatIsOver(scope, vm), stop);
    }
}
