using Plinth.Agents.Cli;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Session;
using Plinth.Agents.Simulation;

namespace Plinth.Agents.Fleet;

/// <summary>
/// Many simulated hosts in one process. Each has its own identity, certificate, session, journal and reconciler, exactly as a real
/// one; only the hypervisor is simulated.
/// </summary>
internal sealed class SimulatedFleet(string directory, int hosts, string? joinFile, string? faults, int speed, TimeSpan reportEvery, AgentLog log)
{
    public const int MaxHosts = 5000, MaxSpeed = 1000, MinReportMs = 20, MaxReportMs = 60_000;

    // Joining makes keys on both ends; a herd would starve the console's other work.
    private const int JoiningAtOnce = 8;

    public async Task Run(CancellationToken stop)
    {
        // Understood once, before anything runs.
        if (faults is not null) Faults(faults);
        using var room = new SemaphoreSlim(JoiningAtOnce);
        await Task.WhenAll(Enumerable.Range(0, hosts).Select(index => Host(index, room, stop)));
    }

    private async Task Host(int index, SemaphoreSlim room, CancellationToken stop)
    {
        var profile = SimulatedProfile.Server(index + 1, SimulatedTimings.Plausible.Faster(speed));
        var own = Directory.CreateDirectory(Path.Combine(directory, profile.Hostname)).FullName;
        var machineId = MachineIdentity.Of(own, profile.Hostname);
        var hostLog = log.For(profile.Hostname);
        AgentIdentity identity;
        await room.WaitAsync(stop);
        try
        {
            identity = await Identity(index, own, profile.Hostname, machineId, hostLog, stop);
        }
        finally
        {
            room.Release();
        }
        await using var hypervisor = new SimulatedHypervisor(profile, TimeProvider.System, faults is null ? null : Faults(faults), Path.Combine(own, "host.json"));
        await new AgentHost(own, identity, hypervisor, MachineIdentity.SimulatedBoot(machineId), simulated: true, TimeProvider.System, reportEvery, hostLog).Run(stop);
    }

    private async Task<AgentIdentity> Identity(int index, string own, string hostname, string machineId, AgentLog hostLog, CancellationToken stop)
    {
        if (AgentIdentity.Load(own) is { } known && !known.IsExpired(TimeProvider.System.GetUtcNow())) return known;
        for (var failures = 0; ;)
        {
            // Read anew each time: a restarted console has written fresh tokens.
            var file = joinFile ?? throw new UsageException("--join-file is needed for hosts that have not joined yet.");
            var ticket = JoinFile.Read(file).Ticket(index) ?? throw new UsageException($"The join file {file} has no token for simulated host {index + 1}; start the console with that many.");
            try
            {
                var identity = await Enrolment.Join(ticket, hostname, machineId, simulated: true, stop);
                identity.Save(own);
                return identity;
            }
            catch (EnrolmentException e) when (e.Retry)
            {
                hostLog.Warn(e.Message);
                await Task.Delay(Backoff.Jittered(++failures), stop);
            }
        }
    }

    private static SimulatedFaults Faults(string text)
    {
        try
        {
            return SimulatedFaults.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }
}
