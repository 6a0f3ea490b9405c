using Plinth.Core.Inventory;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Core.Tests.Protocol;

public sealed class AdmissionTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly HostSessionRecord Known = new(HostState.Ready, new Epoch(7), new Generation(40));

    private static Hello Says(long epoch, long generation, int version = HubNames.ProtocolVersion) =>
        new(version, "1.2", Guid.Empty, new Epoch(epoch), new Generation(generation), false);

    [Fact]
    public void A_known_agent_is_welcomed_with_the_next_epoch_which_is_to_be_stored_first()
    {
        var decision = Admission.Decide(Says(7, 40), Known, Now);
        Assert.Equal(new Welcome(new Epoch(8), Now), decision.Answer);
        Assert.Equal(Known with { Epoch = new Epoch(8) }, decision.Record);
    }

    [Theory]
    [InlineData(8, 40)]
    [InlineData(7, 41)]
    public void An_agent_that_knows_more_than_the_console_is_refused_and_quarantined(long epoch, long generation)
    {
        var decision = Admission.Decide(Says(epoch, generation), Known, Now);
        var refused = Assert.IsType<Refused>(decision.Answer);
        Assert.Equal(Admission.ConsoleBehindCode, refused.Code);
        Assert.Contains("backup", refused.Message);
        Assert.True(decision.Quarantine);
        Assert.Equal(Known, decision.Record);
    }

    [Theory]
    [InlineData(0, "Update the agent")]
    [InlineData(99, "Update the console")]
    public void Another_protocol_version_is_refused_with_what_to_update(int version, string advice)
    {
        var decision = Admission.Decide(Says(0, 0, version), Known, Now);
        Assert.Contains(advice, Assert.IsType<Refused>(decision.Answer).Message);
        Assert.False(decision.Quarantine);
    }

    [Theory]
    [InlineData(HostState.Retired, Admission.RetiredCode)]
    [InlineData(HostState.Quarantined, Admission.QuarantinedCode)]
    public void A_host_out_of_use_is_refused(HostState state, string code) =>
        Assert.Equal(code, Assert.IsType<Refused>(Admission.Decide(Says(7, 40), Known with { State = state }, Now).Answer).Code);

    [Fact]
    public void After_adoption_the_agent_is_welcomed_and_the_next_desired_state_is_newer_than_its_own()
    {
        var ahead = Says(12, 50);
        var adopted = Admission.Adopt(Known, ahead.LastEpoch, ahead.LastGeneration);
        var welcome = Assert.IsType<Welcome>(Admission.Decide(ahead, adopted, Now).Answer);
        Assert.True(welcome.Epoch > ahead.LastEpoch);
        Assert.Equal(GenerationVerdict.Newer, Fencing.Judge(adopted.Generation, ahead.LastGeneration));
    }

    [Fact]
    public void Adoption_never_lowers_a_number()
    {
        var adopted = Admission.Adopt(Known, new Epoch(1), new Generation(1));
        Assert.Equal(Known, adopted);
    }

    [Theory]
    [InlineData(6, Fencing.StaleEpochCode)]
    [InlineData(7, null)]
    [InlineData(8, Fencing.UnknownEpochCode)]
    public void Only_messages_of_the_epoch_in_force_count(long epoch, string? code) =>
        Assert.Equal(code, Fencing.Check(new Epoch(epoch), new Epoch(7))?.Code);
}
