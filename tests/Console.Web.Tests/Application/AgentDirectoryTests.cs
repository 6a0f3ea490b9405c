using Microsoft.EntityFrameworkCore;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Persistence.Rows;

namespace Plinth.Web.Tests.Application;

/// <summary>Admission, fencing, reports and their price, hosts that go away and come back.</summary>
public sealed class AgentDirectoryTests : Stage
{
    [Fact]
    public async Task A_joined_host_says_hello_and_is_ready_after_its_first_report()
    {
        var agent = await Joined("kvm-1", new Resources(4, 8192, 100));
        Assert.Equal(HostState.Enrolling, Ok(await Hosts.Get(Ana, agent.Host, Stop)).State);
        Assert.Equal(new Epoch(1), Assert.IsType<Welcome>(await agent.Connect()).Epoch);
        await agent.Report();
        var host = Ok(await Hosts.Get(Ana, agent.Host, Stop));
        Assert.Equal((HostState.Ready, true, false, new Resources(4, 8192, 100)), (host.State, host.Connected, host.Stale, host.Capacity));
        Assert.Equal(new Epoch(2), Assert.IsType<Welcome>(await agent.Connect()).Epoch);
        await Restart();
        Assert.Equal(new Epoch(3), Assert.IsType<Welcome>(await agent.Connect()).Epoch);
    }

    [Fact]
    public async Task Strangers_other_protocols_and_retired_hosts_are_refused()
    {
        var agent = await Host("kvm-1");
        Assert.Equal("protocol_version", Assert.IsType<Refused>(await agent.Connect(protocol: 99)).Code);
        var stranger = new FakeAgent(this, HostId.New(Time.GetUtcNow()), "x", Resources.Zero);
        Assert.Equal("host_unknown", Assert.IsType<Refused>(await stranger.Connect()).Code);
        await agent.Disconnect();
        Ok(await Hosts.Retire(Ana, agent.Host, Stop));
        Assert.Equal("host_retired", Assert.IsType<Refused>(await agent.Connect()).Code);
        Assert.False(await The<IHostRegistry>().IsAdmitted(agent.Host, Stop));
        Assert.Empty(Ok(await Hosts.List(Ana, new HostQuery(), new Window(), Stop)).Items);
    }

    [Fact]
    public async Task A_console_restored_from_backup_adopts_only_by_an_explicit_act()
    {
        var (agent, vm) = await Running();
        (agent.Accepted, agent.Epoch) = (new Generation(41), new Epoch(17));
        var refused = Assert.IsType<Refused>(await agent.Connect());
        Assert.Equal("console_behind", refused.Code);
        Assert.Contains("restored from a backup", refused.Message);
        var host = Ok(await Hosts.Get(Ana, agent.Host, Stop));
        Assert.Equal((HostState.Quarantined, refused.Message), (host.State, host.StateReason));
        Assert.IsType<Refused>(await agent.Connect());

        Assert.Equal(new Generation(42), Ok(await Hosts.Adopt(Ana, agent.Host, Stop)).Generation);
        Assert.Equal("host_not_quarantined", No(await Hosts.Adopt(Ana, agent.Host, Stop)).Code);
        Assert.Equal(new Epoch(18), Assert.IsType<Welcome>(await agent.Connect()).Epoch);
        await agent.Reconcile();
        Assert.Equal(new Generation(42), agent.Accepted);
        Assert.Equal(vm.Id, Assert.Single(agent.Desired!.Machines).Vm);
        Assert.Equal(HostState.Ready, Ok(await Hosts.Get(Ana, agent.Host, Stop)).State);
        Assert.Single(await Audit(), a => a.Action == "host.quarantine");
        Assert.Single(await Audit(), a => a is { Action: "host.adopt", Outcome: "done" });
    }

    [Fact]
    public async Task Messages_of_a_replaced_session_are_refused()
    {
        var agent = await Host("kvm-1");
        var old = agent.Epoch;
        await agent.Connect();
        agent.Epoch = old;
        await Assert.ThrowsAsync<StaleEpochException>(() => agent.Report());
        await Assert.ThrowsAsync<StaleEpochException>(() => Directory_.CommandResult(agent.Host, new CommandResult(old, CommandId.New(Time.GetUtcNow()), true, ""), Stop));
        await Assert.ThrowsAsync<StaleEpochException>(() => Directory_.Disconnected(agent.Host, old, Stop));
        await Restart();
        await Assert.ThrowsAsync<StaleEpochException>(() => agent.Report());
    }

