using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>
/// kill -9 of the agent, of the server and of libvirtd at every step of a create: afterwards there is exactly one VM, or none and a reason;
/// never a second domain, never an orphan.
/// </summary>
[Collection(KillFleetCollection.Name)]
public sealed class KillTests(KillFleet fleet) : Killing(fleet)
{
    private static readonly string[] Steps = ["accepted", "placed", "disk", "defined", "started"];

    public static TheoryData<string, string> Moments() => OneVictimAt(Steps);
    public static TheoryData<string, string> OtherMoments() => OtherVictimsAt(Steps);

    [Theory]
    [MemberData(nameof(OtherMoments))]
    [Trait("Suite", "Slow")]
    public Task Killing_any_other_at_a_step_leaves_exactly_one_vm(string victim, string step) => Killing_at_a_step_leaves_exactly_one_vm(victim, step);

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task Killing_at_a_step_leaves_exactly_one_vm(string victim, string step)
    {
        var (vm, create) = await fleet.Create($"kill-{victim}-{step}");
        await Kill(victim, create, step);

        var end = await fleet.Console.Finished(create, TimeSpan.FromMinutes(4));
        var state = end.GetProperty("state").GetString();
        Assert.True(state is "succeeded" || (state == "failed" && end.GetProperty("reason").GetString()!.Length > 20), end.ToString());
        Assert.Single((await fleet.Console.Get($"projects/default/vms?q=kill-{victim}-{step}")).GetProperty("items").EnumerateArray());
        Assert.True((await fleet.Host.Domains()).Count(d => d == vm) <= 1);
        if (state == "succeeded")
        {
            Assert.Contains(vm, await fleet.Host.RunningDomains());
            var processes = await fleet.Host.Run("pgrep", "-c", "-f", $"qemu-system.*{vm}");
            Assert.Equal("1", processes.Trim());
        }
        await fleet.Remove(vm);
    }
}
