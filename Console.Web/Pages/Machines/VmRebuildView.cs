using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>A rebuild as it is filled in: the images there are, what would be lost and what would stay.</summary>
public sealed class VmRebuildView : LiveView
{
    private const int MostShown = 100;

    private static readonly string[] Fields = ["image", "userName", "keys", "userData"];

    private readonly IRootDisks _disks;
    private readonly ICatalogue _catalogue;
    private readonly ISnapshots _snapshots;
    private readonly IVolumes _volumes;
    private readonly string _project;
    private readonly VmId _vm;

    // What is left as it is, is not sent: another image brings its own login where the former's was used.
    private readonly string _userName, _keys;

    // One key for one form: pressing twice, or again after a lost answer, rebuilds once.
    private readonly string _idempotencyKey = Guid.NewGuid().ToString();

    public VmRebuildView(IRootDisks disks, ICatalogue catalogue, ISnapshots snapshots, IVolumes volumes, IChangeFeed feed, Caller caller, string project, VmView vm) : base(caller)
    {
        (_disks, _catalogue, _snapshots, _volumes, _project, _vm) = (disks, catalogue, snapshots, volumes, project, vm.Id);
        (_userName, _keys) = (vm.UserName, string.Join('\n', vm.SshKeys));
        (Image, UserName, Keys) = (vm.ImageName, _userName, _keys);
        Listen(feed, change => change.Kind is "image" or "volume" || (change.Kind == "vm" && change.Id == vm.Id.Value), _ => Load());
    }

    public string Image { get; set; }
    public string UserName { get; set; }

    /// <summary>One OpenSSH public key per line.</summary>
    public string Keys { get; set; }

    /// <summary>Empty for what it was given before.</summary>
    public string UserData { get; set; } = "";

    /// <summary>The guest is not asked to shut down.</summary>
    public bool AtOnce { get; set; }

    public IReadOnlyList<ImageView> Images { get; private set; } = [];
    public IReadOnlyList<SnapshotView> Snapshots { get; private set; } = [];
    public IReadOnlyList<VolumeView> Volumes { get; private set; } = [];

    public IReadOnlyList<Refusal> ActRefusals { get; private set; } = [];

    public IReadOnlyList<string> ErrorsOf(string field) => [.. ActRefusals.Where(r => r.Names(field)).Select(r => r.Message)];

    /// <summary>What is wrong with no field in particular.</summary>
    public IReadOnlyList<Refusal> OtherRefusals => [.. ActRefusals.Where(r => !Fields.Any(f => r.Names(f)))];

    /// <summary>Null where it can be asked for, otherwise the sentence that says why not.</summary>
    public static string? WhyNot(VmView vm) =>
        RebuildActs.WhyNot(vm.State, vm.HostName)?.Message ?? (vm.Protected ? "The VM is protected against deletion, and a rebuild deletes its root disk; lift that under “Name, protection and notes” first." : null);

    public RebuildVm ToRequest() => new(
        Image,
        UserName.Trim() == _userName ? null : UserName.Trim(),
        Keys.Trim() == _keys ? null : [.. Keys.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
        UserData.Trim().Length == 0 ? null : UserData,
        AtOnce ? 0 : null);

    /// <summary>Rebuilds what was seen: refused when the VM has become another since. True when it was accepted.</summary>
    public async Task<bool> Rebuild(long version)
    {
        var result = await _disks.Rebuild(Caller, _project, _vm, ToRequest(), version, _idempotencyKey, Stop);
        ActRefusals = result.Refusals;
        NotifyChanged();
        return result.Succeeded;
    }

    protected override async Task Read()
    {
        if (Take(await _catalogue.Images(Caller, new Window(500), Stop)) is not { } images) return;
        Images = [.. images.Items.Where(i => i.State == ImageState.Ready)];
        if (Take(await _snapshots.List(Caller, _project, _vm, Stop)) is not { } snapshots) return;
        Snapshots = snapshots;
        if (Take(await _volumes.List(Caller, _project, new VolumeQuery(Vm: _vm.ToString()), new Window(MostShown), Stop)) is { } volumes) Volumes = volumes.Items;
    }
}
