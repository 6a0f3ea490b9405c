using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Volumes;

public partial class CreateVolumePage
{
    [Parameter] public required string Project { get; set; }
    [SupplyParameterFromQuery] public string? Vm { get; set; }

    [Inject] public required IVolumes VolumesOfProject { get; set; }
    [Inject] public required IVirtualMachines Machines { get; set; }
    [Inject] public required IHosts HostsOfFleet { get; set; }
    [Inject] public required IStorageClasses Classes { get; set; }
    [Inject] public required IJSRuntime Js { get; set; }

    protected override object Key => (Project, Vm);

    protected override VolumeCreateView Open(Caller caller) => new(VolumesOfProject, Machines, HostsOfFleet, Classes, caller, Project, Vm);

    private async Task Submit()
    {
        if (await View!.Create() is { Volume: { } volume }) Navigation.NavigateTo(PortalUrls.Volume(Project, volume));
        else await Js.InvokeVoidAsync("plinthFocusFirstError");
    }
}
