using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Application;

/// <summary>Storage classes from the request to where disks are put and what agents are told of them.</summary>
public sealed class StorageClassTests : Stage
{
    private IStorageClasses Classes => The<IStorageClasses>();

    private async Task<StorageClassView> Class(string name = "gold", StorageNeeds? needs = null, IoLimits? limits = null) => Ok(await Classes.Create(Ana, new CreateStorageClass(name, "", needs, limits), null, Stop));

    private async Task<VmView> Ask(string name, string storageClass) => await Vm(Ok(await Vms.Create(Ana, Project, Request(name) with { StorageClass = storageClass }, null, Stop)));

    [Fact]
    public async Task The_default_class_exists_takes_any_pool_and_stays()
    {
        var own = Assert.Single(Ok(await Classes.List(Ana, Stop)));
        Assert.Equal(("default", StorageNeeds.Nothing, IoLimits.None), (own.Name, own.Needs, own.Limits));
        Assert.Equal("class_kept", No(await Classes.Delete(Ana, own.Id, Stop)).Code);
    }

    [Fact]
    public async Task Everything_wrong_is_told_at_once_and_refusals_are_audited()
    {
        await Class();
        var refused = await Classes.Create(Ana, new CreateStorageClass("gold", "a\0b", new StorageNeeds(StorageMedium.Unknown), new IoLimits(ReadIops: 1, BurstPercent: 200)), null, Stop);
        Assert.Equal(["description", "limits.burstSeconds", "limits.readIops", "name", "needs.medium"], refused.Refusals.Select(r => r.Field).Order(StringComparer.Ordinal));
        Assert.Contains(await Audit(), a => a is { Action: "storage-class.create", Outcome: "refused" });
        Assert.Contains(await Audit(), a => a is { Action: "storage-class.create", Outcome: "done" });
    }

    [Fact]
    public async Task A_vm_waits_until_a_host_with_a_fitting_pool_comes_and_the_reason_names_pool_and_class()
    {
        await Image();
        var slow = await Host("kvm-1");
        slow.Pool = HostPool.Of(PoolKind.Directory, StorageMedium.Rotating);
        await slow.Report();
        var gold = await Class(needs: new StorageNeeds(StorageMedium.SolidState));
        Assert.Equal((0, 1), (gold.Fits, gold.Hosts));
        Assert.Equal(0, Ok(await Vms.Fit(Ana, Project, Request("web-1") with { StorageClass = "gold" }, Stop)).Hosts);
        var vm = await Ask("web-1", "gold");
        await Place();
        vm = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal(VmState.Waiting, vm.State);
        Assert.Contains("pool default is a directory: on rotating disks; class gold needs solid state", vm.StateReason);
        var host = Assert.Single(Ok(await Classes.Hosts(Ana, gold.Id, Stop)));
        Assert.Equal((false, "Pool default is a directory: on rotating disks; class gold needs solid state."), (host.Fits, host.Why));

        await Host("kvm-2");
        await Place();
        vm = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal("kvm-2", vm.HostName);
        Assert.Equal(("storage class", 1), Assert.Single(Ok(await Vms.Decision(Ana, Project, vm.Id, Stop)).Decision.Reasons) is var r ? (r.Filter, r.Hosts) : default);
        var refused = No(await Volumes.Create(Ana, Project, new CreateVolume("data", 1, "gold", Host: "kvm-1"), null, Stop));
        Assert.Contains("kvm-1: pool default is a directory: on rotating disks; class gold needs solid state", refused.Message);
        Assert.Equal("kvm-2", Ok(await Volumes.Get(Ana, Project, Ok(await Volumes.Create(Ana, Project, new CreateVolume("data", 1, "gold"), null, Stop)).Volume!.Value, Stop)).HostName);
    }

