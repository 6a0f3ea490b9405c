using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Live;

namespace Plinth.Web.Components.Charts;

/// <summary>
/// The one component that draws with ApexCharts. The library is fetched when the first panel is shown; each tick is one call
/// that carries every chart of the panel, and a tick that arrives while one is under way is dropped: the next brings newer data.
/// </summary>
public partial class MetricsPanel : IAsyncDisposable
{
    private static readonly (string Word, string Text, TimeSpan Range)[] Ranges =
    [
        ("15m", "15 minutes", TimeSpan.FromMinutes(15)),
        ("1h", "1 hour", TimeSpan.FromHours(1)),
        ("6h", "6 hours", TimeSpan.FromHours(6)),
        ("24h", "24 hours", TimeSpan.FromHours(24)),
    ];

    private readonly CancellationTokenSource _stop = new();
    private ElementReference _panel;
    private IJSObjectReference? _module;
    private IDisposable? _subscription;
    private IReadOnlyDictionary<string, SeriesView> _series = new Dictionary<string, SeriesView>();
    private DateTimeOffset? _newestAt;
    private string? _refusal;
    private string? _drawnRange;
    private bool _ticking;

    [Parameter, EditorRequired] public required Func<TimeSpan, Task<Result<IReadOnlyList<SeriesView>>>> Read { get; set; }
    [Parameter, EditorRequired] public required IReadOnlyList<ChartPlan> Charts { get; set; }

    /// <summary>The change that announces a new sample, and of what.</summary>
    [Parameter, EditorRequired] public required string Kind { get; set; }
    [Parameter, EditorRequired] public Guid Id { get; set; }

    /// <summary>The call that gives the same; null where there is none.</summary>
    [Parameter] public string? ApiPath { get; set; }

    /// <summary>The chosen range, as the page reads it from the URL. Not taken from the query here: a component that
    /// subscribes to the query while the query changes breaks the circuit (the framework enumerates its subscribers).</summary>
    [Parameter, EditorRequired] public string? Range { get; set; }

    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required IJSRuntime Js { get; set; }
    [Inject] public required NavigationManager Navigation { get; set; }

    private (string Word, string Text, TimeSpan Range) Chosen => Array.Find(Ranges, r => r.Word == Range) is { Word: not null } range ? range : Ranges[0];

    private double? NewestOf(ChartLine line) => _series.TryGetValue(line.Series, out var series) ? series.Values.LastOrDefault(v => v is not null) : null;
    private string Newest(ChartPlan plan, ChartLine line) => NewestOf(line) is { } value ? plan.Format(value) : "–";
    private string Summary(ChartPlan plan) => $"{plan.Title}, last {Chosen.Text}: " + string.Join(", ", plan.Lines.Select(l => $"{l.Word} {Newest(plan, l)} now"));

    protected override void OnInitialized() =>
        _subscription = Feed.Subscribe(change => change.Kind == Kind && change.Id == Id, _ => InvokeAsync(Tick));

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (_drawnRange == Chosen.Word) return;
        _drawnRange = Chosen.Word;
        await Tick();
    }

    private async Task Tick()
    {
        if (_ticking || _stop.IsCancellationRequested) return;
        _ticking = true;
        try
        {
            var range = Chosen;
            var result = await Read(range.Range);
            _refusal = result.Succeeded ? null : result.Reason;
            if (result.Succeeded)
            {
                _series = result.Value.ToDictionary(s => s.Name);
                _newestAt = result.Value.Max(s => s.NewestAt);
                _module ??= await Js.InvokeAsync<IJSObjectReference>("import", _stop.Token, "/js/charts.js");
                await _module.InvokeVoidAsync("draw", _stop.Token, _panel, Charts.Select(Drawn).ToArray());
            }
            StateHasChanged();
        }
        catch (Exception e) when (e is OperationCanceledException or JSDisconnectedException)
        {
            // The page was left while it was drawn.
        }
        finally
        {
            _ticking = false;
        }
    }

    private object Drawn(ChartPlan plan) => new
    {
        unit = plan.Unit.ToString(),
        lines = plan.Lines.Select(line => new
        {
            name = line.Word,
            from = _series.TryGetValue(line.Series, out var series) ? series.From.ToUnixTimeMilliseconds() : 0,
            step = series?.StepSeconds ?? 1,
            values = series?.Values.Select(v => v is { } number ? Math.Round(number, 2) : (double?)null) ?? [],
        }),
    };

    private void ChooseRange(ChangeEventArgs e) =>
        Navigation.NavigateTo(Navigation.GetUriWithQueryParameter("range", e.Value as string), replace: true);

    public async ValueTask DisposeAsync()
    {
        _subscription?.Dispose();
        await _stop.CancelAsync();
        if (_module is not null)
        {
            try
            {
                await _module.InvokeVoidAsync("remove", _panel);
                await _module.DisposeAsync();
            }
            catch (JSDisconnectedException)
            {
                // The browser is gone, and its charts with it.
            }
        }
        GC.SuppressFinalize(this);
    }
}
