using Plinth.Agents.Consoles;
using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Session;
using Plinth.Agents.Simulation;
using Plinth.Agents.Tests.Reconcile;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;
using Xunit;

namespace Plinth.Agents.Tests.Session;

public sealed class SessionDriverTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plinth-session").FullName;
    private readonly SimulatedHypervisor _simulated = new(SimulatedProfile.Server(1, SimulatedTimings.Instant), TimeProvider.System);
    private readonly TestConsole _console = new(TimeProvider.System);
    private readonly DesiredBuilder _desired = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task From_hello_to_a_running_VM_in_reports()
    {
        var machine = DesiredBuilder.Machine(1);
        _console.SetDesired(_desired.Put(machine));
        await using var agent = new Running(this);
        await Reported(m => m.Vm == machine.Vm && m.Domain == DomainState.Running && m.GuestAgentAt is not null);
        var first = _console.All<Report>()[0].State;
        Assert.True(first.Full);
        Assert.Equal("sim-0001", first.Facts!.Hostname);
        Assert.Contains(_console.All<Report>(), r => r.State.Facilities?.Any(f => f is { Kind: "network", Ready: true }) == true);
        Assert.All(_console.All<Report>(), r => Assert.Equal(_console.Record.Epoch, r.Epoch));
        Assert.IsType<Hello>(_console.Received.First());
    }

    [Fact]
    public async Task Each_connection_begins_with_a_full_report_under_its_own_epoch()
    {
        await using var agent = new Running(this);
        await Eventually.True(() => _console.All<Report>().Count > 0);
        _console.Drop();
        await Eventually.True(() => _console.All<Report>().Any(r => r.Epoch == new Epoch(2)));
        Assert.True(_console.All<Report>().First(r => r.Epoch == new Epoch(2)).State.Full);
    }

    [Fact]
    public async Task A_restarted_agent_comes_back_with_its_numbers_and_starts_nothing_twice()
    {
        var machine = DesiredBuilder.Machine(1);
        _console.SetDesired(_desired.Put(machine));
        var counting = new CountingHypervisor(_simulated);
        await using (new Running(this, counting)) await Reported(m => m.Domain == DomainState.Running);
        await using (new Running(this, counting))
        {
            await Eventually.True(() => _console.All<Hello>().Count == 2);
            var hello = _console.All<Hello>()[1];
            Assert.Equal((new Epoch(1), new Generation(1)), (hello.LastEpoch, hello.LastGeneration));
            await Eventually.True(() => _console.All<Report>().Any(r => r.Epoch == new Epoch(2) && r.State.Machines.Any(m => m.Domain == DomainState.Running)));
        }
        Assert.Single(counting.Acts, a => a == "Start");
    }

    [Fact]
    public async Task A_command_is_done_once_however_often_it_is_delivered_and_answered_until_acknowledged()
    {
        var machine = DesiredBuilder.Machine(1);
        _console.SetDesired(_desired.Put(machine));
        var counting = new CountingHypervisor(_simulated);
        await using var agent = new Running(this, counting);
        await Reported(m => m.Domain == DomainState.Running);
        _console.Forgetful = true;
        var command = _console.Issue(new RebootMachine(machine.Vm, false));
        _console.Send(command);
        await Eventually.True(() => _console.All<CommandResult>().Count > 0);
        _console.Forgetful = false;
        _console.Drop();
        await Eventually.True(() => _console.Results.ContainsKey(command.Id));
        Assert.True(_console.Results[command.Id].Succeeded);
        Assert.Single(counting.Acts, a => a == "Reboot");
    }

    [Fact]
    public async Task A_command_for_a_VM_that_is_off_is_answered_with_the_reason()
    {
        await using var agent = new Running(this);
        await Eventually.True(() => _console.All<Report>().Count > 0);
        var command = _console.Issue(new RebootMachine(DesiredBuilder.Machine(9).Vm, true));
        await Eventually.True(() => _console.Results.ContainsKey(command.Id));
        Assert.False(_console.Results[command.Id].Succeeded);
        Assert.Contains("not defined", _console.Results[command.Id].Message);
    }

    [Fact]
    public async Task An_older_desired_state_is_refused()
    {
        var machine = DesiredBuilder.Machine(1);
        var first = _desired.Put(machine);
        var second = _desired.Power(machine.Vm, DesiredPower.Stopped);
        _console.SetDesired(second);
        await using var agent = new Running(this);
        await Reported(m => m.Domain == DomainState.Off && m.DefinedAt is not null && m.StartedForPowerGeneration == 2);
        _console.Send(new Desired(_console.Record.Epoch, first));
        var command = _console.Issue(new RebootMachine(machine.Vm, true));
        await Eventually.True(() => _console.Results.ContainsKey(command.Id));
        Assert.Equal(second.Generation, agent.Ledger.State.Generation);
    }

    [Fact]
    public async Task A_console_restored_from_a_backup_is_told_and_changes_nothing()
    {
        var machine = DesiredBuilder.Machine(1);
        _console.SetDesired(_desired.Put(machine));
        await using (new Running(this)) await Reported(m => m.Domain == DomainState.Running);
        _console.Record = _console.Record with { Generation = Generation.None };
        _console.Desired = null;
        await using var agent = new Running(this);
        await Eventually.True(() => _console.All<Hello>().Count == 2);
        Assert.True(_console.All<Hello>()[1].LastGeneration > _console.Record.Generation);
        Assert.Single(await _simulated.Domains(default));
        Assert.DoesNotContain(_console.All<Report>(), r => r.Epoch > new Epoch(1));
    }

    [Fact]
    public async Task A_stuck_console_costs_telemetry_its_detail_and_never_its_count()
    {
        await using var agent = new Running(this);
        await Eventually.True(() => _console.All<Report>().Count > 0);
        _console.Stuck = true;
        var sample = await _simulated.Sample(default);
        // The first may already be on its way when the line gets stuck.
        for (var i = 0; i < 20; i++) agent.Driver.Offer(sample, []);
        _console.Stuck = false;
        await Eventually.True(() => _console.All<TelemetryBatch>().Sum(b => 1 + b.Dropped) == 20);
        Assert.InRange(_console.All<TelemetryBatch>().Count, 1, 19);
        Assert.Equal(_console.All<TelemetryBatch>().Select((_, i) => i + 1L), _console.All<TelemetryBatch>().Select(b => b.Sequence));
    }

    [Fact]
    public async Task Changes_that_come_together_are_reported_together()
    {
        await using var agent = new Running(this);
        await Eventually.True(() => _console.All<Report>().Count > 0);
        var before = _console.All<Report>().Count;
        for (var i = 1; i <= 30; i++) _desired.Put(DesiredBuilder.Machine(i));
        _console.SetDesired(_desired.Put(DesiredBuilder.Machine(31)));
        await Eventually.True(() => agent.Reconciler.Observe().Machines.Count(m => m.GuestAgentAt is not null) == 31);
        await Eventually.True(() => _console.All<Report>().SelectMany(r => r.State.Machines).Where(m => m.GuestAgentAt is not null).DistinctBy(m => m.Vm).Count() == 31);
        // 31 VMs make more than 150 changes.
        Assert.InRange(_console.All<Report>().Count - before, 1, 60);
    }

    [Fact]
    public async Task An_agent_without_an_executable_of_its_own_says_so_and_refuses_to_replace_it()
    {
        await using var agent = new Running(this);
        await Eventually.True(() => _console.All<Report>().Count > 0);
        Assert.Null(_console.All<Hello>()[0].Executable);
        var command = _console.Issue(new UpgradeAgent("9.0.0", "sha256:" + new string('0', 64), 1));
        await Eventually.True(() => _console.Results.ContainsKey(command.Id));
        Assert.False(_console.Results[command.Id].Succeeded);
    }

    [Fact]
    public async Task Everything_is_told_once_the_whole_picture_was_sent()
    {
        await using var agent = new Running(this);
        var told = new TaskCompletionSource();
        agent.Driver.ToldInFull += () => told.TrySetResult();
        await told.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains(_console.All<Report>(), r => r.State.Full);
    }

    [Fact]
    public async Task A_console_that_is_away_is_awaited()
    {
        _console.Away = true;
        await using var agent = new Running(this);
        await Eventually.True(() => agent.Reconciler.Rounds > 0);
        _console.Away = false;
        await Eventually.True(() => _console.All<Report>().Count > 0);
    }

    private Task Reported(Func<ObservedMachine, bool> holds) =>
        Eventually.True(() => _console.All<Report>().SelectMany(r => r.State.Machines).Any(holds), "no such report");

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _loops;

        public Running(SessionDriverTests test, IHypervisor? hypervisor = null)
        {
            var (time, log) = (TimeProvider.System, AgentLog.Silent);
            hypervisor ??= test._simulated;
            Ledger = AgentLedger.Open(test._directory, durable: false);
            Reconciler = new HostReconciler(hypervisor, Ledger, new NoImages(), Guid.Empty, time, log);
            var vitals = new HostVitals(hypervisor, time, log);
            var runner = new CommandRunner(hypervisor, new ConsoleBridges(hypervisor, null!, log), log);
            Driver = new SessionDriver(test._console, Ledger, Reconciler, vitals, runner, Guid.Empty, simulated: true, time, Freshness.ReportInterval, log);
            _loops = Task.WhenAll(Reconciler.Run(_stop.Token), vitals.Run(_stop.Token), Driver.Run(_stop.Token));
        }

        public AgentLedger Ledger { get; }
        public HostReconciler Reconciler { get; }
        public SessionDriver Driver { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _loops;
            Ledger.Dispose();
            _stop.Dispose();
        }
    }
}
