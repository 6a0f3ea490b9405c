using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Upkeep;

/// <summary>How the console itself is.</summary>
public sealed class UpkeepPageView : LiveView
{
    private readonly IUpkeep _upkeep;

    public UpkeepPageView(IUpkeep upkeep, IChangeFeed feed, Caller caller) : base(caller)
    {
        _upkeep = upkeep;
        Listen(feed, change => change.Kind is "upkeep" or "server", _ => Load());
    }

    public UpkeepView? Console { get; private set; }

    protected override async Task Read() => Console = Take(await _upkeep.Get(Caller, Stop)) ?? Console;
}
