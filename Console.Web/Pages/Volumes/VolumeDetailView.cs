using System.Globalization;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Pages.Volumes;

/// <summary>One volume: its state, what is being done to it, and the acts that its state allows.</summary>
public sealed class VolumeDetailView : LiveView
{
    private const int OperationsShown = 10;
    private readonly IVolumes _volumes;
    private readonly IVirtualMachines _machines;
    private readonly IOperations _operations;
    private readonly string _project;
    private readonly VolumeId _id;

    public VolumeDetailView(IVolumes volumes, IVirtualMachines machines, IOperations operations, IChangeFeed feed, Caller caller, string project, VolumeId id) : base(caller)
    {
        (_volumes, _machines, _operations, _project, _id) = (volumes, machines, operations, project, id);
        Listen(feed, Concerns, _ => Load());
    }

    public VolumeView? Volume { get; private set; }

    /// <summary>Newest first; the first one's timeline is shown.</summary>
    public IReadOnlyList<OperationView> Operations { get; private set; } = [];

    /// <summary>VMs on the volume's host: what it can be attached to.</summary>
    public IReadOnlyList<VmView> Targets { get; private set; } = [];

    public string Target { get; set; } = "";
    public string SizeGib { get; set; } = "";

    /// <summary>What the last act was answered, where it was refused.</summary>
    public IReadOnlyList<Refusal> ActRefusals { get; private set; } = [];
    public IReadOnlyList<Refusal> EditRefusals { get; private set; } = [];

    public IReadOnlyList<string> ErrorsOf(string field) => [.. ActRefusals.Where(r => r.Names(field)).Select(r => r.Message)];
    public IReadOnlyList<Refusal> OtherRefusals => [.. ActRefusals.Where(r => !r.Names("vm") && !r.Names("sizeGib"))];

    /// <summary>Null where the act is allowed now, otherwise the sentence that says why not. Asked of the lifecycle itself.</summary>
    public string? WhyNot(VolumeEvent act) => Volume is null ? "The volume is not known." : VolumeLifecycle.Next(Volume.State, act) is { Succeeded: false } refused ? refused.Reason : null;

    public ResizeVolume ResizeRequest => new(long.TryParse(SizeGib.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var size) ? size : null);

    public Task Attach() => Act(() => _volumes.Attach(Caller, _project, _id, new AttachVolume(Target), Guid.NewGuid().ToString(), Stop));
    public Task Detach() => Act(() => _volumes.Detach(Caller, _project, _id, Guid.NewGuid().ToString(), Stop));
    public Task Delete() => Act(() => _volumes.Delete(Caller, _project, _id, null, Guid.NewGuid().ToString(), Stop));

    public async Task Resize()
    {
        await Act(() => _volumes.Resize(Caller, _project, _id, ResizeRequest, Guid.NewGuid().ToString(), Stop));
        if (ActRefusals.Count == 0) SizeGib = "";
    }

    public static UpdateVolume Changes(string name, string description) => new(name.Trim(), description);

    /// <summary>True when the edit was accepted.</summary>
    public async Task<bool> Edit(UpdateVolume changes, long version)
    {
        var result = await _volumes.Update(Caller, _project, _id, changes, version, Stop);
        EditRefusals = result.Refusals;
        if (result.Succeeded) Volume = result.Value;
        NotifyChanged();
        return result.Succeeded;
    }

    private bool Concerns(Change change) => change.Kind switch
    {
        "volume" => change.Id == _id.Value,
        // The list is replaced as a whole, so it may be read from the feed's thread.
        "operation" => Operations.Any(o => o.Id.Value == change.Id),
        _ => false,
    };

    private async Task Act(Func<Task<Result<OperationView>>> act)
    {
        ActRefusals = (await act()).Refusals;
        await Load();
    }

    protected override async Task Read()
    {
        // Deleted while it was looked at: what was last seen stays, with the refusal above it.
        if (Take(await _volumes.Get(Caller, _project, _id, Stop)) is not { } volume) return;
        Volume = volume;
        var operations = await _operations.List(Caller, new OperationQuery(Volume: _id.ToString()), new Window(OperationsShown), Stop);
        if (operations.Succeeded) Operations = operations.Value.Items;
        if (volume.State != VolumeState.Available) return;
        var there = await _machines.List(Caller, _project, new VmQuery(Host: volume.Host?.ToString(), Sort: "name"), new Window(500), Stop);
        Targets = there.Succeeded ? [.. there.Value.Items.Where(v => v.State is VmState.Running or VmState.Stopped or VmState.Paused or VmState.Starting)] : [];
        if (Targets.All(v => v.Name != Target)) Target = Targets.Count > 0 ? Targets[0].Name : "";
    }
}
