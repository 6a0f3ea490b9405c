using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Components.Live;
using Plinth.Web.Live;

namespace Plinth.Web.Pages.Machines;

/// <summary>The acts on one VM's network interfaces, and the networks that it could be on as well.</summary>
public sealed class VmInterfacesView : LiveView
{
    private readonly IInterfaces _interfaces;
    private readonly INetworks _networks;
    private readonly string _project;
    private readonly VmId _vm;
    private IReadOnlyList<NetworkView> _all = [];

    public VmInterfacesView(IInterfaces interfaces, INetworks networks, IChangeFeed feed, Caller caller, string project, VmId vm) : base(caller)
    {
        (_interfaces, _networks, _project, _vm) = (interfaces, networks, project, vm);
        Listen(feed, change => (change.Kind == "vm" && change.Id == vm.Value) || change.Kind == "network", _ => Load());
    }

    public IReadOnlyList<VmNetworkView> Interfaces { get; private set; } = [];

    /// <summary>The project's networks that it has no interface on.</summary>
    public IReadOnlyList<NetworkView> Free => [.. _all.Where(n => Interfaces.All(i => i.Id != n.Id))];

    public string Chosen { get; set; } = "";
    public string Address { get; set; } = "";

    /// <summary>The network that the form is about; null where there is none left.</summary>
    public NetworkView? Network => Free.FirstOrDefault(n => n.Name == Chosen);

    /// <summary>What the form asks for, as the API takes it.</summary>
    public AddInterface Request => new(Chosen, Address.Trim() is { Length: > 0 } address && Network is { Vni: not null } ? address : null);

    /// <summary>What the last act was answered, where it was refused.</summary>
    public IReadOnlyList<Refusal> ActRefusals { get; private set; } = [];

    /// <summary>What was removed last on this page and is gone: it can be added again as it was.</summary>
    public VmNetworkView? Removed { get; private set; }
    private VmNetworkView? _leaving;

    public IReadOnlyList<string> ErrorsOf(string field) => [.. ActRefusals.Where(r => r.Field == field).Select(r => r.Message)];

    public async Task Add()
    {
        await Act(() => _interfaces.Add(Caller, _project, _vm, Request, null, Guid.NewGuid().ToString(), Stop));
        if (ActRefusals.Count == 0) Address = "";
    }

    public async Task Remove(VmNetworkView nic)
    {
        await Act(() => _interfaces.Remove(Caller, _project, _vm, nic.Mac, null, Guid.NewGuid().ToString(), Stop));
        if (ActRefusals.Count == 0) (_leaving, Removed) = (nic, null);
    }

    /// <summary>Adds what was removed with the same address and rules; its MAC address is the same by itself.</summary>
    public async Task Undo()
    {
        if (Removed is not { } nic) return;
        await Act(() => _interfaces.Add(Caller, _project, _vm, new AddInterface(nic.Name, nic.Address, nic.Rules), null, Guid.NewGuid().ToString(), Stop));
        if (ActRefusals.Count == 0) Removed = null;
    }

    private async Task Act(Func<Task<Result<OperationView>>> act)
    {
        ActRefusals = (await act()).Refusals;
        await Load();
    }

    protected override async Task Read()
    {
        if (Take(await _interfaces.List(Caller, _project, _vm, Stop)) is not { } interfaces) return;
        Interfaces = interfaces;
        if (Take(await _networks.List(Caller, _project, Stop)) is { } networks) _all = networks;
        if (Network is null) Chosen = Free.Count > 0 ? Free[0].Name : "";
        if (_leaving is not { } leaving) return;
        var still = Interfaces.FirstOrDefault(i => i.Mac == leaving.Mac);
        // Kept by its guest: nothing to undo.
        if (still is null) Removed = leaving;
        if (still is not { State: InterfaceState.Removing }) _leaving = null;
    }
}
