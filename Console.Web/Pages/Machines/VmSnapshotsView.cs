using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>The snapshots of one VM.</summary>
public sealed class VmSnapshotsView : LiveView
{
    private readonly ISnapshots _snapshots;
    private readonly string _project;
    private readonly VmId _vm;

    public VmSnapshotsView(ISnapshots snapshots, IChangeFeed feed, Caller caller, string project, VmId vm) : base(caller)
    {
        (_snapshots, _project, _vm) = (snapshots, project, vm);
        Listen(feed, change => change.Kind == "vm" && change.Id == vm.Value, _ => Load());
    }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<SnapshotView> Snapshots { get; private set; } = [];

    public string Name { get; set; } = "";

    /// <summary>Whether the memory of a machine that is on is kept.</summary>
    public bool Memory { get; set; } = true;

    public TakeSnapshot Request => new(Name.Trim(), Memory ? null : false);

    /// <summary>What the last act was answered, where it was refused.</summary>
    public IReadOnlyList<Refusal> ActRefusals { get; private set; } = [];

    public async Task TakeOne()
    {
        await Act(() => _snapshots.Take(Caller, _project, _vm, Request, Guid.NewGuid().ToString(), Stop));
        if (ActRefusals.Count == 0) Name = "";
    }

    public Task Revert(SnapshotId snapshot) => Act(() => _snapshots.Revert(Caller, _project, _vm, snapshot, Guid.NewGuid().ToString(), Stop));

    public Task Remove(SnapshotId snapshot) => Act(() => _snapshots.Remove(Caller, _project, _vm, snapshot, Guid.NewGuid().ToString(), Stop));

    private async Task Act(Func<Task<Result<OperationView>>> act)
    {
        ActRefusals = (await act()).Refusals;
        await Load();
    }

    protected override async Task Read()
    {
        if (Take(await _snapshots.List(Caller, _project, _vm, Stop)) is { } snapshots) Snapshots = snapshots;
    }
}
