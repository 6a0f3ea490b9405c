using System.Globalization;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Operations;

/// <summary>What a row of the list shows of an operation.</summary>
public sealed record OperationRowContent(
    OperationId Id, OperationKind Kind, string Target, OperationState State, int Percent, string Sentence, string StartedBy, DateTimeOffset CreatedAt, double? Seconds)
{
    public static OperationRowContent Of(OperationView o) => new(
        o.Id, o.Kind, o.Target, o.State, o.Percent,
        o.Reason.Length > 0 ? o.Reason : o.Steps.LastOrDefault(s => s.State == StepState.Running)?.Title ?? "",
        o.StartedBy, o.CreatedAt, o.EndedAt is { } end ? (end - o.CreatedAt).TotalSeconds : null);
}

/// <summary>Operations, newest first, filtered as the URL says.</summary>
public sealed class OperationListView(IOperations operations, IChangeFeed feed, TimeProvider time, Caller caller, OperationQuery query)
    : LiveList<OperationView, OperationRowContent>(caller, feed, time, change => change.Kind == "operation")
{
    private long _all;

    public OperationQuery Query { get; private set; } = query;
    public bool IsFiltered => !string.IsNullOrEmpty(Query.State) || !string.IsNullOrEmpty(Query.Kind) || !string.IsNullOrEmpty(Query.Vm);
    public string Count => string.Create(CultureInfo.InvariantCulture, $"{Total:N0} of {Math.Max(_all, Total):N0}");

    public async Task Show(OperationQuery next)
    {
        if (next == Query) return;
        Query = next;
        await Restart();
    }

    protected override async Task<Result<Page<OperationView>>> List(Window window)
    {
        var page = await operations.List(Caller, Query, window, Stop);
        if (!page.Succeeded) return page;
        if (!IsFiltered) _all = page.Value.Total;
        else if (await operations.List(Caller, new OperationQuery(), new Window(1), Stop) is { Succeeded: true } unfiltered) _all = unfiltered.Value.Total;
        return page;
    }

    protected override Guid IdOf(OperationView item) => item.Id.Value;
    protected override OperationRowContent ContentOf(OperationView item) => OperationRowContent.Of(item);
}
