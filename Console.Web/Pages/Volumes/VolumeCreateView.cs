using System.Globalization;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components.Data;
using Plinth.Web.Components.Live;
using Plinth.Web.Pages.Machines;

namespace Plinth.Web.Pages.Volumes;

/// <summary>The create page of a volume: choices, the form, and the create itself. The form is text, judged by nobody here.</summary>
public sealed class VolumeCreateView(IVolumes volumes, IVirtualMachines machines, IHosts hosts, IStorageClasses storageClasses, Caller caller, string project, string? vm) : LiveView(caller)
{
    private static readonly string[] Fields = ["name", "sizeGib", "storageClass", "vm", "host", "description"];

    // One key for one form: pressing Create twice, or again after a lost answer, makes one volume.
    private readonly string _idempotencyKey = Guid.NewGuid().ToString();
    private IReadOnlyList<Refusal> _answer = [];
    private IReadOnlyList<StorageClassView> _classes = [];

    public string Name { get; set; } = "volume-" + Guid.NewGuid().ToString("N")[..5];
    public string Description { get; set; } = "";
    public string SizeGib { get; set; } = "1";
    public string StorageClass { get; set; } = "";
    public string Vm { get; set; } = vm ?? "";
    public string Host { get; set; } = "";
    public bool Sending { get; private set; }

    /// <summary>What the chosen class promises.</summary>
    public string? ClassHint => _classes.FirstOrDefault(s => s.Name == (StorageClass.Length == 0 ? "default" : StorageClass)) is { } chosen
        ? $"Needs {chosen.Needs}; {(chosen.Limits == IoLimits.None ? "" : "limited to ")}{chosen.Limits}."
        : null;

    public IReadOnlyList<(string, string)> ClassChoices { get; private set; } = [];
    public IReadOnlyList<(string, string)> VmChoices { get; private set; } = [];
    public IReadOnlyList<(string, string)> HostChoices { get; private set; } = [];

    /// <summary>What is sent; null where nothing was filled in, so that the use case says what is needed.</summary>
    public CreateVolume Request => new(
        Text(Name), long.TryParse(SizeGib.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var size) ? size : null,
        Text(StorageClass), Text(Description), Vm.Length == 0 ? Text(Host) : null, Text(Vm));

    public IReadOnlyList<string> ErrorsOf(string field) => [.. _answer.Where(r => r.Names(field)).Select(r => r.Message)];

    public IReadOnlyList<Refusal> OtherRefusals => [.. _answer.Where(r => !Fields.Any(r.Names))];

    /// <summary>The operation, or null with the errors at their fields.</summary>
    public async Task<OperationView?> Create()
    {
        if (Sending) return null;
        Sending = true;
        NotifyChanged();
        try
        {
            var result = await volumes.Create(Caller, project, Request, _idempotencyKey, Stop);
            _answer = result.Refusals;
            return result.Succeeded ? result.Value : null;
        }
        finally
        {
            Sending = false;
            NotifyChanged();
        }
    }

    protected override async Task Read()
    {
        if (Take(await storageClasses.List(Caller, Stop)) is not { } classes) return;
        if (Take(await machines.List(Caller, project, new VmQuery(), new Window(500), Stop)) is not { } vms) return;
        _classes = classes;
        ClassChoices = [.. classes.Select(s => (s.Name == "default" ? "" : s.Name, s.Name))];
        VmChoices = [("", "No VM yet"), .. vms.Items.Where(v => v.HostName is not null).Select(v => (v.Name, $"{v.Name} on {v.HostName}"))];
        // A tenant knows of no host and chooses none.
        if (await hosts.List(Caller, new HostQuery(Sort: "name"), new Window(500), Stop) is { Succeeded: true, Value: { } fleet })
            HostChoices = [("", "The one with the most free disk"), .. fleet.Items.Where(h => h.State == HostState.Ready).Select(h => (h.Name, $"{h.Name}, {Quantity.Gib(Math.Max(0, h.Capacity.DiskGib - h.Allocated.DiskGib))} free"))];
    }

    private static string? Text(string value) => value.Trim() is { Length: > 0 } text ? text : null;
}
