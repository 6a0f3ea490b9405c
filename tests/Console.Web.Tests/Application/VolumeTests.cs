using Microsoft.EntityFrameworkCore;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Plinth.Web.Application;
using Plinth.Web.Persistence.Capacity;

namespace Plinth.Web.Tests.Application;

/// <summary>Whole lives of volumes, told by an agent that plays the protocol.</summary>
public sealed class VolumeTests : Stage
{
    private async Task<VolumeView> Volume(OperationView operation) => Ok(await Volumes.Get(Ana, Project, operation.Volume!.Value, Stop));

    private async Task<VolumeView> Newest(VolumeView volume) => Ok(await Volumes.Get(Ana, Project, volume.Id, Stop));

    private Task<Result<OperationView>> New(string name, long sizeGib = 10, string? vm = null, string? host = null) =>
        Volumes.Create(Ana, Project, new CreateVolume(name, sizeGib, Vm: vm, Host: host), null, Stop);

    private async Task<int> TakenOn(HostId host)
    {
        await using var db = Store.Read();
        return (await Taken.Of(db, [host], Stop)).GetValueOrDefault(host).DiskGib;
    }

    /// <summary>A running VM with an attached volume.</summary>
    private async Task<(FakeAgent Agent, VmView Vm, VolumeView Volume)> Attached()
    {
        var (agent, vm) = await Running();
        var created = Ok(await New("data", vm: vm.Name));
        await agent.Reconcile();
        var volume = await Volume(created);
        Assert.Equal((VolumeState.Attached, vm.Id, true), (volume.State, volume.Vm, volume.Plugged));
        return (agent, vm, volume);
    }

    [Fact]
    public async Task A_volume_is_made_attached_grown_detached_and_removed()
    {
        var (agent, vm) = await Running();
        var before = await TakenOn(agent.Host);
        var created = Ok(await New("data"));
        Assert.Equal((OperationState.Pending, VolumeState.Creating), (created.State, (await Volume(created)).State));
        Assert.Equal(before + 10, await TakenOn(agent.Host));
        await agent.Reconcile();
        Assert.Equal(OperationState.Succeeded, (await Newest(created)).State);
        var volume = await Volume(created);
        Assert.Equal((VolumeState.Available, 10, "kvm-1"), (volume.State, volume.ObservedGib, volume.HostName));

        var attach = Ok(await Volumes.Attach(Ana, Project, volume.Id, new AttachVolume(vm.Name), null, Stop));
        Assert.Equal(VolumeState.Attaching, (await Newest(volume)).State);
        await agent.Reconcile();
        Assert.True(agent.Desired!.Volumes!.Single().Made);
        volume = await Newest(volume);
        Assert.Equal((VolumeState.Attached, vm.Id, true), (volume.State, volume.Vm, volume.Plugged));
        Assert.Contains(DesiredStates.Serial(volume.Id), (await Newest(attach)).Steps[1].Detail);
        Assert.Contains(Ok(await Operations.List(Ana, new OperationQuery(Vm: vm.Id.ToString()), new Window(), Stop)).Items, o => o.Id == attach.Id);

        var resize = Ok(await Volumes.Resize(Ana, Project, volume.Id, new ResizeVolume(12), null, Stop));
        Assert.Equal(before + 12, await TakenOn(agent.Host));
        Assert.Equal((12, 10), ((await Newest(volume)).SizeGib, (await Newest(volume)).ObservedGib));
        await agent.Reconcile();
        Assert.Equal((OperationState.Succeeded, 12), ((await Newest(resize)).State, (await Newest(volume)).ObservedGib));

        Ok(await Volumes.Detach(Ana, Project, volume.Id, null, Stop));
        Assert.Equal(VolumeState.Detaching, (await Newest(volume)).State);
        await agent.Reconcile();
        volume = await Newest(volume);
        Assert.Equal((VolumeState.Available, null), (volume.State, volume.Vm));

        var delete = Ok(await Volumes.Delete(Ana, Project, volume.Id, volume.Version, null, Stop));
        await agent.Reconcile();
        Assert.Equal((OperationState.Succeeded, VolumeState.Deleted), ((await Newest(delete)).State, (await Newest(volume)).State));
        Assert.Equal(before, await TakenOn(agent.Host));
        Assert.Empty(Ok(await Volumes.List(Ana, Project, new VolumeQuery(), new Window(), Stop)).Items);
        // The name is free again, and the host is told of nothing any more.
        await agent.Take();
        Assert.Empty(agent.Desired.VolumeTombstones!);
        Ok(await New("data"));
        Assert.Contains(await Audit(), a => a is { Action: "volume.removed", Outcome: "done" });
    }

