using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>kill -9 at the steps of what changes a VM: rebuild, clone, an interface that comes and goes. What was asked for comes to its end, once.</summary>
[Collection(KillFleetCollection.Name)]
public sealed class KillAtChangeTests(KillFleet fleet) : Killing(fleet)
{
    private static readonly string[] RebuildSteps = ["disk", "stopped"];
    private static readonly string[] CloneSteps = ["placed", "disk"];

    public static TheoryData<string, string> RebuildMoments() => OneVictimAt(RebuildSteps);
    public static TheoryData<string, string> OtherRebuildMoments() => OtherVictimsAt(RebuildSteps);
    public static TheoryData<string, string> CloneMoments() => OneVictimAt(CloneSteps);
    public static TheoryData<string, string> OtherCloneMoments() => OtherVictimsAt(CloneSteps);

    [Theory]
    [MemberData(nameof(OtherRebuildMoments))]
    [Trait("Suite", "Slow")]
    public Task Killing_any_other_at_a_step_of_a_rebuild(string victim, string step) => Killing_at_a_step_of_a_rebuild_leaves_the_vm_running_from_its_new_disk(victim, step);

    [Theory]
    [MemberData(nameof(RebuildMoments))]
    public async Task Killing_at_a_step_of_a_rebuild_leaves_the_vm_running_from_its_new_disk(string victim, string step)
    {
        var (vm, create) = await fleet.Create($"rebuild-{victim}-{step}");
        await fleet.Console.Finished(create);
        await fleet.VmIn(vm, "running");
        var former = await Disks(vm);
        var rebuild = (await fleet.Console.Post($"projects/default/vms/{vm}/rebuild", new { deadlineSeconds = 30 })).GetProperty("id").GetString()!;
        await Kill(victim, rebuild, step);
        var end = await fleet.Console.Finished(rebuild, TimeSpan.FromMinutes(4));
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
        Assert.Contains(vm, await fleet.Host.RunningDomains());
        var disks = await Disks(vm);
        Assert.Equal(2, disks.Length);
        Assert.Empty(disks.Intersect(former));
        await fleet.Remove(vm);
    }

    [Theory]
    [MemberData(nameof(OtherCloneMoments))]
    [Trait("Suite", "Slow")]
    public Task Killing_any_other_at_a_step_of_a_clone(string victim, string step) => Killing_at_a_step_of_a_clone_leaves_one_whole_copy(victim, step);

    [Theory]
    [MemberData(nameof(CloneMoments))]
    public async Task Killing_at_a_step_of_a_clone_leaves_one_whole_copy(string victim, string step)
    {
        var (source, create) = await fleet.Create($"source-{victim}-{step}");
        await fleet.Console.Finished(create);
        await fleet.Console.Finished((await fleet.Console.Post($"projects/default/vms/{source}/stop", new { deadlineSeconds = 0 })).GetProperty("id").GetString()!);
        await fleet.VmIn(source, "stopped");
        var operation = await fleet.Console.Post($"projects/default/vms/{source}/clone", new { name = $"clone-{victim}-{step}" });
        var (clone, id) = (operation.GetProperty("vm").GetString()!, operation.GetProperty("id").GetString()!);
        await Kill(victim, id, step);
        var end = await fleet.Console.Finished(id, TimeSpan.FromMinutes(4));
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
        Assert.Contains(clone, await fleet.Host.RunningDomains());
        Assert.Equal(2, (await Disks(clone)).Length);
        await fleet.Remove(source);
        Assert.Contains(clone, await fleet.Host.RunningDomains());
        await fleet.Remove(clone);
    }

    [Theory]
    [InlineData("agent")]
    [InlineData("libvirtd")]
    [Trait("Suite", "Slow")]
    public Task Killing_any_other_while_an_interface_comes_and_goes(string victim) => Killing_while_an_interface_comes_and_goes_leaves_what_was_asked_for(victim);

    [Theory]
    [InlineData("server")]
    public async Task Killing_while_an_interface_comes_and_goes_leaves_what_was_asked_for(string victim)
    {
        // Its own: what one case leaves is no other's.
        var range = $"10.121.{Array.IndexOf(Victims, victim)}";
        var network = (await fleet.Console.Post("projects/default/networks", new { name = $"kill-{victim}", cidr = $"{range}.0/24" })).GetProperty("id").GetString();
        var (vm, create) = await fleet.Create($"kill-interface-{victim}");
        await fleet.Console.Finished(create);

        var add = await fleet.Console.Post($"projects/default/vms/{vm}/interfaces", new { network, address = $"{range}.9" });
        await Kill(victim);
        await Succeeded(add);
        var nic = (await fleet.Vm(vm)).GetProperty("networks").EnumerateArray().Single(n => n.GetProperty("address").GetString() == $"{range}.9");
        var mac = nic.GetProperty("mac").GetString()!;
        Assert.Equal(2, (await Interfaces(vm)).Length);
        Assert.Single(await Interfaces(vm), line => line.Contains(mac, StringComparison.Ordinal));
        await Wait.Until("the guest has its address", async () =>
            (await fleet.Vm(vm)).GetProperty("networks").EnumerateArray().Any(n => n.GetProperty("seenAddresses").EnumerateArray().Any(a => a.GetString() == $"{range}.9")));

        var remove = await fleet.Console.Delete($"projects/default/vms/{vm}/interfaces/{mac}");
        await Kill(victim);
        await Succeeded(remove);
        Assert.Single(await Interfaces(vm));
        Assert.Equal("", (await fleet.Host.Run("sh", "-c", $"ip -o link | grep {mac.Replace(":", "", StringComparison.Ordinal)} || true")).Trim());
        await Wait.Until("no rule is left of it", async () => !(await fleet.Host.Run("nft", "list", "ruleset")).Contains(mac, StringComparison.Ordinal));
        await fleet.Remove(vm);
        await fleet.Console.Delete($"projects/default/networks/{network}");
    }

    private async Task<string[]> Interfaces(string vm) => (await fleet.Host.Run("virsh", "-q", "-c", "qemu:///system", "domiflist", vm)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task Succeeded(System.Text.Json.JsonElement operation)
    {
        var end = await fleet.Console.Finished(operation.GetProperty("id").GetString()!, TimeSpan.FromMinutes(4));
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
    }

    /// <summary>Root disk and seed, whole or half made; its console's log is no disk.</summary>
    private async Task<string[]> Disks(string vm) => [.. (await fleet.Files(vm)).Where(f => f.Contains("/pools/", StringComparison.Ordinal))];
}
