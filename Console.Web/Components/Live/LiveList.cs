using Microsoft.AspNetCore.Components.Web.Virtualization;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Live;

namespace Plinth.Web.Components.Live;

/// <summary>A row that keeps its identity: the list changes what it shows, and only rows with something new are drawn again.</summary>
/// <typeparam name="TContent">What is shown, compared by value: an equal content draws nothing.</typeparam>
public sealed class LiveRow<TContent>(Guid id, TContent content) where TContent : IEquatable<TContent>
{
    public Guid Id { get; } = id;
    public TContent Content { get; private set; } = content;

    /// <summary>Rises when there is something new to draw.</summary>
    public int Revision { get; private set; }

    public bool Show(TContent content)
    {
        if (Content.Equals(content)) return false;
        Content = content;
        Revision++;
        return true;
    }
}

/// <summary>
/// A long list seen through a window of rows that the store cuts out. A change of anything listed reads the window again, at most
/// twice a second: rows that stay keep their objects, and those with something new are drawn in one batch, which costs the viewer
/// half of what a batch for each would. Only if the order or the total is new the list asks for its window again.
/// </summary>
public abstract class LiveList<TItem, TContent> : LiveView where TContent : IEquatable<TContent>
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(500);

    /// <summary>What a window holds at most; a tall screen shows about 40 rows.</summary>
    private const int MaxWindow = 200;

    private readonly Dictionary<Guid, LiveRow<TContent>> _rows = [];
    private readonly PacedRefresh _refresh;
    private IReadOnlyList<LiveRow<TContent>> _window = [];
    private (int Start, int Count) _range = (0, 40);
    private bool _prefetched, _rowsChanged;

    protected LiveList(Caller caller, IChangeFeed feed, TimeProvider time, Func<Change, bool> wanted) : base(caller)
    {
        _refresh = new PacedRefresh(time, Gap, () => Dispatch(Refresh));
        Listen(feed, wanted, _ =>
        {
            _refresh.Request();
            return Task.CompletedTask;
        });
    }

    /// <summary>The true number under the filter.</summary>
    public long Total { get; private set; }

    /// <summary>The rows last shown.</summary>
    public IReadOnlyList<LiveRow<TContent>> Rows => _window;

    /// <summary>The list is another one than was drawn: ask for the window anew.</summary>
    public event Func<Task>? WindowChanged;

    protected abstract Task<Result<Page<TItem>>> List(Window window);
    protected abstract Guid IdOf(TItem item);
    protected abstract TContent ContentOf(TItem item);

    /// <summary>One window of rows, as a virtualised list asks for it.</summary>
    public async ValueTask<ItemsProviderResult<LiveRow<TContent>>> Provide(ItemsProviderRequest request)
    {
        var range = (request.StartIndex, Math.Clamp(request.Count, 1, MaxWindow));
        if (!_prefetched || range.StartIndex + range.Item2 > _range.Start + _window.Count || range.StartIndex < _range.Start)
        {
            _range = range;
            await Read();
            return new(_window, (int)Total);
        }
        _prefetched = false;
        return new(_window.Skip(range.StartIndex - _range.Start).Take(range.Item2), (int)Total);
    }

    protected override async Task Read()
    {
        var page = Take(await List(new Window(_range.Count, Offset: _range.Start)));
        _prefetched = page is not null && !Loaded;
        if (page is null) return;
        Total = page.Total;
        _window = [.. page.Items.Select(Row)];
        if (_rows.Count > 5 * MaxWindow) Forget();
    }

    private LiveRow<TContent> Row(TItem item)
    {
        var id = IdOf(item);
        if (!_rows.TryGetValue(id, out var row)) return _rows[id] = new LiveRow<TContent>(id, ContentOf(item));
        _rowsChanged |= row.Show(ContentOf(item));
        return row;
    }

    private async Task Refresh()
    {
        if (Stop.IsCancellationRequested) return;
        var (total, before) = (Total, _window);
        _rowsChanged = false;
        try
        {
            await Read();
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            return;
        }
        if (total != Total || !before.SequenceEqual(_window))
        {
            _prefetched = true;
            if (WindowChanged is { } changed) await changed();
        }
        else if (!_rowsChanged)
        {
            return;
        }
        NotifyChanged();
    }

    /// <summary>Shows another selection from its start.</summary>
    protected async Task Restart()
    {
        _range = (0, _range.Count);
        _prefetched = false;
        await Read();
        _prefetched = true;
        if (WindowChanged is { } changed) await changed();
        NotifyChanged();
    }

    private void Forget()
    {
        var kept = _window.ToDictionary(r => r.Id);
        _rows.Clear();
        foreach (var (id, row) in kept) _rows[id] = row;
    }

    protected override void OnDisposed() => _refresh.Dispose();
}
