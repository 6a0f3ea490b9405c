using Microsoft.AspNetCore.Components;
using MudBlazor;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Charts;
using Plinth.Web.Components.Data;
using Plinth.Web.Layout;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Hosts;

public partial class HostDetail
{
    private static readonly (string? Tab, string Text)[] Tabs = [(null, "Summary"), ("metrics", "Metrics")];

    private static readonly IReadOnlyList<ChartPlan> HostCharts =
    [
        new("CPU", ChartUnit.Percent, [new("cpu", "busy")]),
        new("Memory", ChartUnit.Mib, [new("memory", "used")]),
        new("Disk", ChartUnit.Mib, [new("disk", "used")]),
        new("Load", ChartUnit.Number, [new("load", "1 min")]),
    ];

    [Parameter] public Guid Id { get; set; }
    [SupplyParameterFromQuery] public string? Tab { get; set; }
    [SupplyParameterFromQuery] public string? Range { get; set; }
    [SupplyParameterFromQuery] public string? At { get; set; }

    [Inject] public required IHosts Fleet { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }
    [Inject] public required IDialogService Dialogs { get; set; }

    protected override object Key => Id;

    private IReadOnlyList<Crumb> Above => [new Crumb("Hosts", PortalUrls.Hosts())];

    protected override HostDetailView Open(Caller caller) => new(Fleet, Feed, Time, caller, HostId.From(Id));

    private async Task Adopt()
    {
        var host = View!.Host!;
        if (await Dialogs.Confirm(
            $"Adopt {host.Name}?",
            $"The console takes over the generation that the agent has accepted and goes on from there. What this console knows of the {Quantity.Count(host.VmCount, "VM")} on the host becomes what the host is told to have.",
            "Adopt") is not null) await View.Adopt();
    }

    private async Task Retire()
    {
        var host = View!.Host!;
        if (await Dialogs.Confirm(
            $"Retire {host.Name}?",
            host.VmCount > 0
                ? $"{Quantity.Count(host.VmCount, "VM")} are on this host, so this will be refused: delete them first."
                : "Its certificate is not accepted any more and no VM is placed on it again. To use the machine later, join it anew.",
            "Retire",
            danger: true,
            typeToConfirm: host.Name) is not null) await View.Retire();
    }
}
