using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>The volumes of one VM, and those that could be attached to it.</summary>
public sealed class VmDisksView : LiveView
{
    private const int MostShown = 100;
    private readonly IVolumes _volumes;
    private readonly string _project;
    private readonly VmId _vm;
    private readonly HostId? _host;
    private readonly bool _placed;

    public VmDisksView(IVolumes volumes, IChangeFeed feed, Caller caller, string project, VmView vm) : base(caller)
    {
        (_volumes, _project, _vm, _host, _placed) = (volumes, project, vm.Id, vm.Host, vm.HostName is not null);
        Listen(feed, change => change.Kind == "volume", _ => Load());
    }

    public IReadOnlyList<VolumeView> Attached { get; private set; } = [];
    public IReadOnlyList<VolumeView> Free { get; private set; } = [];
    public string Chosen { get; set; } = "";

    /// <summary>What the last act was answered, where it was refused.</summary>
    public string? ActRefusal { get; private set; }

    public Task Attach() => Guid.TryParse(Chosen, out var id)
        ? Act(() => _volumes.Attach(Caller, _project, VolumeId.From(id), new AttachVolume(_vm.ToString()), Guid.NewGuid().ToString(), Stop))
        : Task.CompletedTask;

    public Task Detach(VolumeId volume) => Act(() => _volumes.Detach(Caller, _project, volume, Guid.NewGuid().ToString(), Stop));

    private async Task Act(Func<Task<Result<OperationView>>> act)
    {
        var result = await act();
        ActRefusal = result.Succeeded ? null : result.Reason;
        await Load();
    }

    protected override async Task Read()
    {
        if (Take(await _volumes.List(Caller, _project, new VolumeQuery(Vm: _vm.ToString()), new Window(MostShown), Stop)) is not { } attached) return;
        Attached = attached.Items;
        if (!_placed) return;
        if (Take(await _volumes.List(Caller, _project, new VolumeQuery(State: VolumeLifecycle.Word(VolumeState.Available), Host: _host?.ToString()), new Window(MostShown), Stop)) is not { } free) return;
        Free = free.Items;
        if (Free.All(v => v.Id.ToString() != Chosen)) Chosen = Free.Count > 0 ? Free[0].Id.ToString() : "";
    }
}
