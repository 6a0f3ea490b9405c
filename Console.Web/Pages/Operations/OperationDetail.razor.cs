using Microsoft.AspNetCore.Components;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Layout;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Operations;

public partial class OperationDetail
{
    [Parameter] public Guid Id { get; set; }

    [Inject] public required IOperations Work { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }

    protected override object Key => Id;

    private IReadOnlyList<Crumb> Above => [new Crumb("Operations", PortalUrls.Operations())];

    protected override OperationDetailView Open(Caller caller) => new(Work, Feed, caller, OperationId.From(Id));
}
