using Microsoft.AspNetCore.Components;
using Plinth.Web.Application;
using Plinth.Web.Components.Data;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Overview;

public partial class Overview
{
    [Inject] public required IOverview Fleet { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    protected override OverviewPageView Open(Caller caller) => new(Fleet, Feed, Time, caller);

    private static string VmNote(OverviewView fleet)
    {
        var parts = new List<string>();
        if (fleet.VmsStopped > 0) parts.Add($"{Quantity.Count(fleet.VmsStopped)} stopped");
        if (fleet.VmsWaiting > 0) parts.Add($"{Quantity.Count(fleet.VmsWaiting)} waiting");
        if (fleet.VmsFailed > 0) parts.Add($"{Quantity.Count(fleet.VmsFailed)} failed");
        if (fleet.VmsLost > 0) parts.Add($"{Quantity.Count(fleet.VmsLost)} lost");
        return parts.Count > 0 ? string.Join(" · ", parts) : fleet.Vms == 0 ? "none yet" : "all as wanted";
    }
}
