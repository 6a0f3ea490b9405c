using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Overview;

/// <summary>The fleet at a glance: what is there, what is wrong now, what was done last.</summary>
public sealed class OverviewPageView : LiveView
{
    private readonly IOverview _overview;
    private readonly PacedRefresh _refresh;
    private readonly TimeProvider _time;

    public OverviewPageView(IOverview overview, IChangeFeed feed, TimeProvider time, Caller caller) : base(caller)
    {
        (_overview, _time) = (overview, time);
        // The sums move with every VM of the fleet; once a second is live enough for people.
        _refresh = new PacedRefresh(time, TimeSpan.FromSeconds(1), () => Dispatch(Again));
        Listen(feed, change => change.Kind is "vm" or "host" or "operation" or "upkeep", _ =>
        {
            _refresh.Request();
            return Task.CompletedTask;
        });
    }

    public OverviewView? Fleet { get; private set; }

    /// <summary>When the figures were counted.</summary>
    public DateTimeOffset? ReadAt { get; private set; }

    private async Task Again()
    {
        try
        {
            await Load();
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            // The page was left.
        }
    }

    protected override async Task Read()
    {
        if (Take(await _overview.Get(Caller, Stop)) is not { } fleet) return;
        (Fleet, ReadAt) = (fleet, _time.GetUtcNow());
    }

    protected override void OnDisposed() => _refresh.Dispose();
}
