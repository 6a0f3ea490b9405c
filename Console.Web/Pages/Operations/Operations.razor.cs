using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web.Virtualization;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Operations;

public partial class Operations
{
    private static readonly (string Value, string Text)[] StateChoices =
    [
        ("", "Any state"),
        ("pending,running,cancelling", "Under way"),
        ("succeeded", "Succeeded"),
        ("failed", "Failed"),
        ("cancelled", "Cancelled"),
    ];

    private Virtualize<LiveRow<OperationRowContent>>? _rows;

    [SupplyParameterFromQuery] public string? State { get; set; }
    [SupplyParameterFromQuery] public string? Kind { get; set; }
    [SupplyParameterFromQuery] public string? Vm { get; set; }

    [Inject] public required IOperations Work { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    private OperationQuery Query => new(State, Vm, Kind);

    protected override OperationListView Open(Caller caller)
    {
        var view = new OperationListView(Work, Feed, Time, caller, Query);
        view.WindowChanged += () => _rows?.RefreshDataAsync() ?? Task.CompletedTask;
        return view;
    }

    protected override async Task OnParametersSetAsync()
    {
        var opened = View;
        await base.OnParametersSetAsync();
        if (View is not null && View == opened) await View.Show(Query);
    }

    private void Go(string? state = null, string? kind = null) =>
        Navigation.NavigateTo(PortalUrls.Operations(state ?? State, kind ?? Kind, Vm), replace: true);
}
