using Plinth.Core.Machines;
using Plinth.Web.Layout;

namespace Plinth.Web.Tests.Portal;

public sealed class TaskTrayViewTests : PortalStage
{
    [Fact]
    public async Task What_runs_is_listed_and_counted_and_a_new_tray_shows_the_same()
    {
        await Image();
        var create = await Create("web-1");
        using var tray = new TaskTrayView(Operations, Live, Ana);
        await tray.Load();
        Assert.Equal(1, tray.UnderWay);

        await Create("web-2");
        await Tell();
        Assert.Equal(2, tray.UnderWay);

        await Restart();
        using var afterReload = new TaskTrayView(Operations, Live, Ana);
        await afterReload.Load();
        Assert.Equal(tray.Operations.Select(o => o.Id), afterReload.Operations.Select(o => o.Id));
        Assert.Contains(afterReload.Operations, o => o.Id == create.Id);
    }

    [Fact]
    public async Task Cancel_goes_to_cancelled()
    {
        await Image();
        var create = await Create("web-1");
        using var tray = new TaskTrayView(Operations, Live, Ana);
        await tray.Load();

        await tray.Cancel(create.Id);
        await Place();
        await Drive();
        await Tell();

        Assert.Equal(OperationState.Cancelled, tray.Operations.Single(o => o.Id == create.Id).State);
        Assert.Equal(0, tray.UnderWay);
        Assert.Empty(tray.CancelRefusals);
    }

    [Fact]
    public async Task Too_late_is_said_at_the_operation()
    {
        var (_, vm) = await Running();
        using var tray = new TaskTrayView(Operations, Live, Ana);
        await tray.Load();
        var create = tray.Operations.Single(o => o.Vm == vm.Id);
        Assert.False(create.Cancellable);

        await tray.Cancel(create.Id);

        Assert.Contains("Too late", tray.CancelRefusals[create.Id]);
    }
}
