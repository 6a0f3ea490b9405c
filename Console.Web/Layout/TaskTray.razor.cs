using Microsoft.AspNetCore.Components;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Layout;

public partial class TaskTray
{
    private TaskTrayView? _view;

    [Inject] public required IOperations Operations { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }
    [Inject] public required CallerSource Callers { get; set; }

    protected override async Task OnInitializedAsync()
    {
        _view = new TaskTrayView(Operations, Feed, Time, await Callers.Current()) { Dispatch = InvokeAsync };
        _view.Changed += Redraw;
        try
        {
            await _view.Load();
        }
        catch (OperationCanceledException)
        {
            // Closed before it was read.
        }
    }

    private void Redraw() => _ = InvokeAsync(StateHasChanged);

    public void Dispose()
    {
        if (_view is not null) _view.Changed -= Redraw;
        _view?.Dispose();
        GC.SuppressFinalize(this);
    }
}
