using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web.Virtualization;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Lists;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

public partial class VirtualMachines
{
    private static readonly (string Value, string Text)[] StateChoices =
    [
        ("", "Any state"),
        ("running", "Running"),
        ("stopped", "Stopped"),
        ("requested,creating,starting,stopping,migrating,deleting", "In transition"),
        ("waiting,paused,failed,lost", "Needs attention"),
        ("restorable", "Deleted, restorable"),
        ("waiting", "Waiting"),
        ("failed", "Failed"),
        ("lost", "Lost"),
    ];

    private static readonly IReadOnlyList<ListColumn> AllColumns =
    [
        new("state", "State"), new("host", "Host"), new("size", "Size"), new("address", "Address"),
        new("labels", "Labels", Usual: false), new("description", "Description", Usual: false), new("created", "Created"),
    ];

    private Virtualize<LiveRow<VmRowContent>>? _rows;

    [Parameter] public required string Project { get; set; }
    [SupplyParameterFromQuery] public string? Q { get; set; }
    [SupplyParameterFromQuery] public string? State { get; set; }
    [SupplyParameterFromQuery] public string? Host { get; set; }
    [SupplyParameterFromQuery] public string? Label { get; set; }
    [SupplyParameterFromQuery] public string? Sort { get; set; }
    [SupplyParameterFromQuery] public string? Columns { get; set; }
    [SupplyParameterFromQuery] public string? Selected { get; set; }
    [SupplyParameterFromQuery] public string? At { get; set; }

    [Inject] public required IVirtualMachines Machines { get; set; }
    [Inject] public required IBulkActs Bulk { get; set; }
    [Inject] public required IHosts HostsOfFleet { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    protected override object Key => Project;

    private VmQuery Query => new(Q, State, Host, Label, Sort);
    private ColumnSet Shown => ColumnSet.Read(Columns, AllColumns);
    private Selection Picked => Selection.Read(Selected);

    protected override VmListView Open(Caller caller)
    {
        var view = new VmListView(Machines, Bulk, HostsOfFleet, Feed, Time, caller, Project, Query);
        view.WindowChanged += () => _rows?.RefreshDataAsync() ?? Task.CompletedTask;
        return view;
    }

    protected override async Task OnParametersSetAsync()
    {
        var opened = View;
        await base.OnParametersSetAsync();
        if (View is null) return;
        if (View == opened) await View.Show(Query);
        else await View.LoadHosts();
    }

    private void Go(string? q = null, string? state = null, string? host = null, string? sort = null) =>
        Navigation.NavigateTo(PortalUrls.Vms(Project, q ?? Q, state ?? State, host ?? Host, Label, sort ?? Sort, Columns, Selected), replace: true);

    private void Choose(string? columns) => Navigation.NavigateTo(PortalUrls.Vms(Project, Q, State, Host, Label, Sort, columns, Selected), replace: true);

    private void Pick(Selection selection) => Navigation.NavigateTo(PortalUrls.Vms(Project, Q, State, Host, Label, Sort, Columns, selection.Text), replace: true);

    private async Task PickAll(bool all) => Pick(all ? await View!.PickAll() : Selection.None);
}
