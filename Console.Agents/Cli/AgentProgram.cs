using System.Runtime.InteropServices;
using System.Text.Json;
using Plinth.Agents.Inventory;
using Plinth.Agents.Machines;
using Plinth.Agents.Session;
using Plinth.Agents.Upgrade;
using Plinth.Core.Inventory;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Cli;

/// <summary>The commands of <c>plinth-agent</c>.</summary>
internal static class AgentProgram
{
    private const string DefaultData = "/var/lib/plinth-agent";

    private const string Help = """
        plinth-agent: the agent of a Plinth host

          plinth-agent join --console https://ADDR:PORT --token T --ca-fingerprint sha256:HEX [--data DIR] [--name NAME] [--machine-id ID] [--again] [--service]
              Joins the console with the command from its Agents page, then runs. What has joined just runs; --again joins anew. With --service the running is
              left to the service of the Debian package.
          plinth-agent join --join-file FILE [--data DIR] …
              The same, with what the console has written for this machine.
          plinth-agent run [--data DIR]
              Runs what has joined before.
          plinth-agent simulate --hosts N --join-file FILE --data DIR [--faults FAULTS] [--speed X] [--report-ms MS]
              N simulated hosts in one process, each with its own certificate and session; acts take an X-th of the usual time, and
              each reports every MS milliseconds (10000).
              FAULTS: lost, deaf, holding, full, silent, fail:STEP, slow:STEP:SECONDS.
          plinth-agent --inventory [--json]
              What this host is.
          plinth-agent --version | --help

        DIR is /var/lib/plinth-agent unless given; it holds the host's key and memory. Guests live on when the agent ends.
        """;

