using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web.Virtualization;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Volumes;

public partial class Volumes
{
    private static readonly (string Value, string Text)[] StateChoices =
    [
        ("", "Any state"),
        ("available", "Available"),
        ("attached", "Attached"),
        ("creating,attaching,detaching,deleting", "In transition"),
        ("failed", "Failed"),
    ];

    private Virtualize<LiveRow<VolumeRowContent>>? _rows;

    [Parameter] public required string Project { get; set; }
    [SupplyParameterFromQuery] public string? Q { get; set; }
    [SupplyParameterFromQuery] public string? State { get; set; }
    [SupplyParameterFromQuery] public string? Host { get; set; }
    [SupplyParameterFromQuery] public string? Vm { get; set; }
    [SupplyParameterFromQuery] public string? Sort { get; set; }

    [Inject] public required IVolumes VolumesOfProject { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    protected override object Key => Project;

    private VolumeQuery Query => new(Q, State, Host, Vm, Sort);

    protected override VolumeListView Open(Caller caller)
    {
        var view = new VolumeListView(VolumesOfProject, Feed, Time, caller, Project, Query);
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
        Navigation.NavigateTo(PortalUrls.Volumes(Project, q ?? Q, state ?? State, Host, Vm, sort ?? Sort), replace: true);
}
