using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Layout;

/// <summary>
/// The operations under way and the last that ended. Derived from the operations' own state: a reload shows the same.
/// Closed, it only counts: a list that nobody sees would be most of what a busy page receives.
/// </summary>
public sealed class TaskTrayView : LiveView
{
    private const int Shown = 8;
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(500);
    private readonly IOperations _operations;
    private readonly PacedRefresh _refresh;

    public TaskTrayView(IOperations operations, IChangeFeed feed, TimeProvider time, Caller caller) : base(caller)
    {
        _operations = operations;
        _refresh = new PacedRefresh(time, Gap, () => Dispatch(Refresh));
        Listen(feed, change => change.Kind == "operation", _ =>
        {
            _refresh.Request();
            return Task.CompletedTask;
        });
    }

    public bool IsOpen { get; private set; }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<OperationView> Operations { get; private set; } = [];

    /// <summary>The true number under way, also when more than are listed.</summary>
    public long UnderWay { get; private set; }

    /// <summary>What cancel answered, by operation, where it was refused ("too late …").</summary>
    public Dictionary<OperationId, string> CancelRefusals { get; } = [];

    public async Task Show(bool open)
    {
        IsOpen = open;
        if (open) await Load();
        else Operations = [];
    }

    public async Task Cancel(OperationId operation)
    {
        var result = await _operations.Cancel(Caller, operation, Stop);
        if (result.Succeeded) CancelRefusals.Remove(operation);
        else CancelRefusals[operation] = result.Reason;
        await Load();
    }

    protected override async Task Read()
    {
        var underWay = Take(await _operations.List(Caller, new OperationQuery(State: "pending,running,cancelling"), new Window(IsOpen ? Shown : 1), Stop));
        if (underWay is null) return;
        UnderWay = underWay.Total;
        if (!IsOpen) return;
        var recent = Take(await _operations.List(Caller, new OperationQuery(), new Window(Shown), Stop));
        Operations = [.. underWay.Items.Concat(recent?.Items ?? []).DistinctBy(o => o.Id).Take(Shown)];
        var listed = Operations.Select(o => o.Id).ToHashSet();
        foreach (var gone in CancelRefusals.Keys.Where(id => !listed.Contains(id)).ToList()) CancelRefusals.Remove(gone);
    }

    private async Task Refresh()
    {
        if (Stop.IsCancellationRequested) return;
        var before = UnderWay;
        try
        {
            await Read();
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            return;
        }
        if (IsOpen || UnderWay != before) NotifyChanged();
    }

    protected override void OnDisposed() => _refresh.Dispose();
}