    /// <summary>0: stopped by a signal, or done; 1: it did not work; 2: the command line is wrong.</summary>
    public static async Task<int> Run(string[] words)
    {
        using var stopping = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var log = new AgentLog(Console.Error, TimeProvider.System);
        try
        {
            switch (words)
            {
                case ["--version"]:
                    Console.WriteLine(AgentVersion.Text);
                    return 0;
                case [] or ["--help" or "-h" or "help", ..] or [_, "--help" or "-h"]:
                    Console.WriteLine(Help);
                    return words.Length == 0 ? 2 : 0;
                case ["join", .. var rest]:
                    await Join(rest, log, stopping.Token);
                    return 0;
                case ["run", .. var rest]:
                    await Run(rest, log, stopping.Token);
                    return 0;
                case ["simulate", .. var rest]:
                    await Simulate(rest, log, stopping.Token);
                    return 0;
                case ["--inventory", .. var rest]:
                    await Inventory(rest, stopping.Token);
                    return 0;
                default:
                    throw new UsageException($"'{words[0]}' is no command; join, run, simulate, --inventory, --version or --help is expected.");
            }
        }
        catch (UsageException e)
        {
            Console.Error.WriteLine("plinth-agent: " + e.Message);
            return 2;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception e) when (e is EnrolmentException or HypervisorException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine("plinth-agent: " + e.Message);
            return 1;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    private static async Task Join(IEnumerable<string> words, AgentLog log, CancellationToken stop)
    {
        var line = new CommandLine(words, ["--console", "--token", "--ca-fingerprint", "--join-file", "--data", "--name", "--machine-id"], ["--again", "--service"]);
        if (line.Has("--service") && line.Value("--data") is not null) throw new UsageException($"--service goes without --data: the service runs what is in {DefaultData}.");
        var directory = Prepare(line.Value("--data") ?? DefaultData);
        var identity = AgentIdentity.Load(directory);
        // Before the token is used up.
        if (Prerequisites.Missing() is { } missing) throw new UsageException(missing);
        if (identity is not null && !line.Has("--again") && !identity.IsExpired(TimeProvider.System.GetUtcNow()))
        {
            Verify(identity, line, directory);
            log.Info($"joined before as host {identity.Host}");
        }
        else
        {
            var ticket = line.Ticket() ?? throw new UsageException("--console, --token and --ca-fingerprint, or --join-file, are needed.");
            var hostname = line.Value("--name") ?? Environment.MachineName;
            identity = await Enrolment.Join(ticket, hostname, line.Value("--machine-id") ?? MachineIdentity.Of(directory, hostname), simulated: false, stop);
            identity.Save(directory);
            log.Info($"joined {ticket.Console.GetLeftPart(UriPartial.Authority)} as host {identity.Host}");
        }
        if (line.Has("--service")) await AgentService.Start(log, stop);
        else await Serve(directory, identity, null, onTrial: false, log, stop);
    }

    private static async Task Run(IEnumerable<string> words, AgentLog log, CancellationToken stop)
    {
        var line = new CommandLine(words, ["--data", AgentArguments.HandedOverBy], [AgentArguments.Trial]);
        var directory = Prepare(line.Value("--data") ?? DefaultData);
        var identity = AgentIdentity.Load(directory) ?? throw new UsageException($"Nothing in {directory} has joined a console; take the join command from its Agents page.");
        await Serve(directory, identity, line.Value(AgentArguments.HandedOverBy), line.Has(AgentArguments.Trial), log, stop);
    }

    /// <param name="installed">Digest of the executable that handed over to this one; null where this one was started from outside.</param>
    private static async Task Serve(string directory, AgentIdentity identity, string? installed, bool onTrial, AgentLog log, CancellationToken stop)
    {
        if (onTrial) Native.EndWithParent();
        var executable = OwnExecutable() is { } path ? ExecutableKeeper.Open(directory, path, "/proc/self/exe", AgentVersion.Text, installed, onTrial, log) : null;
        if (executable?.Successor is { } chosen) Native.Become(chosen, AgentArguments.HandOver(directory, executable.Installed));
        bool replacing;
        await using (var hypervisor = HostHypervisor.Open())
            replacing = await new AgentHost(directory, identity, hypervisor, MachineIdentity.Boot(), simulated: false, TimeProvider.System, Freshness.ReportInterval, log, executable).Run(stop);
        // After a trial, the one that watches becomes this one.
        if (!replacing || onTrial) return;
        await new TrialRun(executable!, directory, TrialRun.Patience, log).Run(stop);
        var (next, arguments) = executable!.Next(directory);
        Native.Become(next, arguments);
    }

    /// <summary>Null where it does not run without files beside it, as one that was only built does: then it cannot be replaced by one file.</summary>
    private static string? OwnExecutable() =>
        Environment.ProcessPath is { } path && File.Exists(path) && !File.Exists(Path.Combine(AppContext.BaseDirectory, "plinth-agent.dll")) ? path : null;

    private static async Task Simulate(IEnumerable<string> words, AgentLog log, CancellationToken stop)
    {
        var line = new CommandLine(words, ["--hosts", "--join-file", "--data", "--faults", "--speed", "--report-ms"], []);
        var fleet = new Fleet.SimulatedFleet(Prepare(line.Required("--data")), line.Number("--hosts", 1, Fleet.SimulatedFleet.MaxHosts), line.Value("--join-file"), line.Value("--faults"),
            line.Value("--speed") is null ? 1 : line.Number("--speed", 1, Fleet.SimulatedFleet.MaxSpeed),
            line.Value("--report-ms") is null ? Freshness.ReportInterval : TimeSpan.FromMilliseconds(line.Number("--report-ms", Fleet.SimulatedFleet.MinReportMs, Fleet.SimulatedFleet.MaxReportMs)), log);
        await fleet.Run(stop);
    }

    private static async Task Inventory(IEnumerable<string> words, CancellationToken stop)
    {
        var line = new CommandLine(words, [], ["--json"]);
        await using var hypervisor = HostHypervisor.Open();
        var facts = await hypervisor.Facts(stop);
        if (line.Has("--json"))
        {
            Console.WriteLine(JsonSerializer.Serialize(facts, ProtocolJson.Default.HostFacts));
            return;
        }
        Console.WriteLine($"""
            host          {facts.Hostname} ({facts.OperatingSystem}, kernel {facts.Kernel})
            processors    {facts.Capacity.Vcpus} × {facts.CpuModel}, {facts.Architecture}
            memory        {facts.Capacity.MemoryMib} MiB
            disk          {facts.Capacity.DiskGib} GiB in pool 'default'
            acceleration  {facts.Acceleration.ToString().ToLowerInvariant()}: {facts.AccelerationReason}
            hypervisor    {facts.HypervisorVersion}, {facts.EmulatorVersion}
            """);
    }

    /// <summary>An old identity and a join command of another console do not go together; silently running for the old one would surprise.</summary>
    private static void Verify(AgentIdentity identity, CommandLine line, string directory)
    {
        if (line.Ticket() is not { } ticket) return;
        using var authority = identity.OpenAuthority();
        if (PinnedAuthority.FingerprintOf(authority) != ticket.Fingerprint)
            throw new UsageException($"{directory} has joined another console (its authority is {PinnedAuthority.FingerprintOf(authority)}). Give another --data, or --again to leave that console.");
    }

    private static string Prepare(string directory)
    {
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return Path.GetFullPath(directory);
    }
}
