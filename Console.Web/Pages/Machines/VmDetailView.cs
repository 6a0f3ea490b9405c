using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>One VM: its state, what is being done to it, why it is where it is, and the acts that its state allows.</summary>
public sealed class VmDetailView : LiveView
{
    private const int OperationsShown = 10;
    private readonly IVirtualMachines _machines;
    private readonly IOperations _operations;
    private readonly string _project;
    private readonly VmId _id;

    public VmDetailView(IVirtualMachines machines, IOperations operations, IChangeFeed feed, Caller caller, string project, VmId id) : base(caller)
    {
        (_machines, _operations, _project, _id) = (machines, operations, project, id);
        Listen(feed, Concerns, _ => Load());
    }

    public VmView? Vm { get; private set; }

    /// <summary>Newest first; the first one's timeline is shown.</summary>
    public IReadOnlyList<OperationView> Operations { get; private set; } = [];
    public DecisionView? Decision { get; private set; }

    /// <summary>What the last act was answered, where it was refused.</summary>
    public string? ActRefusal { get; private set; }

    /// <summary>Refusals of the last edit, by field.</summary>
    public IReadOnlyList<Refusal> EditRefusals { get; private set; } = [];

    /// <summary>Refusals of the last resize, by field.</summary>
    public IReadOnlyList<Refusal> ResizeRefusals { get; private set; } = [];

    /// <summary>Null where the act is allowed now, otherwise the sentence that says why not. Asked of the lifecycle itself.</summary>
    public string? WhyNot(VmEvent act) => Vm is null ? "The VM is not known." : VmLifecycle.Next(Vm.State, act) is { Succeeded: false } refused ? refused.Reason : null;

    /// <summary>The same for what a command carries: reboot, pause, resume.</summary>
    public string? WhyNot(OperationKind command) => Vm is null ? "The VM is not known." : MachineActs.WhyNot(command, Vm.State)?.Message;

    public string? WhyNoDelete => WhyNot(VmEvent.DeleteAsked) ?? (Vm!.Protected ? "The VM is protected against deletion; lift that under “Name, protection and notes” first." : null);

    public Task Start() => Act(() => _machines.Start(Caller, _project, _id, Guid.NewGuid().ToString(), Stop));
    public Task Shutdown(StopVm request) => Act(() => _machines.Stop(Caller, _project, _id, request, Guid.NewGuid().ToString(), Stop));
    public Task Reboot(RebootVm request) => Act(() => _machines.Reboot(Caller, _project, _id, request, Guid.NewGuid().ToString(), Stop));

    /// <summary>True when the new size was accepted.</summary>
    public async Task<bool> Resize(ResizeVm request)
    {
        var result = await _machines.Resize(Caller, _project, _id, request, Guid.NewGuid().ToString(), Stop);
        ResizeRefusals = result.Refusals;
        await Load();
        return result.Succeeded;
    }

    public Task Pause() => Act(() => _machines.Pause(Caller, _project, _id, Guid.NewGuid().ToString(), Stop));
    public Task Resume() => Act(() => _machines.Resume(Caller, _project, _id, Guid.NewGuid().ToString(), Stop));

    /// <summary>Deletes what was seen: refused when the VM has become another since.</summary>
    public Task Delete(bool atOnce) => Act(() => _machines.Delete(Caller, _project, _id, atOnce, null, Guid.NewGuid().ToString(), Stop));
    public Task Restore() => Act(() => _machines.Restore(Caller, _project, _id, Guid.NewGuid().ToString(), Stop));
    public Task Cancel(OperationId operation) => Act(() => _operations.Cancel(Caller, operation, Stop));

    public Task<Result<ConsoleTicketView>> OpenSerial() => _machines.OpenConsole(Caller, _project, _id, new OpenVmConsole("serial"), Stop);
    public Task<Result<ConsoleTicketView>> OpenVnc() => _machines.OpenConsole(Caller, _project, _id, new OpenVmConsole("vnc"), Stop);
    public Task<Result<IReadOnlyList<SeriesView>>> Metrics(TimeSpan range) => _machines.Metrics(Caller, _project, _id, range, Stop);

    /// <summary>What the edit asks for, as the API takes it.</summary>
    public static UpdateVm Changes(string name, bool kept, string description, string labels) => new(description, LabelText.Parse(labels) ?? new Dictionary<string, string?>(), name, kept);

    /// <summary>True when the edit was accepted.</summary>
    public async Task<bool> Edit(string name, bool kept, string description, string labels, long version)
    {
        var result = await _machines.Update(Caller, _project, _id, Changes(name, kept, description, labels), version, Stop);
        EditRefusals = result.Refusals;
        if (result.Succeeded) Vm = result.Value;
        NotifyChanged();
        return result.Succeeded;
    }

    private bool Concerns(Change change) => change.Kind switch
    {
        "vm" or "vm-sample" => change.Id == _id.Value,
        // The list is replaced as a whole, so it may be read from the feed's thread.
        "operation" => Operations.Any(o => o.Id.Value == change.Id),
        _ => false,
    };

    private async Task Act(Func<Task<Result<OperationView>>> act)
    {
        var result = await act();
        ActRefusal = result.Succeeded ? null : result.Reason;
        await Load();
    }

    protected override async Task Read()
    {
        var vm = Take(await _machines.Get(Caller, _project, _id, Stop));
        if (vm is null)
        {
            // Deleted while it was looked at: what was last seen stays, with the refusal above it.
            return;
        }
        Vm = vm;
        var operations = await _operations.List(Caller, new OperationQuery(Vm: _id.ToString()), new Window(OperationsShown), Stop);
        if (operations.Succeeded) Operations = operations.Value.Items;
        if (Decision is null && vm.HostName is not null && await _machines.Decision(Caller, _project, _id, Stop) is { Succeeded: true } decision) Decision = decision.Value;
    }
}
