using System.Globalization;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Audit;

/// <summary>What a row of the ledger shows.</summary>
public sealed record AuditRowContent(long Sequence, DateTimeOffset At, string Actor, string ActorKind, string Action, string Target, string Outcome, string Detail, string? RemoteAddress, string? LeafHash)
{
    public static AuditRowContent Of(AuditEntryView e) => new(e.Sequence, e.At, e.Actor, e.ActorKind, e.Action, e.Target, e.Outcome, e.Detail, e.RemoteAddress, e.LeafHash);
}

/// <summary>
/// The audit ledger, newest first, filtered as the URL says, with the newest signed checkpoint. Not live on purpose:
/// who reads evidence wants it to stand still.
/// </summary>
public sealed class AuditView(IAuditLog audit, IChangeFeed feed, TimeProvider time, Caller caller, AuditQuery query)
    : LiveList<AuditEntryView, AuditRowContent>(caller, feed, time, static _ => false)
{
    private long _all;

    public AuditQuery Query { get; private set; } = query;
    public CheckpointView? Checkpoint { get; private set; }
    public bool IsFiltered => !string.IsNullOrEmpty(Query.Action) || !string.IsNullOrEmpty(Query.Actor) || !string.IsNullOrEmpty(Query.Target);
    public string Count => string.Create(CultureInfo.InvariantCulture, $"{Total:N0} of {Math.Max(_all, Total):N0}");

    public async Task Show(AuditQuery next)
    {
        if (next == Query) return;
        Query = next;
        await Restart();
    }

    public async Task LoadCheckpoint()
    {
        var checkpoint = await audit.Checkpoint(Caller, Stop);
        Checkpoint = checkpoint.Succeeded ? checkpoint.Value : null;
        NotifyChanged();
    }

    protected override async Task<Result<Page<AuditEntryView>>> List(Window window)
    {
        var page = await audit.List(Caller, Query, window, Stop);
        if (!page.Succeeded) return page;
        if (!IsFiltered) _all = page.Value.Total;
        else if (await audit.List(Caller, new AuditQuery(), new Window(1), Stop) is { Succeeded: true } unfiltered) _all = unfiltered.Value.Total;
        return page;
    }

    // Entries have a number, not an id: the number is unique, so it serves as one.
    protected override Guid IdOf(AuditEntryView item)
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, item.Sequence);
        return new Guid(bytes);
    }

    protected override AuditRowContent ContentOf(AuditEntryView item) => AuditRowContent.Of(item);
}
