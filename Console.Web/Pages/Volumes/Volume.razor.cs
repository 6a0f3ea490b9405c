using Microsoft.AspNetCore.Components;
using MudBlazor;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Data;
using Plinth.Web.Layout;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Volumes;

public partial class Volume
{
    [Parameter] public required string Project { get; set; }
    [Parameter] public Guid Id { get; set; }

    [Inject] public required IVolumes VolumesOfProject { get; set; }
    [Inject] public required IVirtualMachines Machines { get; set; }
    [Inject] public required IOperations Operations { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required IDialogService Dialogs { get; set; }

    protected override object Key => (Project, Id);

    private IReadOnlyList<Crumb> Above => [new Crumb("Volumes", PortalUrls.Volumes(Project))];
    private IReadOnlyList<(string, string)> TargetChoices => [.. View!.Targets.Select(v => (v.Name, $"{v.Name} ({v.State.ToString().ToLowerInvariant()})"))];

    protected override VolumeDetailView Open(Caller caller) => new(VolumesOfProject, Machines, Operations, Feed, caller, Project, VolumeId.From(Id));

    private async Task Detach()
    {
        var volume = View!.Volume!;
        var confirmed = await Dialogs.Confirm(
            $"Detach {volume.Name} from {volume.VmName}?",
            "A running guest is asked to release the disk; unmount it there first, or what it has not written is lost. If it does not let go within a minute, the volume stays attached. What is on it is kept.",
            "Detach");
        if (confirmed is not null) await View.Detach();
    }

    private async Task Delete()
    {
        var volume = View!.Volume!;
        var confirmed = await Dialogs.Confirm(
            $"Delete {volume.Name}?",
            $"The volume of {Quantity.Gib(volume.SizeGib)} and what is on it are removed for good. There is no undo and no backup.",
            "Delete for good", danger: true, typeToConfirm: volume.Name);
        if (confirmed is not null) await View.Delete();
    }
}
