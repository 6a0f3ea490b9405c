using System.Globalization;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>A clone as it is filled in: a name of its own, the source's size, and what is not copied.</summary>
public sealed class VmCloneView : LiveView
{
    private const int MostShown = 100;

    private static readonly string[] Fields = ["name", "vcpus", "memoryMib", "diskGib", "keys", "userData"];

    private readonly IRootDisks _disks;
    private readonly IVolumes _volumes;
    private readonly string _project;
    private readonly VmId _vm;
    private readonly Resources _size;

    // What is left as it is, is not sent.
    private readonly string _keys;

    // One key for one form: pressing twice, or again after a lost answer, makes one VM.
    private readonly string _idempotencyKey = Guid.NewGuid().ToString();

    public VmCloneView(IRootDisks disks, IVolumes volumes, IChangeFeed feed, Caller caller, string project, VmView vm) : base(caller)
    {
        (_disks, _volumes, _project, _vm, _size, _keys) = (disks, volumes, project, vm.Id, vm.Size, string.Join('\n', vm.SshKeys));
        (Name, Vcpus, MemoryMib, DiskGib, Keys) = (vm.Name.Length <= 56 ? $"{vm.Name}-clone" : "", $"{vm.Size.Vcpus}", $"{vm.Size.MemoryMib}", $"{vm.Size.DiskGib}", _keys);
        Listen(feed, change => change.Kind == "volume", _ => Load());
    }

    public string Name { get; set; }
    public string Vcpus { get; set; }
    public string MemoryMib { get; set; }
    public string DiskGib { get; set; }

    /// <summary>One OpenSSH public key per line.</summary>
    public string Keys { get; set; }

    /// <summary>Empty for what the source was given.</summary>
    public string UserData { get; set; } = "";

    public IReadOnlyList<VolumeView> Volumes { get; private set; } = [];
    public IReadOnlyList<Refusal> ActRefusals { get; private set; } = [];

    public IReadOnlyList<string> ErrorsOf(string field) => [.. ActRefusals.Where(r => r.Names(field)).Select(r => r.Message)];

    /// <summary>What is wrong with no field in particular.</summary>
    public IReadOnlyList<Refusal> OtherRefusals => [.. ActRefusals.Where(r => !Fields.Any(f => r.Names(f)))];

    /// <summary>Null where it can be asked for, otherwise the sentence that says why not.</summary>
    public static string? WhyNot(VmView vm) => CloneActs.WhyNot(vm.State, vm.HostName)?.Message;

    public CloneVm ToRequest() => new(
        Name.Trim(),
        Vcpus: Number(Vcpus, _size.Vcpus), MemoryMib: Number(MemoryMib, _size.MemoryMib), DiskGib: Number(DiskGib, _size.DiskGib),
        Keys: Keys.Trim() == _keys ? null : [.. Keys.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
        UserData: UserData.Trim().Length == 0 ? null : UserData);

    /// <summary>The clone's operation, or null with the errors at their fields.</summary>
    public async Task<OperationView?> Clone()
    {
        var result = await _disks.Clone(Caller, _project, _vm, ToRequest(), null, _idempotencyKey, Stop);
        ActRefusals = result.Refusals;
        NotifyChanged();
        return result.Succeeded ? result.Value : null;
    }

    // What is no number is sent as one that the answer refuses by its field.
    private static long? Number(string text, int source) => !long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? 0 : n == source ? null : n;

    protected override async Task Read()
    {
        if (Take(await _volumes.List(Caller, _project, new VolumeQuery(Vm: _vm.ToString()), new Window(MostShown), Stop)) is { } volumes) Volumes = volumes.Items;
    }
}
