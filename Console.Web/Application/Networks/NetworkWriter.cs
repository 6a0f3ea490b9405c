using Microsoft.EntityFrameworkCore;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Web.Persistence;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Application.Networks;

/// <summary>
/// Gives and takes back addresses, and tells every host of a network when its members or its rules change. Always inside a write of the store.
/// </summary>
internal sealed class NetworkWriter(Lazy<IAgentGateway> gateway)
{
    /// <summary>The interfaces of a new VM, each with an address from its network's range.</summary>
    public async Task<IReadOnlyList<VmNic>> Take(WriteScope scope, VmId vm, IReadOnlyList<NetworkRow> networks)
    {
        var nics = new List<VmNic>();
        foreach (var network in networks) nics.Add(await Take(scope, vm, network, null, nics));
        return nics;
    }

    /// <summary>One more interface for a VM.</summary>
    /// <param name="wanted">An address that was judged good; null for the lowest that is free.</param>
    /// <param name="has">The interfaces that the VM has.</param>
    public async Task<VmNic> Take(WriteScope scope, VmId vm, NetworkRow network, string? wanted, IReadOnlyList<VmNic> has)
    {
        var taken = network.Kind == NetworkKind.HostNat ? [] : (await scope.Db.NetworkAddresses.Where(a => a.Network == network.Id).ToListAsync()).ToDictionary(a => a.Address, a => a.Mac);
        var mac = DesiredStates.Mac(vm, network.Id);
        for (var salt = 1; taken.ContainsValue(mac) || has.Any(n => n.Mac == mac); salt++) mac = DesiredStates.Mac(vm, network.Id, salt);
        if (network.Kind == NetworkKind.HostNat) return new VmNic(network.Id, network.Name, mac);
        var address = wanted ?? AddressRange.Parse(network.Cidr).FirstFree(taken.Keys.ToHashSet()) ?? throw new InvalidOperationException($"the network {network.Name} was judged to have a free address and has none");
        scope.Db.NetworkAddresses.Add(new NetworkAddressRow { Network = network.Id, Address = address, Mac = mac, Vm = vm, At = scope.Now });
        return new VmNic(network.Id, network.Name, mac, address);
    }

    /// <summary>Why the network takes no further interface; null while it has an address.</summary>
    public static async Task<Refusal?> Full(ConsoleDb db, NetworkRow network, string field, CancellationToken stop)
    {
        var guests = AddressRange.Parse(network.Cidr).Guests;
        return network.Kind == NetworkKind.HostNat || await db.NetworkAddresses.CountAsync(a => a.Network == network.Id, stop) < guests
            ? null
            : Refusal.NoCapacity("no_address", $"All {guests} addresses of the network {network.Name} ({network.Cidr}) are taken; delete a VM on it, take an interface away from it, or choose another network.") with { Field = field };
    }

    /// <summary>The VM has a place: the other hosts of its networks learn where.</summary>
    public Task Joined(WriteScope scope, VmRow vm) => Tell(scope, [.. vm.Nics.Select(n => n.Network)], vm.Host);

    /// <summary>The VM is gone: its addresses are free.</summary>
    public async Task Release(WriteScope scope, VmRow vm)
    {
        await Tell(scope, [.. vm.Nics.Select(n => n.Network)], vm.Host);
        scope.Db.NetworkAddresses.RemoveRange(await scope.Db.NetworkAddresses.Where(a => a.Vm == vm.Id).ToListAsync());
    }

    /// <summary>A VM has come to the network: the other hosts on it learn where.</summary>
    public Task Joined(WriteScope scope, VmRow vm, NetworkId network) => Tell(scope, [network], vm.Host);

    /// <summary>An interface is gone: its address is free.</summary>
    public async Task Release(WriteScope scope, VmRow vm, VmNic nic)
    {
        await Tell(scope, [nic.Network], vm.Host);
        scope.Db.NetworkAddresses.RemoveRange(await scope.Db.NetworkAddresses.Where(a => a.Network == nic.Network && a.Vm == vm.Id).ToListAsync());
    }

    /// <summary>A host is reached at another address than before.</summary>
    public async Task TunnelMoved(WriteScope scope, HostId host)
    {
        var vms = await scope.Db.Vms.Where(v => v.Host == host && v.DeletedAt == null).ToListAsync();
        await Tell(scope, [.. vms.SelectMany(v => v.Nics).Select(n => n.Network).Distinct()], host);
    }

    /// <summary>Every host with a guest on one of the networks gets a new generation of its desired state.</summary>
    public async Task Tell(WriteScope scope, NetworkId[] networks, HostId? except = null)
    {
        var hosts = await scope.Db.NetworkAddresses.Where(a => networks.Contains(a.Network))
            .Join(scope.Db.Vms.Where(v => v.Host != null && v.DeletedAt == null), a => a.Vm, v => v.Id, (a, v) => v.Host!.Value).Distinct().ToListAsync();
        foreach (var id in hosts.Where(h => h != except))
        {
            var host = scope.Db.Hosts.Local.FirstOrDefault(h => h.Id == id) ?? await scope.Db.Hosts.SingleAsync(h => h.Id == id);
            host.Generation = host.Generation.Next();
            scope.AfterCommit(() => gateway.Value.Wake(id));
        }
    }
}
