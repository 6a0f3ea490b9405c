using Microsoft.EntityFrameworkCore;
using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Quotas;
using Plinth.Web.Application.Identity;
using Plinth.Web.Application.Networks;
using Plinth.Web.Application.Operations;
using Plinth.Web.Application.Quotas;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Machines;

/// <inheritdoc cref="IInterfaces"/>
internal sealed class InterfaceUseCases(IConsoleStore store, AccessControl access, Mutations mutations, OperationAnswers answers, MachineWriter writer, VmViews views) : IInterfaces
{
    public async Task<Result<IReadOnlyList<VmNetworkView>>> List(Caller caller, string project, VmId vm, CancellationToken stop)
    {
        await using var db = store.Read();
        var owner = await access.Project(db, caller, Permissions.VmRead, project, stop);
        if (!owner.Succeeded) return Result<IReadOnlyList<VmNetworkView>>.No(owner.Refusals);
        var row = await Naming.Vm(db, owner.Value, vm, stop);
        return row.Succeeded ? Result<IReadOnlyList<VmNetworkView>>.Ok((await access.Veil(db, caller, stop)).Of(await views.One(db, row.Value, owner.Value, stop)).Networks) : Result<IReadOnlyList<VmNetworkView>>.No(row.Refusals);
    }

    public Task<Result<OperationView>> Add(Caller caller, string project, VmId vm, AddInterface request, long? expectedVersion, string? idempotencyKey, CancellationToken stop) =>
        Change(caller, "vm.interface-add", project, vm, expectedVersion, Idempotency.Of(caller, idempotencyKey, "vm.interface-add", project, vm, expectedVersion, request), async (m, owner, row) =>
        {
            var refusals = new RefusalList();
            var network = string.IsNullOrEmpty(request.Network) ? null : await NewVm.FindNetwork(m.Db, owner, request.Network, stop);
            if (string.IsNullOrEmpty(request.Network)) refusals.Invalid("network", "required", "A network is needed: its name or id, as GET …/networks lists them.");
            else if (network is null) refusals.Invalid("network", "unknown_network", $"The project {owner.Name} has no network {RefusalList.Quote(request.Network)}.");
            foreach (var no in NetworkChecks.Rules("rules", request.Rules)) refusals.Add(no);
            if (network is not null)
            {
                if (InterfaceActs.WhyNotAdd(row.State, [.. row.Nics.Select(MachineRows.Interface)], network.Name) is { } no) refusals.Add(no);
                else if (await NetworkWriter.Full(m.Db, network, "network", stop) is { } full) refusals.Add(full);
                if (request.Rules is { Count: > 0 } && network.Kind == NetworkKind.HostNat) refusals.Add(NetworkUseCases.NoRules(network.Name));
                if (!string.IsNullOrEmpty(request.Address) && await Unfit(m.Db, network, request.Address, stop) is { } unfit) refusals.Add(unfit);
            }
            if (refusals.Any) return Result<OperationRow>.No(refusals.All);
            if (network!.Kind == NetworkKind.Vxlan && await QuotaUse.Check(m.Db, owner, QuotaUse.One(QuotaResources.Addresses), stop) is { Count: > 0 } over) return Result<OperationRow>.No(over);
            var asked = await writer.AddInterface(m.Scope, row, network, string.IsNullOrEmpty(request.Address) ? null : request.Address, NetworkUseCases.Stored(request.Rules), m.By);
            if (asked.Succeeded) m.Detail = $"{row.Name}: {row.Nics[^1].Mac} on {network.Name}{(row.Nics[^1].Address is { } address ? $", {address}" : "")}";
            return asked;
        }, stop);

    public Task<Result<OperationView>> Remove(Caller caller, string project, VmId vm, string mac, long? expectedVersion, string? idempotencyKey, CancellationToken stop) =>
        Change(caller, "vm.interface-remove", project, vm, expectedVersion, Idempotency.Of(caller, idempotencyKey, "vm.interface-remove", project, vm, expectedVersion, mac), async (m, _, row) =>
        {
            if (row.Nics.FirstOrDefault(n => n.Mac == mac) is not { } nic) return Refusal.NotFound("interface_not_found", $"The VM {row.Name} has no interface {RefusalList.Quote(mac)}.");
            m.Detail = $"{row.Name}: {mac} on {nic.Name}{(nic.Address is { } address ? $", {address}" : "")}";
            return await writer.RemoveInterface(m.Scope, row, nic, m.By);
        }, stop);

    private static async Task<Refusal?> Unfit(ConsoleDb db, NetworkRow network, string address, CancellationToken stop)
    {
        if (network.Kind == NetworkKind.HostNat)
            return Refusal.Invalid("address", "no_fixed_address", $"On the network {network.Name} each host gives addresses by itself: leave the address out, or use a network of your own.");
        var taken = await db.NetworkAddresses.Where(a => a.Network == network.Id && a.Address == address).Join(db.Vms, a => a.Vm, v => v.Id, (_, v) => v.Name).FirstOrDefaultAsync(stop);
        return NetworkChecks.Address(address, network.Name, AddressRange.Parse(network.Cidr), taken);
    }

    private async Task<Result<OperationView>> Change(
        Caller caller, string action, string project, VmId vm, long? expectedVersion, Result<Idempotency?> idempotency, Func<Mutation, ProjectRow, VmRow, Task<Result<OperationRow>>> change, CancellationToken stop)
    {
        var operation = await mutations.In(caller, Permissions.VmOperate, project, action, $"vm/{vm}", idempotency, async (m, owner) =>
        {
            var row = await Naming.Vm(m.Db, owner, vm, stop);
            if (!row.Succeeded) return Result<Guid>.No(row.Refusals);
            if (VirtualMachines.Stale(row.Value, expectedVersion) is { } stale) return stale;
            var asked = await change(m, owner, row.Value);
            return asked.Succeeded ? asked.Value.Id.Value : Result<Guid>.No(asked.Refusals);
        }, stop);
        return await answers.Of(caller, operation, stop);
    }
}
