using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web.Virtualization;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Lists;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Hosts;

public partial class Hosts
{
    private static readonly IReadOnlyList<ListColumn> AllColumns =
    [
        new("state", "State"), new("vms", "VMs"), new("memory", "Memory allocated"), new("vcpus", "vCPUs allocated", Usual: false), new("cpu", "CPU now"),
        new("agent", "Agent", Usual: false), new("reported", "Reported"), new("joined", "Joined", Usual: false),
    ];

    private Virtualize<LiveRow<HostRowContent>>? _rows;

    [SupplyParameterFromQuery] public string? Q { get; set; }
    [SupplyParameterFromQuery] public string? State { get; set; }
    [SupplyParameterFromQuery] public string? Sort { get; set; }
    [SupplyParameterFromQuery] public string? Columns { get; set; }
    [SupplyParameterFromQuery] public string? At { get; set; }

    [Inject] public required IHosts Fleet { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    private HostQuery Query => new(Q, State, Sort);
    private ColumnSet Shown => ColumnSet.Read(Columns, AllColumns);

    protected override HostListView Open(Caller caller)
    {
        var view = new HostListView(Fleet, Feed, Time, caller, Query);
        view.WindowChanged += () => _rows?.RefreshDataAsync() ?? Task.CompletedTask;
        return view;
    }

    protected override async Task OnParametersSetAsync()
    {
        var opened = View;
        await base.OnParametersSetAsync();
        if (View is not null && View == opened) await View.Show(Query);
    }

    private void Go(string? q = null, string? state = null, string? sort = null) =>
        Navigation.NavigateTo(PortalUrls.Hosts(q ?? Q, state ?? State, sort ?? Sort, Columns), replace: true);

    private void Choose(string? columns) => Navigation.NavigateTo(PortalUrls.Hosts(Q, State, Sort, columns), replace: true);
}
