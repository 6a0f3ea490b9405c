using System.Globalization;
using Microsoft.AspNetCore.Components;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;

namespace Plinth.Web.Components.Past;

/// <summary>A page of the past: read once for its address, because the past does not change. Nothing can be done in it.</summary>
public abstract class PastComponent<T> : ComponentBase where T : class
{
    private object? _key;

    [Inject] public required IHistory History { get; set; }
    [Inject] public required CallerSource Callers { get; set; }

    /// <summary>As it stands in the URL.</summary>
    [Parameter, EditorRequired] public required string At { get; set; }

    protected T? Shown { get; private set; }
    protected IReadOnlyList<Refusal> Refusals { get; private set; } = [];

    protected abstract object Key { get; }
    protected abstract Task<Result<T>> Read(Caller caller, DateTimeOffset at);

    /// <summary>A moment as every URL of the portal carries it.</summary>
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    protected override async Task OnParametersSetAsync()
    {
        if (Equals(_key, (At, Key))) return;
        _key = (At, Key);
        if (!DateTimeOffset.TryParse(At, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
        {
            (Shown, Refusals) = (null, [Refusal.Invalid("at", "bad_time", $"{Core.Machines.RefusalList.Quote(At)} is not a time, like 2026-03-01T12:00:00Z.")]);
            return;
        }
        var read = await Read(await Callers.Current(), at.ToUniversalTime());
        (Shown, Refusals) = (read.Succeeded ? read.Value : null, read.Refusals);
    }
}