    [Fact]
    public async Task A_report_that_says_nothing_new_writes_nothing()
    {
        var (agent, vm) = await Running();
        await agent.Report();
        var (version, log) = (Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).Version, await LogSize());
        for (var i = 0; i < 5; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(10));
            agent.Set(vm.Id, m => m with { GuestAgentAt = Time.GetUtcNow() });
            await agent.Report();
            await Watch();
        }
        var now = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal((version, log), (now.Version, await LogSize()));
        Assert.Equal(Time.GetUtcNow(), now.ObservedAt);
        Assert.False(now.Stale);
        await using var db = Store.Read();
        Assert.Equal(Time.GetUtcNow(), await db.Hosts.Select(h => h.ReportedAt).SingleAsync());

        async Task<int> LogSize()
        {
            await using var read = Store.Read();
            return await read.ChangeLog.CountAsync();
        }
    }

    [Fact]
    public async Task A_host_is_lost_when_its_session_ended_and_its_report_is_stale_and_comes_back()
    {
        var (agent, vm) = await Running();
        Time.Advance(TimeSpan.FromSeconds(31));
        await Watch();
        Assert.Equal(HostState.Ready, Ok(await Hosts.Get(Ana, agent.Host, Stop)).State);
        await agent.Disconnect();
        await Watch();
        Assert.Equal(HostState.Lost, Ok(await Hosts.Get(Ana, agent.Host, Stop)).State);
        var lost = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal((VmState.Lost, true), (lost.State, lost.Stale));
        Assert.Contains("kvm-1 does not answer", lost.StateReason);
        Assert.Equal("vm_lost", No(await Vms.Stop(Ana, Project, vm.Id, new StopVm(), null, Stop)).Code);
        var problems = Ok(await The<IOverview>().Get(Ana, Stop)).Problems;
        Assert.Equal(2, problems.Count(p => p.Severity == "error"));

        await agent.Connect();
        await agent.Report();
        Assert.Equal(HostState.Ready, Ok(await Hosts.Get(Ana, agent.Host, Stop)).State);
        Assert.Equal(VmState.Running, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }

    [Fact]
    public async Task After_a_restart_of_the_console_hosts_have_time_to_come_back()
    {
        var (agent, _) = await Running();
        Time.Advance(TimeSpan.FromHours(1));
        await Restart();
        await Watch();
        Assert.Equal(HostState.Ready, Ok(await Hosts.Get(Ana, agent.Host, Stop)).State);
        Time.Advance(TimeSpan.FromSeconds(31));
        await Watch();
        Assert.Equal(HostState.Lost, Ok(await Hosts.Get(Ana, agent.Host, Stop)).State);
    }

    [Fact]
    public async Task Machines_this_console_did_not_place_are_drift()
    {
        var (agent, vm) = await Running();
        var stranger = VmId.New(Time.GetUtcNow());
        agent.Machines[stranger] = agent.Machines[vm.Id] with { Vm = stranger };
        agent.UnknownDomains.Add("somebodys-vm");
        await agent.Report();
        var host = Ok(await Hosts.Get(Ana, agent.Host, Stop));
        Assert.Equal(2, host.UnknownDomains.Count);
        Assert.Contains(host.UnknownDomains, d => d.StartsWith(stranger.ToString(), StringComparison.Ordinal));
        await agent.Reconcile();
        Assert.Single(agent.Desired!.Machines);
        Assert.Empty(agent.Desired.Tombstones);
        Assert.Equal(VmState.Running, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
    }

    [Fact]
    public async Task A_full_report_without_a_machine_means_the_host_does_not_have_it()
    {
        var (agent, vm) = await Running();
        agent.Machines.Clear();
        await agent.Report(full: false);
        Assert.Equal(VmState.Running, Ok(await Vms.Get(Ana, Project, vm.Id, Stop)).State);
        await agent.Report();
        var failed = Ok(await Vms.Get(Ana, Project, vm.Id, Stop));
        Assert.Equal(VmState.Failed, failed.State);
        Assert.Contains("was removed on kvm-1", failed.StateReason);
    }

    [Fact]
    public async Task Join_tokens_work_once_and_the_same_machine_stays_the_same_host()
    {
        var registry = The<IHostRegistry>();
        await Store.Write(scope =>
        {
            foreach (var (secret, expires) in new[] { ("one", 60), ("two", 60), ("three", 60), ("late", -1) })
                scope.Db.JoinTokens.Add(new JoinTokenRow
                {
                    Id = JoinTokenId.New(scope.Now), CreatedBy = "ana", CreatedAt = scope.Now, ExpiresAt = scope.Now.AddMinutes(expires),
                    TokenHash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(secret))),
                });
            return Task.FromResult(0);
        });
        var until = Time.GetUtcNow().AddHours(24);
        var first = Ok(await registry.Enrol("one", "KVM_1.example.org", "m-1", false, until, null, Stop));
        Assert.Contains("used already", No(await registry.Enrol("one", "x", "m-2", false, until, null, Stop)).Message);
        Assert.Contains("expired", No(await registry.Enrol("late", "x", "m-2", false, until, null, Stop)).Message);
        Assert.Contains("not known", No(await registry.Enrol("none", "x", "m-2", false, until, null, Stop)).Message);
        Assert.Equal(first, Ok(await registry.Enrol("two", "other-name", "m-1", false, until, null, Stop)));
        Assert.NotEqual(first, Ok(await registry.Enrol("three", "kvm-1", "m-2", true, until, null, Stop)));
        Assert.Equal(["kvm-1", "kvm-1-2"], Ok(await Hosts.List(Ana, new HostQuery(), new Window(), Stop)).Items.Select(h => h.Name));
        Assert.Equal(3, (await Audit()).Count(a => a is { Action: "host.join", Outcome: "refused" }));
    }

    [Fact]
    public async Task A_host_with_vms_is_not_retired()
    {
        var (agent, _) = await Running();
        var no = No(await Hosts.Retire(Ana, agent.Host, Stop));
        Assert.Equal(("host_in_use", "kvm-1 has 1 VM (web-1). Delete them first."), (no.Code, no.Message));
    }

    [Fact]
    public async Task Telemetry_becomes_series_and_a_repeated_batch_does_not_count_twice()
    {
        var (agent, vm) = await Running();
        for (var i = 1; i <= 3; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(10));
            var batch = new TelemetryBatch(agent.Epoch, i, 0, new HostSample(Time.GetUtcNow().AddHours(3), 10 * i, 100, 1000, 5, 50, 0.5, 0), [new VmSample(vm.Id, 50, 1, 64, 1024, 0, 0, 7)]);
            await Directory_.Telemetry(agent.Host, batch, Stop);
            await Directory_.Telemetry(agent.Host, batch with { Host = batch.Host with { CpuPercent = 99 } }, Stop);
        }
        await The<Plinth.Web.Persistence.Metrics.IMetricsStore>().Flush(Stop);
        var cpu = Ok(await Hosts.Metrics(Ana, agent.Host, TimeSpan.FromMinutes(5), Stop)).Single(s => s.Name == "cpu");
        Assert.Equal([10, 20, 30], cpu.Values.Where(v => v is not null).Select(v => v!.Value));
        Assert.Equal(Time.GetUtcNow(), cpu.NewestAt); // the console's clock: this host's is three hours ahead
        Assert.Equal(["cpu", "disk", "load", "memory"], Ok(await Hosts.Metrics(Ana, agent.Host, TimeSpan.FromMinutes(5), Stop)).Select(s => s.Name).Order());
        var series = Ok(await Vms.Metrics(Ana, Project, vm.Id, TimeSpan.FromMinutes(5), Stop));
        Assert.Equal(7, series.Single(s => s.Name == "net-transmit").Values.Last(v => v is not null));
        Assert.Equal("range", No(await Vms.Metrics(Ana, Project, vm.Id, TimeSpan.FromDays(400), Stop)).Field);
        Assert.Equal(30, Ok(await Hosts.Get(Ana, agent.Host, Stop)).Sample!.CpuPercent);
        Assert.Contains(Feed.Changes, c => c.Kind == "vm-sample" && c.Id == vm.Id.Value);
    }
}
