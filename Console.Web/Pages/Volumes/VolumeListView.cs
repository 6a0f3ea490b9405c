using System.Globalization;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Volumes;

/// <summary>What a row of the list shows of a volume.</summary>
public sealed record VolumeRowContent(
    VolumeId Id, string Project, string Name, string StorageClass, VolumeState State, bool Stale, string? Reason,
    VmId? Vm, string? VmName, int SizeGib, HostId? Host, string HostName, DateTimeOffset CreatedAt)
{
    // The reason stands on the row, unless it only says in a sentence what the state's word says already.
    public static VolumeRowContent Of(VolumeView v) => new(
        v.Id, v.ProjectName, v.Name, v.StorageClass, v.State, v.Stale, v.StateReason == VolumeLifecycle.Sentence(v.State) ? null : v.StateReason,
        v.Vm, v.VmName, v.SizeGib, v.Host, v.HostName, v.CreatedAt);
}

/// <summary>The volumes of a project, filtered and sorted as the URL says.</summary>
public sealed class VolumeListView(IVolumes volumes, IChangeFeed feed, TimeProvider time, Caller caller, string project, VolumeQuery query)
    : LiveList<VolumeView, VolumeRowContent>(caller, feed, time, change => change.Kind == "volume")
{
    private long _all;

    public VolumeQuery Query { get; private set; } = query;

    public bool IsFiltered => !string.IsNullOrEmpty(Query.Q) || !string.IsNullOrEmpty(Query.State) || !string.IsNullOrEmpty(Query.Host) || !string.IsNullOrEmpty(Query.Vm);

    /// <summary>"25 of 20,114": what the filters leave, and all there are.</summary>
    public string Count => string.Create(CultureInfo.InvariantCulture, $"{Total:N0} of {Math.Max(_all, Total):N0}");

    public async Task Show(VolumeQuery next)
    {
        if (next == Query) return;
        Query = next;
        await Restart();
    }

    protected override async Task<Result<Page<VolumeView>>> List(Window window)
    {
        var page = await volumes.List(Caller, project, Query, window, Stop);
        if (!page.Succeeded) return page;
        if (!IsFiltered) _all = page.Value.Total;
        else if (await volumes.List(Caller, project, new VolumeQuery(), new Window(1), Stop) is { Succeeded: true } unfiltered) _all = unfiltered.Value.Total;
        return page;
    }

    protected override Guid IdOf(VolumeView item) => item.Id.Value;
    protected override VolumeRowContent ContentOf(VolumeView item) => VolumeRowContent.Of(item);
}
