using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Core.Storage;

namespace Plinth.Core.Tests.Operations;

public class VolumeProgressTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly VmId Vm = new(Guid.Parse("01930000-0000-7000-8000-000000000001"));
    private static readonly VolumeRecord Available = new(new VolumeId(Guid.Parse("01930000-0000-7000-9000-000000000001")), "data", VolumeState.Available, "", 2, default, "kvm-1", null, null, true);

    private static ObservedVolume Seen(long generation, int gib, VmId? vm = null) => new(Available.Volume, new Generation(generation), (long)gib << 30, vm, vm is not null, null, false, null);

    private static VolumeAct Attached(Generation next) =>
        VolumeActs.Attach(Available, null, new AttachTarget(Vm, "web-1", VmState.Running, default(HostId), "kvm-1", 0), "ana", next, Now).Value!;

    [Fact]
    public void A_report_for_an_older_generation_says_nothing_about_the_act()
    {
        var act = Attached(new Generation(5));
        var early = VolumeProgress.Advance(act.Volume, act.Operation, Vm, Seen(4, 2), Now);
        Assert.Equal((VolumeState.Attaching, OperationState.Running), (early.Volume.State, early.Operation!.State));
        var done = VolumeProgress.Advance(act.Volume, act.Operation, Vm, Seen(5, 2, Vm), Now);
        Assert.Equal((VolumeState.Attached, OperationState.Succeeded), (done.Volume.State, done.Operation!.State));
        // Read again, it is the same.
        Assert.Equal(done.Volume, VolumeProgress.Advance(done.Volume, done.Operation, Vm, Seen(5, 2, Vm), Now.AddHours(1)).Volume);
    }

    [Fact]
    public void An_attach_that_can_not_be_fails_at_once_and_is_no_longer_wished()
    {
        var act = Attached(new Generation(5));
        var broken = Seen(5, 2) with { Problem = new MachineProblem("no_port", "The machine has no free port.", StepKind.Plugged, Final: true) };
        var failed = VolumeProgress.Advance(act.Volume, act.Operation, Vm, broken, Now);
        Assert.Equal((VolumeState.Available, null, "The machine has no free port."), (failed.Volume.State, failed.Volume.Vm, failed.Volume.Reason));
    }

    [Fact]
    public void A_volume_that_was_made_and_can_not_be_attached_is_available()
    {
        var creating = Available with { State = VolumeState.Creating, Vm = Vm, VmName = "web-1", Made = false };
        var create = OperationProgress.Begin(OperationKind.CreateVolume, "ana", new Generation(5), 0, Now);
        var broken = Seen(5, 2) with { Problem = new MachineProblem("no_port", "The machine has no free port.", StepKind.Plugged, Final: true) };
        var ended = VolumeProgress.Advance(creating, create, Vm, broken, Now);
        Assert.Equal((VolumeState.Available, null, OperationState.Failed, true), (ended.Volume.State, ended.Volume.Vm, ended.Operation!.State, ended.Volume.Made));
    }

    [Fact]
    public void One_thing_at_a_time_but_a_detach_ends_the_attach_before_it()
    {
        var attach = Attached(new Generation(5));
        Assert.Equal("operation_under_way", VolumeActs.Resize(attach.Volume with { State = VolumeState.Attached }, attach.Operation, 3, "ana", new Generation(6), Now).Refusals.Single().Code);
        var detach = VolumeActs.Detach(attach.Volume, attach.Operation, "ana", new Generation(6), Now).Value!;
        Assert.Equal((OperationState.Cancelled, VolumeState.Detaching, null), (detach.Superseded!.State, detach.Volume.State, detach.Volume.Vm));
    }
}
