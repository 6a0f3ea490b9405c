using Plinth.Core.Machines;
using Plinth.Core.Protocol;
using Plinth.Web.Application;

namespace Plinth.Web.Tests.Application;

/// <summary>What a host says is wrong with a VM, as people see it.</summary>
public sealed class TroubleTests : Stage
{
    private async Task<ProblemView[]> Problems() => [.. Ok(await The<IOverview>().Get(Ana, Stop)).Problems.Where(p => p.Title.StartsWith("VM ", StringComparison.Ordinal))];

    [Fact]
    public async Task A_full_storage_is_told_with_what_to_do_until_the_machine_goes_on()
    {
        var (agent, vm) = await Running();
        Assert.Null(vm.Trouble);
        agent.Set(vm.Id, m => m with { Domain = DomainState.Paused, Pause = PauseReason.StorageFull });
        await agent.Report(full: false, vm.Id);
        var paused = await Get();
        Assert.Equal((VmState.Paused, "storage_full"), (paused.State, paused.Trouble!.Code));
        Assert.Contains("The storage of kvm-1 is full", paused.StateReason);
        Assert.Equal(paused.StateReason, paused.Trouble.Sentence);
        var problem = Assert.Single(await Problems());
        Assert.Equal(("error", $"{paused.Trouble.Sentence} {paused.Trouble.Remedy}"), (problem.Severity, problem.Detail));

        agent.Set(vm.Id, m => m with { Domain = DomainState.Running, Pause = PauseReason.None });
        await agent.Report(full: false, vm.Id);
        Assert.Null((await Get()).Trouble);
        Assert.Empty(await Problems());

        async Task<VmView> Get() => Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
    }

    [Fact]
    public async Task A_crash_is_told_until_the_machine_is_started_again()
    {
        var (agent, vm) = await Running();
        agent.Set(vm.Id, m => m with { Domain = DomainState.Off, Off = OffReason.Crashed, Running = null });
        await agent.Report(full: false, vm.Id);
        var crashed = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal((VmState.Stopped, "crashed"), (crashed.State, crashed.Trouble!.Code));
        Assert.Equal("VM web-1 has crashed", Assert.Single(await Problems()).Title);
        Ok(await Vms.Start(Ana, Project, vm.Id, null, Stop));
        Assert.Null(Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Trouble);
        Assert.Empty(await Problems());
    }

    [Fact]
    public async Task A_silent_guest_is_told_with_its_last_answer_and_its_system_is_shown()
    {
        var (agent, vm) = await Running();
        var last = Time.GetUtcNow();
        agent.Set(vm.Id, m => m with { GuestSystem = "Debian GNU/Linux 12 (bookworm)", GuestSilentSince = last });
        await agent.Report(full: false, vm.Id);
        var silent = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal((VmState.Running, "guest_silent", last), (silent.State, silent.Trouble!.Code, silent.Trouble.Since));
        Assert.Equal("Debian GNU/Linux 12 (bookworm)", silent.GuestSystem);
        Assert.Equal(("warning", "VM web-1 is silent", last), Assert.Single(await Problems()) is var p ? (p.Severity, p.Title, p.Since) : default);
        agent.Set(vm.Id, m => m with { GuestSilentSince = null });
        await agent.Report(full: false, vm.Id);
        Assert.Null(Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Trouble);
    }
}
