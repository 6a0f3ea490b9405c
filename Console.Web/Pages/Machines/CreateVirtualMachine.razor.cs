using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using MudBlazor;
using Plinth.Core.Inventory;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Data;
using Plinth.Web.Components.Live;
using Plinth.Web.Components.States;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

public partial class CreateVirtualMachine
{
    [Parameter] public required string Project { get; set; }

    /// <summary>Survives a restart of the console, as the browser's.</summary>
    [PersistentState] public VmDraft? Kept { get; set; }

    [Inject] public required IVirtualMachines Machines { get; set; }
    [Inject] public required ICatalogue Catalogue { get; set; }
    [Inject] public required INetworks NetworksOfProject { get; set; }
    [Inject] public required IStorageClasses Classes { get; set; }
    [Inject] public required IHosts HostsOfFleet { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required TimeProvider Time { get; set; }
    [Inject] public required IJSRuntime Js { get; set; }

    protected override object Key => Project;

    protected override VmCreateView Open(Caller caller) => new(Machines, Catalogue, NetworksOfProject, Classes, HostsOfFleet, Feed, Time, caller, Project, Kept);

    private IReadOnlyList<(string, string)> ImageChoices => View!.Images.Count == 0 ? [("", "No image is ready")] : [.. View.Images.Select(i => (i.Name, i.Name))];

    private string? ImageHint => View!.Image is { } image
        ? $"{(image.Description.Length > 0 ? image.Description + " " : "")}Needs at least {Quantity.Mib(image.MinMemoryMib)} of memory and {Quantity.Gib(image.MinDiskGib)} of disk."
        : null;

    private IReadOnlyList<(string, string)> StorageChoices => [.. View!.StorageClasses.Select(s => (s.Name == "default" ? "" : s.Name, s.Name))];

    private string? StorageHint => View!.StorageClasses.FirstOrDefault(s => s.Name == (View.Form.StorageClass.Length == 0 ? "default" : View.Form.StorageClass)) is { } chosen
        ? $"{(chosen.Description.Length > 0 ? chosen.Description.TrimEnd('.') + ". " : "")}Needs {chosen.Needs}; the disk is {(chosen.Limits == IoLimits.None ? "" : "limited to ")}{chosen.Limits}."
        : null;

    private IReadOnlyList<(string, string)> HostChoices =>
    [
        ("", "Chosen by placement"),
        .. View!.Hosts.Where(h => h.State != HostState.Retired).Select(h => (h.Name, h.Name + (StateLook.Of(h.Facts?.Acceleration) is { } tag ? $" ({tag.Label})" : ""))),
    ];

    private string FitSentence => View switch
    {
        { Asking: true, Fit: null } => "Looking for hosts…",
        { Fit: { } fit } => $"Fits on {fit.Hosts} of {Quantity.Count(fit.OfHosts, "host")}." + (fit.Hosts == 0 ? " " + fit.Sentence : ""),
        { WrongFields: > 0 and var n } => $"{Quantity.Count(n, "field")} to correct before it can be placed.",
        _ => "It cannot be created as it is.",
    };

    private bool OverQuota => View is { Fit.OverQuota.Count: > 0 } || View?.OtherRefusals.Any(r => r.Code == "quota_exceeded") == true;

    private string FitTone => View?.Fit switch { null => "tone-quiet", { OverQuota.Count: > 0 } => "tone-bad", { Hosts: 0 } => "tone-attention", _ => "tone-good" };
    private string FitIcon => View?.Fit switch { null => Icons.Material.Rounded.HourglassEmpty, { OverQuota.Count: > 0 } => Icons.Material.Rounded.Block, { Hosts: 0 } => Icons.Material.Rounded.HourglassTop, _ => Icons.Material.Rounded.Check };

    private string Curl => ApiCall.Post(Navigation.BaseUri, $"/api/v1/projects/{Uri.EscapeDataString(Project)}/vms", View!.Form.ToRequest());

    private Task Edit(string property, string value)
    {
        var form = View!.Form;
        Kept = View.Draft;
        switch (property)
        {
            case nameof(VmForm.Name): form.Name = value; return View.Edited("name");
            case nameof(VmForm.Description): form.Description = value; return View.Edited("description");
            case nameof(VmForm.Image): form.Image = value; return View.Edited("image");
            case nameof(VmForm.Flavor): form.Flavor = value; return View.Edited("flavor");
            case nameof(VmForm.Vcpus): form.Vcpus = value; return View.Edited("vcpus");
            case nameof(VmForm.MemoryMib): form.MemoryMib = value; return View.Edited("memoryMib");
            case nameof(VmForm.DiskGib): form.DiskGib = value; return View.Edited("diskGib");
            case nameof(VmForm.UserName): form.UserName = value; return View.Edited("userName");
            case nameof(VmForm.Keys): form.Keys = value; return View.Edited("keys");
            case nameof(VmForm.UserData): form.UserData = value; return View.Edited("userData");
            case nameof(VmForm.Labels): form.Labels = value; return View.Edited("labels");
            case nameof(VmForm.StorageClass): form.StorageClass = value; return View.Edited("storageClass");
            case nameof(VmForm.Host): form.Host = value; return View.Edited("host");
            case nameof(VmForm.Firmware):
                // Secure Boot goes with UEFI.
                (form.Firmware, form.SecureBoot) = (value, form.SecureBoot && value == "uefi");
                return View.Edited("firmware");
            default: throw new ArgumentOutOfRangeException(nameof(property), property, null);
        }
    }

    private Task ChooseSecureBoot(bool value)
    {
        Kept = View!.Draft;
        View.Form.SecureBoot = value;
        return View.Edited("secureBoot");
    }

    private Task ChooseTpm(bool value)
    {
        Kept = View!.Draft;
        View.Form.Tpm = value;
        return View.Edited("tpm");
    }

    private async Task Submit()
    {
        if (await View!.Create() is { Vm: { } vm }) Navigation.NavigateTo(PortalUrls.Vm(Project, vm));
        else await Js.InvokeVoidAsync("plinthFocusFirstError");
    }
}
