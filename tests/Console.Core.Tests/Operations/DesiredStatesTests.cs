using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;
using Xunit;

namespace Plinth.Core.Tests.Operations;

public sealed class DesiredStatesTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Image Image = new(ImageId.New(Now), "mini", "", ImageState.Ready, "qcow2", "sha256:ab", 18, 1, 64, true, "root");

    private static PlacedMachine Machine(bool removed = false) => new(
        VmId.New(Now), new ProjectId(Guid.NewGuid()), "web-1", "first-name", new Resources(2, 512, 4), "default", [new DesiredNic("52:54:00:00:00:01", new NetworkId(Guid.NewGuid())), new DesiredNic("52:54:00:00:00:02", new NetworkId(Guid.NewGuid()))],
        "ana", ["ssh-ed25519 AAAA"], "", Image, DesiredPower.Running, 3, 60, removed);

    [Fact]
    public void A_machine_is_built_whole_and_a_removed_one_is_a_tombstone()
    {
        var (kept, gone) = (Machine(), Machine(removed: true));
        var state = DesiredStates.Build(new Generation(7), [new StorageClass(default, "default", "", StorageNeeds.Nothing, IoLimits.None)], [new VirtualNetwork(kept.Nics[0].Network, default, "default", "", NetworkKind.HostNat, "10.87.0.0/22")], [gone, kept]);
        var machine = Assert.Single(state.Machines);
        Assert.Equal(kept.Vm, machine.Vm);
        Assert.Equal(new Tombstone(gone.Vm), Assert.Single(state.Tombstones));
        Assert.Equal(new DesiredDisk("root", "default", 4, new ImageReference(Image.Id, "sha256:ab", 18, "qcow2")), Assert.Single(machine.Disks));
        Assert.Equal(("web-1", 2, 512, 3L, 60), (machine.Name, machine.Vcpus, machine.MemoryMib, machine.PowerGeneration, machine.StopDeadlineSeconds));
        Assert.Equal(2, machine.Nics.Select(n => n.Mac).Distinct().Count());
        Assert.True(Assert.Single(state.Networks).Bridge.Length <= 15);
    }

    [Fact]
    public void Each_disk_has_the_limits_of_its_class_in_the_one_pool_of_the_host()
    {
        var (slow, fast) = (new IoLimits(ReadIops: 100), IoLimits.None);
        var volume = new PlacedVolume(VolumeId.New(Now), new ProjectId(Guid.NewGuid()), "data", "slow", 1, null, false, false);
        var state = DesiredStates.Build(new Generation(1), [new StorageClass(default, "default", "", StorageNeeds.Nothing, fast), new StorageClass(default, "slow", "", StorageNeeds.Nothing, slow)], [], [Machine() with { Nics = [], StorageClass = "slow" }, Machine() with { Nics = [] }], [volume]);
        Assert.Equal(new[] { slow, null }.ToHashSet(), state.Machines.Select(m => m.Disks[0].Limits).ToHashSet());
        Assert.Equal(("default", slow), (Assert.Single(state.Volumes!).Pool, state.Volumes![0].Limits));
        Assert.Equal("default", Assert.Single(state.Pools).Name);
        // An agent of before reads the same words.
        Assert.Contains("\"storageClass\":\"default\"", System.Text.Json.JsonSerializer.Serialize(state.Machines[0].Disks[0]));
    }

    [Fact]
    public void Addresses_are_stable_local_and_qemus()
    {
        var vm = VmId.From(new Guid("01900000-0000-7000-8000-000000000001"));
        var (one, other) = (NetworkId.From(new Guid("01900000-0000-7000-8000-000000000002")), NetworkId.From(new Guid("01900000-0000-7000-8000-000000000003")));
        Assert.Equal(DesiredStates.Mac(vm, one), DesiredStates.Mac(vm, one));
        Assert.Equal(3, new HashSet<string> { DesiredStates.Mac(vm, one), DesiredStates.Mac(vm, other), DesiredStates.Mac(vm, one, 1) }.Count);
        Assert.Matches("^52:54:00(:[0-9a-f]{2}){3}$", DesiredStates.Mac(vm, one));
    }
}
