using System.Globalization;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Lists;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>What a row of the list shows of a VM.</summary>
/// <param name="SeenAt">When it was last observed; said of a stale one only.</param>
public sealed record VmRowContent(
    VmId Id, string Project, string Name, string ImageName, VmState State, bool Stale, string? Reason,
    HostId? Host, string? HostName, Acceleration? Acceleration, Resources Size, string Addresses, DateTimeOffset CreatedAt, DateTimeOffset? SeenAt,
    string Labels, string Description, DateTimeOffset? RestorableUntil)
{
    public static VmRowContent Of(VmView vm) => new(
        vm.Id, vm.ProjectName, vm.Name, vm.ImageName, vm.State, vm.Stale,
        vm.Trouble?.Sentence ?? (Telling(vm) ? vm.StateReason : null),
        vm.Host, vm.HostName, vm.Acceleration, vm.Size, string.Join(", ", vm.Addresses), vm.CreatedAt, vm.Stale ? vm.ObservedAt : null,
        string.Join(' ', vm.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => l.Value.Length == 0 ? l.Key : $"{l.Key}={l.Value}")), vm.Description, vm.RestorableUntil);

    /// <summary>The reason stands on the row, unless it only says in a sentence what the state's word says already.</summary>
    private static bool Telling(VmView vm) =>
        vm.Stale || !(vm.State is VmState.Running or VmState.Stopped || (VmLifecycle.IsTransitional(vm.State) && vm.StateReason == VmLifecycle.Sentence(vm.State)));
}

/// <summary>The virtual machines of a project, filtered and sorted as the URL says.</summary>
public sealed class VmListView(IVirtualMachines machines, IBulkActs bulk, IHosts hosts, IChangeFeed feed, TimeProvider time, Caller caller, string project, VmQuery query)
    : LiveList<VmView, VmRowContent>(caller, feed, time, change => change.Kind == "vm")
{
    public VmQuery Query { get; private set; } = query;

    /// <summary>Hosts to filter by, by name.</summary>
    public IReadOnlyList<HostView> Hosts { get; private set; } = [];

    public bool IsFiltered => !string.IsNullOrEmpty(Query.Q) || !string.IsNullOrEmpty(Query.State) || !string.IsNullOrEmpty(Query.Host) || !string.IsNullOrEmpty(Query.Label);

    /// <summary>"25 of 20,114": what the filters leave, and all there are.</summary>
    public string Count => string.Create(CultureInfo.InvariantCulture, $"{Total:N0} of {Math.Max(_all, Total):N0}");

    private long _all;

    /// <summary>What each machine of the last bulk act was answered.</summary>
    public IReadOnlyList<BulkItemView> Answers { get; private set; } = [];

    /// <summary>Why the last bulk act was not even begun.</summary>
    public IReadOnlyList<Refusal> ActRefusals { get; private set; } = [];

    /// <summary>What the last bulk act has deleted and can be restored.</summary>
    public IReadOnlyList<VmView> Restorable { get; private set; } = [];

    /// <summary>The machines that were picked and still exist, by name.</summary>
    public Task<IReadOnlyList<VmView>> Picked(Selection selection) => Existing(selection.Ids);

    private async Task<IReadOnlyList<VmView>> Existing(IEnumerable<Guid> ids)
    {
        var picked = new List<VmView>();
        foreach (var id in ids)
            if (await machines.Get(Caller, project, VmId.From(id), Stop) is { Succeeded: true, Value: { State: not VmState.Deleted } vm }) picked.Add(vm);
        return [.. picked.OrderBy(v => v.Name, StringComparer.Ordinal)];
    }

    /// <summary>Everything that the filters leave, as far as a selection goes.</summary>
    public async Task<Selection> PickAll()
    {
        var page = await machines.List(Caller, project, Query, new Window(Selection.Most), Stop);
        return page.Succeeded ? Selection.Of(page.Value.Items.Select(v => v.Id.Value)) : Selection.None;
    }

    public async Task Act(BulkAct act)
    {
        var result = await bulk.Act(Caller, project, act, Guid.NewGuid().ToString(), Stop);
        ActRefusals = result.Refusals;
        Answers = result.Succeeded ? result.Value.Items : [];
        Restorable = act.Action == "delete" ? [.. (await Existing(Answers.Where(a => a.Operation is not null).Select(a => a.Vm.Value))).Where(v => v.RestorableUntil is not null)] : [];
        NotifyChanged();
    }

    /// <summary>Undoes the deletion of one.</summary>
    public async Task Restore(Guid vm)
    {
        ActRefusals = (await machines.Restore(Caller, project, VmId.From(vm), Guid.NewGuid().ToString(), Stop)).Refusals;
        NotifyChanged();
    }

    public void ForgetAnswers()
    {
        (Answers, ActRefusals, Restorable) = ([], [], []);
        NotifyChanged();
    }

    public async Task Show(VmQuery next)
    {
        if (next == Query) return;
        Query = next;
        await Restart();
    }

    /// <summary>The hosts of the filter; a list without them is still a list.</summary>
    public async Task LoadHosts()
    {
        var page = await hosts.List(Caller, new HostQuery(Sort: "name"), new Window(500), Stop);
        Hosts = page.Succeeded ? page.Value.Items : [];
        NotifyChanged();
    }

    protected override async Task<Result<Page<VmView>>> List(Window window)
    {
        var page = await machines.List(Caller, project, Query, window, Stop);
        if (!page.Succeeded) return page;
        if (!IsFiltered) _all = page.Value.Total;
        else if (await machines.List(Caller, project, new VmQuery(), new Window(1), Stop) is { Succeeded: true } unfiltered) _all = unfiltered.Value.Total;
        return page;
    }

    protected override Guid IdOf(VmView item) => item.Id.Value;
    protected override VmRowContent ContentOf(VmView item) => VmRowContent.Of(item);
}