    [Fact]
    public async Task Limits_reach_the_disks_of_the_class_and_another_value_reaches_them_at_once()
    {
        await Image();
        var agent = await Host("kvm-1");
        var gold = await Class(limits: new IoLimits(ReadIops: 500));
        var (limited, free) = (await Ask("web-1", "gold"), await Ask("web-2", "default"));
        await Place();
        await agent.Reconcile();
        var volume = Ok(await Volumes.Create(Ana, Project, new CreateVolume("data", 1, "gold", Vm: "web-1"), null, Stop)).Volume!.Value;
        await agent.Reconcile();
        // That the volume was made is told to the host, which answers it.
        await agent.Reconcile();
        IoLimits? Of(VmView vm) => agent.Desired!.Machines.Single(m => m.Vm == vm.Id).Disks[0].Limits;
        Assert.Equal((new IoLimits(ReadIops: 500), null), (Of(limited), Of(free)));
        Assert.Equal(new IoLimits(ReadIops: 500), agent.Desired!.Volumes!.Single(v => v.Volume == volume).Limits);
        Assert.Equal((1, 1, true), Assert.Single(Ok(await Classes.Hosts(Ana, gold.Id, Stop))) is var there ? (there.Vms, there.Volumes, there.Applied) : default);

        Gateway.Woken.Clear();
        var changed = Ok(await Classes.Update(Ana, gold.Id, new UpdateStorageClass(Limits: new IoLimits(WriteIops: 50)), gold.Version, Stop));
        Assert.Equal([agent.Host], Gateway.Woken);
        var waiting = Assert.Single(Ok(await Classes.Hosts(Ana, gold.Id, Stop)));
        Assert.False(waiting.Applied);
        Assert.Contains("has answered generation", waiting.Detail);
        await agent.Reconcile();
        Assert.Equal((new IoLimits(WriteIops: 50), null), (Of(limited), Of(free)));
        Assert.True(Assert.Single(Ok(await Classes.Hosts(Ana, gold.Id, Stop))).Applied);
        Assert.Equal("stale_version", No(await Classes.Update(Ana, gold.Id, new UpdateStorageClass("x"), gold.Version, Stop)).Code);

        // A description alone is nothing that hosts hear of.
        Gateway.Woken.Clear();
        Ok(await Classes.Update(Ana, gold.Id, new UpdateStorageClass("fast"), changed.Version, Stop));
        Assert.Empty(Gateway.Woken);

        agent.Limits = agent.Limits with { Drift = "Put right: disk 'root' of web-1 had write_iops_sec 5000 instead of 50.", DriftAt = Time.GetUtcNow() };
        await agent.Report();
        Assert.Equal(agent.Limits.Drift, Assert.Single(Ok(await Classes.Hosts(Ana, gold.Id, Stop))).Drift);
    }

    [Fact]
    public async Task A_class_in_use_stays_and_an_empty_one_goes()
    {
        await Image();
        var agent = await Host("kvm-1");
        var gold = await Class();
        var vm = await Ask("web-1", "gold");
        Assert.Contains("the root disks of 1 VM and 0 volumes", No(await Classes.Delete(Ana, gold.Id, Stop)).Message);
        await Place();
        await agent.Reconcile();
        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        await agent.Reconcile();
        Ok(await Classes.Delete(Ana, gold.Id, Stop));
        Assert.Equal("storage_class_not_found", No(await Classes.Get(Ana, gold.Id, Stop)).Code);
        Assert.Equal("unknown_storage_class", No(await Vms.Create(Ana, Project, Request("web-2") with { StorageClass = "gold" }, null, Stop)).Code);
    }

    [Fact]
    public async Task Search_finds_a_class_by_its_name()
    {
        var gold = await Class(limits: new IoLimits(ReadIops: 500));
        var hit = Ok(await The<ISearch>().Find(Ana, "gold", 10, Stop)).Items.Single(h => h.Kind == "storage-class");
        Assert.Equal((gold.Id.Value, "needs nothing in particular · 500 reads/s"), (hit.Id, hit.Detail));
    }
}
