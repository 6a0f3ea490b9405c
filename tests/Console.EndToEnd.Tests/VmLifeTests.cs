using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>The whole thread by the API, against a real libvirt: virsh is asked for the truth.</summary>
[Collection(FleetCollection.Name)]
public sealed class VmLifeTests(Fleet fleet)
{
    [Fact]
    public async Task A_vm_lives_its_whole_life()
    {
        var (vm, create) = await fleet.Create("life", new { labels = new { team = "web" }, description = "The first <one> & \"only\"" });
        var end = await fleet.Console.Finished(create);
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
        Assert.Equal(
            ["accepted", "placed", "disk", "defined", "started", "guest-agent"],
            end.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("name").GetString()));
        Assert.All(end.GetProperty("steps").EnumerateArray(), s => Assert.Equal("done", s.GetProperty("state").GetString()));
        Assert.Contains(vm, await fleet.Host.RunningDomains());

        var running = await fleet.VmIn(vm, "running");
        Assert.Equal("web", running.GetProperty("labels").GetProperty("team").GetString());
        var address = await Wait.For("an address of the guest", async () =>
            (await fleet.Vm(vm)).GetProperty("addresses").EnumerateArray().Select(a => a.GetString()).FirstOrDefault(a => a!.Contains('.', StringComparison.Ordinal)));
        Assert.StartsWith("10.87.", address, StringComparison.Ordinal);

        await using (var console = await SerialConsole.Open(fleet, vm))
        {
            await console.See("Plinth guest life ready");
            await console.See("life:/#");
            await console.Type("\necho typed-$((40+2))\n");
            await console.See("typed-42");
        }

        await Operate(vm, "reboot");
        await fleet.VmIn(vm, "running");

        await Operate(vm, "stop");
        await fleet.VmIn(vm, "stopped");
        Assert.DoesNotContain(vm, await fleet.Host.RunningDomains());
        Assert.Contains(vm, await fleet.Host.Domains());

        await Operate(vm, "start");
        Assert.Contains(vm, await fleet.Host.RunningDomains());

        await fleet.Remove(vm);
    }

    [Fact]
    public async Task A_shutdown_inside_the_guest_stops_the_vm_for_good()
    {
        var (vm, create) = await fleet.Create("inside");
        await fleet.Console.Finished(create);
        await using (var console = await SerialConsole.Open(fleet, vm))
        {
            await console.See("inside:/#");
            await console.Type("\npoweroff -f\n");
            await console.See("reboot: Power down");
        }
        await fleet.VmIn(vm, "stopped");
        Assert.DoesNotContain(vm, await fleet.Host.RunningDomains());
        await Operate(vm, "start");
        await fleet.VmIn(vm, "running");
        await fleet.Remove(vm);
    }

    [Fact]
    public async Task The_same_key_creates_one_vm_however_often_it_is_sent()
    {
        var key = Guid.NewGuid().ToString();
        var body = new { name = "once", image = "plinth-guest", flavor = "tiny" };
        var replies = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => fleet.Console.Post("projects/default/vms", body, key)));
        Assert.Single(replies.Select(r => r.GetProperty("id").GetString()).Distinct());
        var vm = replies[0].GetProperty("vm").GetString()!;
        await fleet.Console.Finished(replies[0].GetProperty("id").GetString()!);
        Assert.Single(await fleet.Host.Domains(), d => d == vm);
        await fleet.Remove(vm);
    }

    [Fact]
    public async Task A_deleted_vm_is_kept_over_a_kill_of_the_server_and_runs_again_when_restored()
    {
        var (vm, create) = await fleet.Create("undone");
        await fleet.Console.Finished(create);
        await fleet.VmIn(vm, "running");
        var files = await fleet.Files(vm);

        var delete = await fleet.Console.Delete($"projects/default/vms/{vm}");
        var end = await fleet.Console.Finished(delete.GetProperty("id").GetString()!);
        Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
        var until = (await fleet.VmIn(vm, "restorable")).GetProperty("restorableUntil").GetDateTimeOffset();
        await fleet.Console.Kill9();
        await fleet.Console.Start();
        await fleet.Console.ReadyHosts(1);
        Assert.Equal(until, (await fleet.VmIn(vm, "restorable")).GetProperty("restorableUntil").GetDateTimeOffset());
        Assert.Contains(vm, await fleet.Host.Domains());
        Assert.DoesNotContain(vm, await fleet.Host.RunningDomains());
        Assert.Equal(files.Order(), (await fleet.Files(vm)).Order());

        await Operate(vm, "restore");
        await fleet.VmIn(vm, "running");
        Assert.Contains(vm, await fleet.Host.RunningDomains());

        // Undone before the guest was down.
        await fleet.Console.Delete($"projects/default/vms/{vm}");
        await Operate(vm, "restore");
        await fleet.VmIn(vm, "running");
        await fleet.Remove(vm);
    }

    [Fact]
    public async Task A_cancelled_create_leaves_nothing()
    {
        var (vm, create) = await fleet.Create("cancelled");
        await fleet.Console.Post($"operations/{create}/cancel");
        var end = await fleet.Console.Finished(create);
        Assert.Equal("cancelled", end.GetProperty("state").GetString());
        await Wait.Until("nothing left of the VM", async () => (await fleet.Host.Domains()).All(d => d != vm) && (await fleet.Files(vm)).Length == 0);
        Assert.True(await fleet.Console.Find($"projects/default/vms/{vm}") is not { } left || left.GetProperty("state").GetString() == "deleted");
    }

    private async Task Operate(string vm, string act)
    {
        var operation = await fleet.Console.Post($"projects/default/vms/{vm}/{act}");
        var end = await fleet.Console.Finished(operation.GetProperty("id").GetString()!);
        Assert.True(end.GetProperty("state").GetString() == "succeeded", $"{act}: {end}");
    }
}
