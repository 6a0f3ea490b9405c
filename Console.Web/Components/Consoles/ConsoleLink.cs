using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using Plinth.Core.Primitives;
using Plinth.Web.Application;

namespace Plinth.Web.Components.Consoles;

/// <summary>
/// A VM's console in the page. The bytes run on a WebSocket of their own between browser and server; this component only
/// gets the one-time ticket and says how the link is. A link that breaks while the machine is on is made anew a few times by itself.
/// </summary>
public abstract class ConsoleLink : ComponentBase, IAsyncDisposable
{
    private enum Link { Closed, Opening, Open }

    // Long enough for an agent that restarts, short enough to stop asking for a machine that will not answer.
    private const int MaxRetries = 6;
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _stop = new();
    private IJSObjectReference? _module;
    private DotNetObjectReference<ConsoleLink>? _self;
    private Link _state = Link.Closed;
    private string? _why;
    private bool _power;
    private int _retries;

    /// <summary>The module that draws: show(screen, owner), connect(screen, path), remove(screen).</summary>
    protected abstract string Script { get; }

    protected ConsoleFrame? Frame { get; set; }

    [Parameter, EditorRequired] public required Func<Task<Result<ConsoleTicketView>>> Open { get; set; }

    /// <summary>The machine is on: when that becomes true again, the console is connected again.</summary>
    [Parameter] public bool Power { get; set; }

    /// <summary>The machine is paused: what is shown stands still.</summary>
    [Parameter] public bool Held { get; set; }

    [Inject] public required IJSRuntime Js { get; set; }
    [Inject] public required TimeProvider Time { get; set; }

    protected bool IsOpen => _state == Link.Open;
    protected bool IsOpening => _state == Link.Opening;

    protected string Sentence => _state switch
    {
        Link.Open => Held ? "Connected; the machine is paused and answers nothing" : "Connected",
        Link.Opening => "Connecting",
        _ => _why ?? "Not connected",
    };

    protected override async Task OnParametersSetAsync()
    {
        var switchedOn = Power && !_power;
        _power = Power;
        if (switchedOn && _module is not null && _state == Link.Closed) await Reconnect();
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender) return;
        try
        {
            _self = DotNetObjectReference.Create(this);
            _module = await Js.InvokeAsync<IJSObjectReference>("import", _stop.Token, Script);
            await _module.InvokeVoidAsync("show", _stop.Token, Frame!.Screen, _self);
            await Connect();
            StateHasChanged();
        }
        catch (Exception e) when (e is OperationCanceledException or JSDisconnectedException)
        {
            // The page was left before the terminal stood.
        }
    }

    protected Task Reconnect()
    {
        _retries = 0;
        return Connect();
    }

    private async Task Connect()
    {
        if (_module is null || _state == Link.Opening) return;
        _state = Link.Opening;
        StateHasChanged();
        var ticket = await Open();
        if (_stop.IsCancellationRequested) return;
        if (ticket.Succeeded)
        {
            await _module.InvokeVoidAsync("connect", _stop.Token, Frame!.Screen, ticket.Value.Path);
            return;
        }
        (_state, _why) = (Link.Closed, ticket.Reason);
        StateHasChanged();
    }

    [JSInvokable]
    public void Opened()
    {
        (_state, _why, _retries) = (Link.Open, null, 0);
        StateHasChanged();
    }

    /// <param name="reason">What the server said at the end; empty when the connection simply broke.</param>
    [JSInvokable]
    public async Task Closed(string reason)
    {
        (_state, _why) = (Link.Closed, reason.Length > 0 ? reason : Power ? "The connection ended." : "The machine is off.");
        StateHasChanged();
        if (!Power || _retries++ >= MaxRetries) return;
        try
        {
            await Task.Delay(RetryPause, Time, _stop.Token);
            if (_state == Link.Closed && Power) await Connect();
        }
        catch (Exception e) when (e is OperationCanceledException or JSDisconnectedException)
        {
            // Left meanwhile.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_module is not null)
        {
            try
            {
                await _module.InvokeVoidAsync("remove", Frame!.Screen);
                await _module.DisposeAsync();
            }
            catch (JSDisconnectedException)
            {
                // The browser is gone, and its socket with it.
            }
        }
        _self?.Dispose();
        GC.SuppressFinalize(this);
    }
}
