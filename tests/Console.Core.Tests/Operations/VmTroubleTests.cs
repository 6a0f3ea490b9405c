using CsCheck;
using Plinth.Core.Machines;
using Plinth.Core.Operations;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Operations;

public sealed class VmTroubleTests
{
    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static ObservedMachine Seen(DomainState domain, OffReason off = OffReason.None, PauseReason pause = PauseReason.None, DateTimeOffset? silent = null) =>
        new(default, Generation.None, domain, off, 1, null, null, null, Then, null, false, "k", [], null, null, Pause: pause, GuestSilentSince: silent);

    [Theory]
    [InlineData(VmState.Paused, DomainState.Paused, OffReason.None, PauseReason.StorageFull, "storage_full")]
    [InlineData(VmState.Paused, DomainState.Paused, OffReason.None, PauseReason.StorageFailed, "storage_failed")]
    [InlineData(VmState.Paused, DomainState.Paused, OffReason.None, PauseReason.Asked, null)]
    [InlineData(VmState.Stopped, DomainState.Off, OffReason.Crashed, PauseReason.None, "crashed")]
    [InlineData(VmState.Failed, DomainState.Off, OffReason.Crashed, PauseReason.None, "crashed")]
    [InlineData(VmState.Starting, DomainState.Off, OffReason.Crashed, PauseReason.None, null)]
    [InlineData(VmState.Stopped, DomainState.Off, OffReason.GuestShutdown, PauseReason.None, null)]
    [InlineData(VmState.Lost, DomainState.Off, OffReason.Crashed, PauseReason.None, null)]
    public void What_is_wrong_has_a_name(VmState state, DomainState domain, OffReason off, PauseReason pause, string? code) =>
        Assert.Equal(code, VmTrouble.Of(state, Seen(domain, off, pause), "kvm-1")?.Code);

    [Fact]
    public void A_silent_guest_is_told_with_its_last_answer()
    {
        Assert.Equal(("guest_silent", Then), (VmTrouble.Of(VmState.Running, Seen(DomainState.Running, silent: Then), "kvm-1") is { } t ? t.Code : "", Then));
        Assert.Null(VmTrouble.Of(VmState.Stopping, Seen(DomainState.Running, silent: Then), "kvm-1"));
        Assert.Null(VmTrouble.Of(VmState.Running, Seen(DomainState.Running), "kvm-1"));
        Assert.Null(VmTrouble.Of(VmState.Running, null, "kvm-1"));
    }

    [Fact]
    public void Whatever_is_wrong_comes_with_what_to_do() =>
        Gen.Select(Gen.Enum<VmState>(), Gen.Enum<DomainState>(), Gen.Enum<OffReason>(), Gen.Enum<PauseReason>(), Gen.Bool).Sample((state, domain, off, pause, silent) =>
        {
            if (VmTrouble.Of(state, Seen(domain, off, pause, silent ? Then : null), "kvm-1") is not { } trouble) return;
            Assert.EndsWith(".", trouble.Sentence);
            Assert.EndsWith(".", trouble.Remedy);
            Assert.NotEqual(trouble.Sentence, trouble.Remedy);
        });
}
