using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Operations;

/// <summary>One operation, as it goes.</summary>
public sealed class OperationDetailView : LiveView
{
    private readonly IOperations _operations;
    private readonly OperationId _id;

    public OperationDetailView(IOperations operations, IChangeFeed feed, Caller caller, OperationId id) : base(caller)
    {
        (_operations, _id) = (operations, id);
        Listen(feed, change => change.Kind == "operation" && change.Id == id.Value, _ => Load());
    }

    public OperationView? Operation { get; private set; }

    /// <summary>What cancel was answered, where it was refused: "too late …".</summary>
    public string? CancelRefusal { get; private set; }

    public async Task Cancel()
    {
        var result = await _operations.Cancel(Caller, _id, Stop);
        CancelRefusal = result.Succeeded ? null : result.Reason;
        await Load();
    }

    protected override async Task Read() => Operation = Take(await _operations.Get(Caller, _id, Stop)) ?? Operation;
}
