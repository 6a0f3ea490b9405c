using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web.Virtualization;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Audit;

public partial class Audit
{
    private Virtualize<LiveRow<AuditRowContent>>? _rows;

    [SupplyParameterFromQuery] public string? Action { get; set; }
    [SupplyParameterFromQuery] public string? Actor { get; set; }
    [SupplyParameterFromQuery] public string? Target { get; set; }

    [Inject] public required IAuditLog Ledger { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    private AuditQuery Query => new(Action, Actor, Target);

    protected override AuditView Open(Caller caller)
    {
        var view = new AuditView(Ledger, Feed, Time, caller, Query);
        view.WindowChanged += () => _rows?.RefreshDataAsync() ?? Task.CompletedTask;
        return view;
    }

    protected override async Task OnParametersSetAsync()
    {
        var opened = View;
        await base.OnParametersSetAsync();
        if (View is null) return;
        if (View == opened) await View.Show(Query);
        else await View.LoadCheckpoint();
    }

    private void Go(string? action = null, string? actor = null, string? target = null) =>
        Navigation.NavigateTo(PortalUrls.Audit(action ?? Action, actor ?? Actor, target ?? Target), replace: true);
}
