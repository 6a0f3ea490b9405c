using Microsoft.AspNetCore.Components;
using MudBlazor;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components;
using Plinth.Web.Components.Charts;
using Plinth.Web.Components.Data;
using Plinth.Web.Layout;
using Plinth.Web.Layout.Commands;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

public partial class VirtualMachine
{
    private static readonly (string? Tab, string Text)[] Tabs = [(null, "Summary"), ("vnc", "VNC console"), ("console", "Serial console"), ("network", "Network"), ("snapshots", "Snapshots"), ("metrics", "Metrics")];

    private static readonly IReadOnlyList<ChartPlan> VmCharts =
    [
        new("CPU", ChartUnit.Percent, [new("cpu", "busy"), new("steal", "steal")]),
        new("Memory", ChartUnit.Mib, [new("memory", "used")]),
        new("Disk", ChartUnit.BytesPerSecond, [new("disk-read", "read"), new("disk-write", "write")]),
        new("Network", ChartUnit.BytesPerSecond, [new("net-receive", "receive"), new("net-transmit", "transmit")]),
    ];

    [Parameter] public required string Project { get; set; }
    [Parameter] public Guid Id { get; set; }
    [SupplyParameterFromQuery] public string? Tab { get; set; }
    [SupplyParameterFromQuery] public string? Range { get; set; }
    [SupplyParameterFromQuery] public string? At { get; set; }

    [Inject] public required IVirtualMachines Machines { get; set; }
    [Inject] public required IOperations Operations { get; set; }
    [Inject] public required IChangeFeed Feed { get; set; }
    [Inject] public required IDialogService Dialogs { get; set; }
    [Inject] public required PageCommands Commands { get; set; }

    protected override object Key => (Project, Id);

    private IReadOnlyList<Crumb> Above => [new Crumb("Virtual machines", PortalUrls.Vms(Project))];

    protected override VmDetailView Open(Caller caller) => new(Machines, Operations, Feed, caller, Project, VmId.From(Id));

    protected override void OnAfterRender(bool firstRender)
    {
        if (At is not null || View is not { Vm: { State: not VmState.Deleted } vm } view) return;
        Commands.Set(
            new PageCommand($"Start {vm.Name}", view.Start, view.WhyNot(VmEvent.StartAsked)),
            new PageCommand($"Stop {vm.Name}", Shutdown, view.WhyNot(VmEvent.StopAsked)),
            new PageCommand($"Reboot {vm.Name}", Reboot, view.WhyNot(OperationKind.RebootVm)),
            new PageCommand($"Pause {vm.Name}", view.Pause, view.WhyNot(OperationKind.PauseVm)),
            new PageCommand($"Resume {vm.Name}", view.Resume, view.WhyNot(OperationKind.ResumeVm)),
            new PageCommand($"Restore {vm.Name}", view.Restore, view.WhyNot(VmEvent.RestoreAsked)),
            new PageCommand($"Rebuild {vm.Name}", () => Go("rebuild"), VmRebuildView.WhyNot(vm)),
            new PageCommand($"Clone {vm.Name}", () => Go("clone"), VmCloneView.WhyNot(vm)),
            new PageCommand($"Delete {vm.Name}", Delete, view.WhyNoDelete));
    }

    /// <summary>The console's connection is made anew when this changes from off to on.</summary>
    private static bool ConsolePower(VmView vm) => vm.State is VmState.Starting or VmState.Running or VmState.Paused or VmState.Stopping;

    private Task Go(string tab)
    {
        Navigation.NavigateTo(PortalUrls.Vm(Project, VmId.From(Id), tab));
        return Task.CompletedTask;
    }

    private async Task Shutdown()
    {
        var vm = View!.Vm!;
        var atOnce = await Dialogs.Confirm(
            $"Stop {vm.Name}?",
            "The guest is asked to shut down and is switched off after 60 s if it has not. Its disk, its addresses and its place on the host are kept; start it again any time.",
            "Stop",
            option: "Switch off at once, without asking the guest. What it has not written to disk is lost.");
        if (atOnce is not { } force) return;
        await View.Shutdown(new StopVm(force ? 0 : null));
    }

    private async Task Reboot()
    {
        var vm = View!.Vm!;
        var force = await Dialogs.Confirm(
            $"Reboot {vm.Name}?",
            "The guest restarts; whoever uses it is interrupted until it is up again.",
            "Reboot",
            option: "Reset it, without asking the guest. What it has not written to disk is lost.");
        if (force is not { } reset) return;
        await View.Reboot(new RebootVm(reset));
    }

    private async Task Delete()
    {
        var vm = View!.Vm!;
        const string volumes = "Volumes that are attached to it are kept.";
        var removed = $"{Quantity.Gib(vm.Size.DiskGib)} disk is removed for good";
        var atOnce = vm.RestoreMinutes is { } minutes
            ? await Dialogs.Confirm(
                $"Delete {vm.Name}?",
                $"The machine is stopped and can be restored for {minutes} min. After that its {removed}; there is no backup. {volumes}",
                "Delete",
                danger: true,
                option: "Remove the disk at once. There is no undo.",
                typeToConfirm: vm.Name)
            : await Dialogs.Confirm(
                $"Delete {vm.Name}?",
                $"The machine is switched off and its {removed} now. There is no undo and no backup. {volumes}",
                "Delete for good",
                danger: true,
                typeToConfirm: vm.Name) is null ? null : true;
        if (atOnce is not { } now) return;
        await View.Delete(now);
    }
}
