using System.Globalization;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Hosts;

/// <summary>What a row of the list shows of a host.</summary>
public sealed record HostRowContent(
    HostId Id, string Name, HostState State, bool Stale, string? Reason, Acceleration? Acceleration, string Hardware,
    Resources Capacity, Resources Allocated, double? CpuPercent, int VmCount, int Unknown, DateTimeOffset? ReportedAt,
    string Agent, DateTimeOffset JoinedAt)
{
    public static HostRowContent Of(HostView host) => new(
        host.Id, host.Name, host.State, host.Stale, host is { State: HostState.Ready, Stale: false } ? null : host.StateReason,
        host.Facts?.Acceleration ?? (host.Simulated ? Core.Inventory.Acceleration.Simulated : null),
        host.Facts is { } facts ? facts.CpuModel : "not reported yet",
        host.Capacity, host.Allocated, host.Sample?.CpuPercent, host.VmCount, host.UnknownDomains.Count, host.ReportedAt,
        host.Facts?.AgentVersion ?? "", host.JoinedAt);
}

/// <summary>The hosts of the fleet, filtered and sorted as the URL says.</summary>
public sealed class HostListView(IHosts hosts, IChangeFeed feed, TimeProvider time, Caller caller, HostQuery query)
    : LiveList<HostView, HostRowContent>(caller, feed, time, change => change.Kind is "host" or "host-sample")
{
    private long _all;

    public HostQuery Query { get; private set; } = query;
    public bool IsFiltered => !string.IsNullOrEmpty(Query.Q) || !string.IsNullOrEmpty(Query.State);

    /// <summary>"25 of 200": what the filters leave, and all there are.</summary>
    public string Count => string.Create(CultureInfo.InvariantCulture, $"{Total:N0} of {Math.Max(_all, Total):N0}");

    public async Task Show(HostQuery next)
    {
        if (next == Query) return;
        Query = next;
        await Restart();
    }

    protected override async Task<Result<Page<HostView>>> List(Window window)
    {
        var page = await hosts.List(Caller, Query, window, Stop);
        if (!page.Succeeded) return page;
        if (!IsFiltered) _all = page.Value.Total;
        else if (await hosts.List(Caller, new HostQuery(), new Window(1), Stop) is { Succeeded: true } unfiltered) _all = unfiltered.Value.Total;
        return page;
    }

    protected override Guid IdOf(HostView item) => item.Id.Value;
    protected override HostRowContent ContentOf(HostView item) => HostRowContent.Of(item);
}
