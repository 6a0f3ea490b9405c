using Plinth.Agents.Machines;
using Plinth.Agents.Network;
using Plinth.Agents.Storage;
using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Xunit;

namespace Plinth.Agents.Tests.Hypervisor;

/// <summary>Disks, their copies and snapshots, and volumes.</summary>
public abstract partial class HypervisorContract
{
    [Fact]
    public async Task A_guest_whose_storage_is_full_stands_still_and_goes_on_once_there_is_room()
    {
        var machine = _bench.Machine("hungry");
        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, Stop) is { System.Length: > 0 });
        await _bench.RunOutOfSpace(machine);
        await Eventually.Holds("it stands still for want of space", async () => (await InfoOf(machine.Vm))!.Pause == PauseReason.StorageFull);

        // Let go on without room it is back where it was; a start does not take it for one that was cut short.
        await Host.Resume(machine.Vm, Stop);
        await Eventually.Holds("it stands still again", async () => (await InfoOf(machine.Vm))!.Pause == PauseReason.StorageFull);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal((DomainState.Paused, OffReason.None), await StateOf(machine.Vm));

        await _bench.MakeRoom(machine);
        await Host.Resume(machine.Vm, Stop);
        await Eventually.Holds("the guest is well", async () => await Host.Guest(machine.Vm, Stop) is not null);
        Assert.Equal((DomainState.Running, PauseReason.None), ((await InfoOf(machine.Vm))!.State, (await InfoOf(machine.Vm))!.Pause));
        await Host.Pause(machine.Vm, Stop);
        Assert.Equal(PauseReason.Asked, (await InfoOf(machine.Vm))!.Pause);
        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);
    }

    [Fact]
    public async Task A_snapshot_is_taken_gone_back_to_and_removed_however_often_it_is_asked_for()
    {
        var machine = _bench.Machine("moments");
        await Prepare(machine);
        var (off, on) = (SnapshotId.New(DateTimeOffset.UtcNow), SnapshotId.New(DateTimeOffset.UtcNow));
        await Host.TakeSnapshot(machine.Vm, off, false, Stop);
        await Host.TakeSnapshot(machine.Vm, off, false, Stop);
        Assert.Equal("domain_off", (await Assert.ThrowsAsync<HypervisorException>(() => Host.TakeSnapshot(machine.Vm, on, true, Stop))).Code);
        Assert.Equal("snapshot_missing", (await Assert.ThrowsAsync<HypervisorException>(() => Host.RevertTo(machine.Vm, on, Stop))).Code);

        await Host.Start(machine.Vm, Stop);
        await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, Stop) is not null);
        await Host.TakeSnapshot(machine.Vm, on, true, Stop);
        Assert.Equal(DomainState.Running, (await InfoOf(machine.Vm))!.State);
        var inUse = SnapshotId.New(DateTimeOffset.UtcNow);
        Assert.StartsWith("The guest ", await Host.TakeSnapshot(machine.Vm, inUse, false, Stop));
        Assert.Equal("", await Host.TakeSnapshot(machine.Vm, inUse, false, Stop));
        Assert.Equal(DomainState.Running, (await InfoOf(machine.Vm))!.State);
        Assert.Equal("domain_on", (await Assert.ThrowsAsync<HypervisorException>(() => Host.RevertTo(machine.Vm, off, Stop))).Code);

        // Back into memory: it goes on, with the name that it has now.
        await Host.SwitchOff(machine.Vm, Stop);
        await Host.Adjust(machine with { Name = "renamed-since" }, Stop);
        await Host.RevertTo(machine.Vm, on, Stop);
        Assert.Equal(DomainState.Running, (await InfoOf(machine.Vm))!.State);
        await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, Stop) is not null);
        await Host.RemoveSnapshot(machine.Vm, on, Stop);
        await Host.RemoveSnapshot(machine.Vm, on, Stop);

        // Back to the disk alone: it stays off, and can be started.
        await Host.SwitchOff(machine.Vm, Stop);
        await Host.RevertTo(machine.Vm, inUse, Stop);
        Assert.Equal(DomainState.Off, (await InfoOf(machine.Vm))!.State);
        await Host.RemoveSnapshot(machine.Vm, inUse, Stop);
        await Host.RemoveSnapshot(machine.Vm, inUse, Stop);
        await Host.RevertTo(machine.Vm, off, Stop);
        await Host.RevertTo(machine.Vm, off, Stop);
        Assert.Equal(DomainState.Off, (await InfoOf(machine.Vm))!.State);
        await Host.Start(machine.Vm, Stop);
        await Host.SwitchOff(machine.Vm, Stop);

        // A volume is not part of it.
        var volume = _bench.Volume("aside");
        await Host.EnsureVolume(volume, Stop);
        await Host.Attach(volume, machine.Vm, Stop);
        Assert.Equal("volumes_attached", (await Assert.ThrowsAsync<HypervisorException>(() => Host.RevertTo(machine.Vm, off, Stop))).Code);
        Assert.Equal("volumes_attached", (await Assert.ThrowsAsync<HypervisorException>(() => Host.TakeSnapshot(machine.Vm, on, false, Stop))).Code);
        await Host.Detach(volume.Volume, machine.Vm, Stop);
        await Host.RemoveVolume(volume.Volume, Stop);

        // Its removal removes what is left.
        await Remove(machine.Vm);
        Assert.DoesNotContain(machine.Vm, await Host.DiskOwners(Stop));
        await Host.RemoveSnapshot(machine.Vm, off, Stop);
    }

    [Fact]
    public async Task A_machine_gets_a_fresh_disk_made_beside_its_own_and_keeps_all_else()
    {
        var machine = _bench.Machine("rebuilt");
        await Prepare(machine);
        var moment = SnapshotId.New(DateTimeOffset.UtcNow);
        await Host.TakeSnapshot(machine.Vm, moment, false, Stop);
        var volume = _bench.Volume("kept");
        await Host.EnsureVolume(volume, Stop);
        await Host.Attach(volume, machine.Vm, Stop);
        await Host.Start(machine.Vm, Stop);
        await _bench.WriteOn(machine, "former");
        await Host.Adjust(machine with { Name = "renamed" }, Stop);

        // Made while the machine runs with its own, which stays as it is.
        var next = machine with { Name = "renamed", Disks = [machine.Disks[0] with { Generation = 3 }], Seed = machine.Seed with { Hostname = "anew", Generation = 3 } };
        Assert.Equal("disk_missing", await CodeOf(() => Host.TakeDisks(next, Stop)));
        Assert.DoesNotContain(machine.Vm, await Host.FormerDiskOwners(Stop));
        for (var i = 0; i < 2; i++)
        {
            await Host.EnsureDisk(machine.Vm, next.Disks[0], Stop);
            await Host.EnsureSeed(machine.Vm, next.Seed, Stop);
        }
        Assert.Contains(machine.Vm, await Host.FormerDiskOwners(Stop));
        Assert.Equal("domain_on", await CodeOf(() => Host.TakeDisks(next, Stop)));
        Assert.Equal("other_disk", await CodeOf(() => Host.RemoveFormerDisks(machine.Vm, 3, Stop)));
        await _bench.ReadsFrom(machine, "former");

        // What was made in vain goes, and the machine keeps its own.
        await Host.RemoveFormerDisks(machine.Vm, 0, Stop);
        Assert.DoesNotContain(machine.Vm, await Host.FormerDiskOwners(Stop));
        await Host.SwitchOff(machine.Vm, Stop);
        await Host.EnsureDisk(machine.Vm, next.Disks[0], Stop);
        await Host.EnsureSeed(machine.Vm, next.Seed, Stop);
        Assert.Equal(0, (await InfoOf(machine.Vm))!.Disk);
        for (var i = 0; i < 2; i++) await Host.TakeDisks(next, Stop);
        Assert.Equal(3, (await InfoOf(machine.Vm))!.Disk);
        for (var i = 0; i < 2; i++) await Host.RemoveFormerDisks(machine.Vm, 3, Stop);
        Assert.DoesNotContain(machine.Vm, await Host.FormerDiskOwners(Stop));
        Assert.Equal("snapshot_missing", await CodeOf(() => Host.RevertTo(machine.Vm, moment, Stop)));

        await Host.Start(machine.Vm, Stop);
        await _bench.ReadsFrom(next, "");
        Assert.Equal(new VolumeInfo(volume.Volume, Gib, machine.Vm, true, true), await VolumeOf(volume));
        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);
        await Host.RemoveVolume(volume.Volume, Stop);
    }

    [Fact]
    public async Task A_disk_is_copied_whole_and_needs_its_source_no_more()
    {
        var source = _bench.Machine("original");
        await Prepare(source);
        await Host.Start(source.Vm, Stop);
        await _bench.WriteOn(source, "copied");
        var copy = _bench.Machine("copy");
        copy = copy with { Disks = [copy.Disks[0] with { Image = null, SizeGib = 2, Source = new DiskSource(source.Vm, source.Name, 0) }] };
        Assert.Equal("source_running", await CodeOf(() => Host.CopyDisk(copy.Vm, copy.Disks[0], _ => { }, Stop)));
        await Host.SwitchOff(source.Vm, Stop);
        Assert.Equal("source_changed", await CodeOf(() => Host.CopyDisk(copy.Vm, copy.Disks[0] with { Source = copy.Disks[0].Source! with { Generation = 5 } }, _ => { }, Stop)));
        Assert.Equal("source_gone", await CodeOf(() => Host.CopyDisk(copy.Vm, copy.Disks[0] with { Source = copy.Disks[0].Source! with { Vm = VmId.New(DateTimeOffset.UtcNow) } }, _ => { }, Stop)));

        // Left half way, it begins anew.
        using (var left = new CancellationTokenSource())
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Host.CopyDisk(copy.Vm, copy.Disks[0], _ => left.Cancel(), left.Token));
        var told = new List<int>();
        for (var i = 0; i < 2; i++) await Host.CopyDisk(copy.Vm, copy.Disks[0], told.Add, Stop);
        Assert.Equal((0, 100), (told[0], told[^1]));
        Assert.Equal(told.Order(), told);
        await Host.EnsureSeed(copy.Vm, copy.Seed, Stop);
        await Host.EnsureRules(new DesiredHostState(new Generation(1), [_bench.StoragePool], [_bench.Network], [source, copy], []), Stop);
        await Host.Define(copy, [_bench.Network], Stop);
        await Host.Start(copy.Vm, Stop);
        await _bench.ReadsFrom(copy, "copied");
        await _bench.WriteOn(copy, "changed");

        await Host.Start(source.Vm, Stop);
        await _bench.ReadsFrom(source, "copied");
        await Host.SwitchOff(source.Vm, Stop);
        await Remove(source.Vm);
        await Host.SwitchOff(copy.Vm, Stop);
        await Host.Start(copy.Vm, Stop);
        await _bench.ReadsFrom(copy, "changed");
        await Host.SwitchOff(copy.Vm, Stop);
        await Remove(copy.Vm);
    }

    [Fact]
    public async Task A_disk_left_half_made_by_a_crash_is_found_completed_and_removed()
    {
        var machine = _bench.Machine("half-made");
        await _bench.PlantHalfMadeDisk(machine.Vm, "root");
        Assert.Contains(machine.Vm, await Host.DiskOwners(Stop));
        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        await Host.SwitchOff(machine.Vm, Stop);
        await Remove(machine.Vm);

        var abandoned = _bench.Machine("abandoned");
        await _bench.PlantHalfMadeDisk(abandoned.Vm, "root");
        await Host.RemoveDisks(abandoned.Vm, Stop);
        Assert.DoesNotContain(abandoned.Vm, await Host.DiskOwners(Stop));
    }

    [Fact]
    public async Task A_volume_is_made_attached_to_a_running_machine_grown_under_it_released_and_removed()
    {
        var machine = _bench.Machine("with-volume");
        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        await Eventually.Holds("the guest agent answers", async () => await Host.Guest(machine.Vm, Stop) is not null);
        var volume = _bench.Volume("data");
        await Host.EnsureVolume(volume, Stop);
        Assert.Equal(new VolumeInfo(volume.Volume, Gib, null, false, false), await VolumeOf(volume));

        for (var i = 0; i < 2; i++) await Host.Attach(volume, machine.Vm, Stop);
        Assert.Equal(new VolumeInfo(volume.Volume, Gib, machine.Vm, true, true), await VolumeOf(volume));
        Assert.Equal("volume_attached", await CodeOf(() => Host.RemoveVolume(volume.Volume, Stop)));
        for (var i = 0; i < 2; i++) await Host.EnsureVolume(volume with { SizeGib = 2 }, Stop);
        Assert.Equal(2 * Gib, (await VolumeOf(volume))!.SizeBytes);
        // Never smaller.
        await Host.EnsureVolume(volume, Stop);
        Assert.Equal(2 * Gib, (await VolumeOf(volume))!.SizeBytes);

        // A definition made anew keeps it, and so does the machine over a restart.
        await Host.Define(machine, [_bench.Network], Stop);
        Assert.Equal(new VolumeInfo(volume.Volume, 2 * Gib, machine.Vm, true, true), await VolumeOf(volume));
        await Host.SwitchOff(machine.Vm, Stop);
        Assert.Equal(new VolumeInfo(volume.Volume, 2 * Gib, machine.Vm, true, false), await VolumeOf(volume));
        await Host.Start(machine.Vm, Stop);
        Assert.True((await VolumeOf(volume))!.Plugged);

        await Eventually.Holds("the guest releases it", async () =>
        {
            await Host.Detach(volume.Volume, machine.Vm, Stop);
            return await VolumeOf(volume) is { Vm: null };
        });
        await Host.SwitchOff(machine.Vm, Stop);

        await Host.Attach(volume, machine.Vm, Stop);
        await Host.EnsureVolume(volume with { SizeGib = 3 }, Stop);
        Assert.Equal(new VolumeInfo(volume.Volume, 3 * Gib, machine.Vm, true, false), await VolumeOf(volume));
        await Host.Detach(volume.Volume, machine.Vm, Stop);
        Assert.Null((await VolumeOf(volume))!.Vm);

        await Host.Attach(volume, machine.Vm, Stop);
        await Remove(machine.Vm);
        Assert.Equal(new VolumeInfo(volume.Volume, 3 * Gib, null, false, false), await VolumeOf(volume));
        for (var i = 0; i < 2; i++) await Host.RemoveVolume(volume.Volume, Stop);
        Assert.Null(await VolumeOf(volume));
    }

    [Fact]
    public async Task Disks_keep_to_their_limits_as_these_change_and_what_is_changed_by_hand_is_put_right()
    {
        var (slow, slower) = (new IoLimits(ReadIops: 500, WriteBytesPerSecond: 4 << 20, BurstPercent: 200, BurstSeconds: 5), new IoLimits(WriteIops: 50));
        var machine = _bench.Machine("limited");
        machine = machine with { Disks = [machine.Disks[0] with { Limits = slow }] };
        await Prepare(machine);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal((slow, slow), await _bench.LimitsOf(machine, "root"));
        var volume = _bench.Volume("scratch") with { Vm = machine.Vm, Limits = slower };
        await Host.EnsureVolume(volume, Stop);
        await Host.Attach(volume, machine.Vm, Stop);
        Assert.Equal((slower, slower), await _bench.LimitsOf(machine, volume.Serial));

        DesiredHostState Desired(IoLimits? root, IoLimits? data) =>
            new(new Generation(1), [_bench.StoragePool], [_bench.Network], [machine with { Disks = [machine.Disks[0] with { Limits = root }] }], [], [volume with { Limits = data }]);
        for (var i = 0; i < 2; i++)
        {
            var looked = await Host.EnsureLimits(Desired(slow, slower), Stop);
            Assert.True(looked is { Ready: true, DriftAt: null } && looked.Detail.Contains("2 of 2 disks limited"), looked.ToString());
        }

        // Another wish reaches the running guest and is no drift.
        Assert.Null((await Host.EnsureLimits(Desired(null, slow), Stop)).DriftAt);
        Assert.Equal((IoLimits.None, IoLimits.None), await _bench.LimitsOf(machine, "root"));
        Assert.Equal((slow, slow), await _bench.LimitsOf(machine, volume.Serial));
        Assert.Null((await Host.EnsureLimits(Desired(slower, slower), Stop)).DriftAt);
        Assert.Equal((slower, slower), await _bench.LimitsOf(machine, "root"));

        await _bench.LimitByHand(machine, "root", new IoLimits(WriteIops: 5000));
        var healed = await Host.EnsureLimits(Desired(slower, slower), Stop);
        Assert.NotNull(healed.DriftAt);
        Assert.Contains("disk 'root' of limited", healed.Drift);
        Assert.Equal((slower, slower), await _bench.LimitsOf(machine, "root"));
        Assert.Equal(healed, await Host.EnsureLimits(Desired(slower, slower), Stop));
        // A limit where there is to be none is a change by hand as well.
        Assert.Equal(healed.DriftAt, (await Host.EnsureLimits(Desired(null, slower), Stop)).DriftAt);
        await _bench.LimitByHand(machine, "root", slow);
        Assert.NotEqual(healed.DriftAt, (await Host.EnsureLimits(Desired(null, slower), Stop)).DriftAt);
        Assert.Equal(IoLimits.None, (await _bench.LimitsOf(machine, "root")).Running);

        // Off, it gets them for its next start.
        await Host.SwitchOff(machine.Vm, Stop);
        await Host.EnsureLimits(Desired(slow, slower), Stop);
        await Host.Start(machine.Vm, Stop);
        Assert.Equal((slow, slow), await _bench.LimitsOf(machine, "root"));
        Assert.Equal((slower, slower), await _bench.LimitsOf(machine, volume.Serial));
        await Host.SwitchOff(machine.Vm, Stop);
        await Host.Detach(volume.Volume, machine.Vm, Stop);
        await Remove(machine.Vm);
        await Host.RemoveVolume(volume.Volume, Stop);
        Assert.Equal("invalid_limits", await CodeOf(() => Host.EnsureVolume(volume with { Limits = new IoLimits(ReadIops: 1) }, Stop)));
    }

    [Fact]
    public async Task A_volume_left_half_made_by_a_crash_is_found_completed_and_removed()
    {
        var (completed, abandoned) = (_bench.Volume("half-made"), _bench.Volume("abandoned"));
        foreach (var volume in new[] { completed, abandoned })
        {
            await _bench.PlantHalfMadeVolume(volume.Volume);
            Assert.Equal(0, (await VolumeOf(volume))!.SizeBytes);
        }
        await Host.EnsureVolume(completed, Stop);
        Assert.Equal(Gib, (await VolumeOf(completed))!.SizeBytes);
        foreach (var volume in new[] { completed, abandoned })
        {
            await Host.RemoveVolume(volume.Volume, Stop);
            Assert.Null(await VolumeOf(volume));
        }
        Assert.Equal("volume_missing", await CodeOf(() => Host.Attach(completed, VmId.New(DateTimeOffset.UtcNow), Stop)));
        Assert.Equal("pool_missing", await CodeOf(() => Host.EnsureVolume(completed with { Pool = "nowhere" }, Stop)));
    }
}
