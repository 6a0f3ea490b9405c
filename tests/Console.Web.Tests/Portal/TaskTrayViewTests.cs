using Plinth.Core.Machines;
using Plinth.Web.Layout;

namespace Plinth.Web.Tests.Portal;

public sealed class TaskTrayViewTests : PortalStage
{
    [Fact]
    public async Task Closed_it_counts_and_lists_nothing()
    {
        await Image();
        using var tray = new TaskTrayView(Operations, Live, Time, Ana);
        await tray.Load();
        var drawn = 0;
        tray.Changed += () => drawn++;

        await Create("web-1");
        await Tell();
        await Until("the count", () => drawn == 1);
        Assert.Equal(1, tray.UnderWay);
        Assert.Empty(tray.Operations);

        await tray.Show(open: true);
        Assert.Single(tray.Operations);
        await tray.Show(open: false);
        Assert.Empty(tray.Operations);
    }

    [Fact]
    public async Task What_runs_is_listed_and_counted_and_a_new_tray_shows_the_same()
    {
        await Image();
        var create = await Create("web-1");
        using var tray = new TaskTrayView(Operations, Live, Time, Ana);
        await tray.Show(open: true);
        Assert.Equal(1, tray.UnderWay);

        await Create("web-2");
        await Tell();
        await Until("the second operation", () => tray.UnderWay == 2 && tray.Operations.Count == 2);

        await Restart();
        using var afterReload = new TaskTrayView(Operations, Live, Time, Ana);
        await afterReload.Show(open: true);
        Assert.Equal(tray.Operations.Select(o => o.Id), afterReload.Operations.Select(o => o.Id));
        Assert.Contains(afterReload.Operations, o => o.Id == create.Id);
    }

    [Fact]
    public async Task Cancel_goes_to_cancelled()
    {
        await Image();
        var create = await Create("web-1");
        using var tray = new TaskTrayView(Operations, Live, Time, Ana);
        await tray.Show(open: true);

        await tray.Cancel(create.Id);
        await Place();
        await Drive();
        await Tell();

        await Until("cancelled", () => tray.Operations.Single(o => o.Id == create.Id).State == OperationState.Cancelled);
        Assert.Equal(0, tray.UnderWay);
        Assert.Empty(tray.CancelRefusals);
    }

    [Fact]
    public async Task Too_late_is_said_at_the_operation()
    {
        var (_, vm) = await Running();
        using var tray = new TaskTrayView(Operations, Live, Time, Ana);
        await tray.Show(open: true);
        var create = tray.Operations.Single(o => o.Vm == vm.Id);
        Assert.False(create.Cancellable);

        await tray.Cancel(create.Id);

        Assert.Contains("Too late", tray.CancelRefusals[create.Id]);
    }
}