    [Fact]
    public async Task A_guest_that_does_not_release_it_in_time_keeps_it()
    {
        var (agent, vm, volume) = await Attached();
        agent.GuestsKeepDisks = true;
        var detach = Ok(await Volumes.Detach(Ana, Project, volume.Id, null, Stop));
        await agent.Reconcile();
        Assert.Equal((OperationState.Running, "Waiting for the guest to release it."), ((await Newest(detach)).State, (await Newest(detach)).Steps[2].Detail));
        Time.Advance(TimeSpan.FromSeconds(61));
        await Drive();
        var failed = await Newest(detach);
        Assert.Equal(OperationState.Failed, failed.State);
        Assert.Contains("was not reached within 1 min", failed.Reason);
        volume = await Newest(volume);
        Assert.Equal((VolumeState.Attached, vm.Id, failed.Reason), (volume.State, volume.Vm, volume.StateReason));
        // The wish is taken back: nothing is torn out later.
        await agent.Take();
        Assert.Equal(vm.Id, agent.Desired!.Volumes!.Single().Vm);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_the_reason()
    {
        var (agent, vm, volume) = await Attached();
        Assert.Equal("volume_attached", No(await Volumes.Delete(Ana, Project, volume.Id, null, null, Stop)).Code);
        Assert.Equal("volume_attached", No(await Volumes.Attach(Ana, Project, volume.Id, new AttachVolume(vm.Name), null, Stop)).Code);
        var smaller = No(await Volumes.Resize(Ana, Project, volume.Id, new ResizeVolume(9), null, Stop));
        Assert.Equal(("not_larger", "sizeGib", "The volume has 10 GiB; it can only become larger. Choose 11 GiB or more."), (smaller.Code, smaller.Field, smaller.Message));
        var full = No(await Volumes.Resize(Ana, Project, volume.Id, new ResizeVolume(5000), null, Stop));
        Assert.Equal("kvm-1 cannot give it 4.9 TiB more: needs 4.9 TiB of disk, has 188 GiB free.", full.Message);
        Assert.Equal((10, 12), ((await Newest(volume)).SizeGib, await TakenOn(agent.Host)));
        var stale = No(await Volumes.Delete(Ana, Project, volume.Id, volume.Version + 7, null, Stop));
        Assert.Equal(RefusalKind.Stale, stale.Kind);
        Assert.Equal(("name_taken", "name"), (No(await New("data")).Code, No(await New("data")).Field));
        Assert.Equal("No host can take a volume of 4.9 TiB: kvm-1: needs 4.9 TiB of disk, has 188 GiB free.", No(await New("huge", 5000)).Message);
        Assert.Equal("host_in_use", No(await Hosts.Retire(Ana, agent.Host, Stop)).Code);

        var second = await Host("kvm-2");
        var there = await Volume(Ok(await New("elsewhere", host: "kvm-2")));
        await second.Reconcile();
        var other = No(await Volumes.Attach(Ana, Project, there.Id, new AttachVolume(vm.Name), null, Stop));
        Assert.Equal(("other_host", "vm", "The volume is on kvm-2, web-1 is on kvm-1; a volume is attached on its own host. Create one on kvm-1 for it."), (other.Code, other.Field, other.Message));
        Assert.Equal("volume_not_attached", No(await Volumes.Detach(Ana, Project, there.Id, null, Stop)).Code);
        Assert.Equal("no_undo", No(await Operations.Cancel(Ana, Ok(await Volumes.Delete(Ana, Project, there.Id, null, null, Stop)).Id, Stop)).Code);
    }

    [Fact]
    public async Task A_vm_takes_eight_volumes_and_no_more()
    {
        var (agent, vm) = await Running();
        for (var i = 1; i <= VolumeActs.MaxVolumesPerVm; i++) Ok(await New($"data-{i}", 1, vm: vm.Name));
        await agent.Reconcile();
        Assert.Equal(8, Ok(await Volumes.List(Ana, Project, new VolumeQuery(Vm: vm.Name, State: "attached"), new Window(), Stop)).Total);
        Assert.Equal("too_many_volumes", No(await New("data-9", 1, vm: vm.Name)).Code);
    }

    [Fact]
    public async Task Volumes_outlive_the_vm_that_is_deleted()
    {
        var (agent, vm, volume) = await Attached();
        Ok(await Vms.Delete(Ana, Project, vm.Id, true, null, null, Stop));
        await agent.Reconcile();
        volume = await Newest(volume);
        Assert.Equal((VolumeState.Available, null, "web-1, which it was attached to, is deleted."), (volume.State, volume.Vm, volume.StateReason));
        await agent.Reconcile();
        Assert.Equal((VolumeState.Available, 10), ((await Newest(volume)).State, (await Newest(volume)).ObservedGib));
    }

    [Fact]
    public async Task A_console_that_dies_goes_on_with_the_next_report()
    {
        var (agent, vm) = await Running();
        var created = Ok(await New("data", vm: vm.Name));
        await Restart();
        await agent.Connect();
        await agent.Reconcile();
        Assert.Equal((OperationState.Succeeded, VolumeState.Attached), ((await Newest(created)).State, (await Volume(created)).State));
        // The agent's answer arrived, and the console died before it was told of: what is stored is enough.
        Assert.Equal(10, (await Volume(created)).ObservedGib);
    }

    [Fact]
    public async Task A_volume_that_the_host_has_lost_has_failed_and_can_be_deleted()
    {
        var (agent, _, volume) = await Attached();
        Ok(await Volumes.Detach(Ana, Project, volume.Id, null, Stop));
        await agent.Reconcile();
        await agent.Take();
        agent.Volumes[volume.Id] = agent.Volumes[volume.Id] with { Generation = agent.Accepted, SizeBytes = 0 };
        await agent.Report();
        volume = await Newest(volume);
        Assert.Equal(VolumeState.Failed, volume.State);
        Assert.Contains("does not have the volume any more", volume.StateReason);
        Ok(await Volumes.Delete(Ana, Project, volume.Id, null, null, Stop));
        await agent.Reconcile();
        Assert.Equal(VolumeState.Deleted, (await Newest(volume)).State);
    }

    [Fact]
    public async Task The_fleet_of_the_past_is_rebuilt_with_what_volumes_took()
    {
        var (agent, _, volume) = await Attached();
        Assert.Equal(await TakenOn(agent.Host), (await The<FleetCache>().Newest(Stop)).Hosts.Single().Allocated.DiskGib);
        Ok(await Volumes.Resize(Ana, Project, volume.Id, new ResizeVolume(20), null, Stop));
        // Brought up to date from the log, not read anew.
        Assert.Equal(await TakenOn(agent.Host), (await The<FleetCache>().Newest(Stop)).Hosts.Single().Allocated.DiskGib);
        await using var db = Store.Read();
        var version = await db.ChangeLog.MaxAsync(c => c.Version);
        Assert.Equal(await TakenOn(agent.Host), Ok(await FleetSnapshots.At(db, version, Stop)).Hosts.Single().Allocated.DiskGib);
    }

    [Fact]
    public async Task The_list_is_cut_into_windows_that_join()
    {
        await Host("kvm-1");
        foreach (var (name, size) in new[] { ("c", 1), ("a", 3), ("b", 2), ("d", 2) }) Ok(await New(name, size));
        foreach (var (sort, expected) in new[] { ("name", "a b c d"), ("-name", "d c b a"), ("size", "c b d a"), ("-size", "a b d c"), ("-created", "a b c d") })
        {
            var names = new List<string>();
            string? cursor = null;
            do
            {
                var page = Ok(await Volumes.List(Ana, Project, new VolumeQuery(Sort: sort), new Window(2, cursor), Stop));
                Assert.Equal(4, page.Total);
                names.AddRange(page.Items.Select(v => v.Name));
                cursor = page.Next;
            }
            while (cursor is not null);
            Assert.Equal(expected, string.Join(' ', names));
        }
        var renamed = Ok(await Volumes.Update(Ana, Project, Ok(await Volumes.List(Ana, Project, new VolumeQuery(Q: "a"), new Window(), Stop)).Items[0].Id, new UpdateVolume("renamed", "of old"), null, Stop));
        Assert.Equal(("renamed", "of old"), (renamed.Name, renamed.Description));
    }
}
