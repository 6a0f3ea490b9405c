using Plinth.Agents.Consoles;
using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Agents.Reconcile;
using Plinth.Agents.Session;
using Plinth.Agents.Telemetry;
using Plinth.Agents.Upgrade;
using Plinth.Core.Protocol;

namespace Plinth.Agents;

/// <summary>One host's agent, put together: ledger, reconciler, session, telemetry. A fleet is many of these in one process.</summary>
/// <param name="directory">What this host keeps over restarts.</param>
/// <param name="boot">The host's boot id.</param>
/// <param name="reportEvery">A full report, and samples, come that often; what changes is told at once.</param>
/// <param name="executable">What this agent may become by a command; null where it cannot be replaced.</param>
internal sealed class AgentHost(
    string directory, AgentIdentity identity, IHypervisor hypervisor, Guid boot, bool simulated, TimeProvider time, TimeSpan reportEvery, AgentLog log, ExecutableKeeper? executable = null)
{
    /// <summary>Runs until stopped, or until its part in a replacement of the executable is done. Guests live on.</summary>
    /// <returns>True where the executable is being replaced.</returns>
    public async Task<bool> Run(CancellationToken stop)
    {
        // By host: another console's numbers mean nothing to this one's.
        using var ledger = AgentLedger.Open(Path.Combine(directory, identity.Host.ToString()), durable: !simulated);
        var keeper = new IdentityKeeper(directory, identity, time, log);
        var downloads = new ConsoleDownloads(keeper);
        var reconciler = new HostReconciler(hypervisor, ledger, downloads, boot, time, log);
        var vitals = new HostVitals(hypervisor, time, log);
        var commands = new CommandRunner(hypervisor, new ConsoleBridges(hypervisor, keeper, log), log, executable, downloads);
        var session = new SessionDriver(new HubConnector(keeper), ledger, reconciler, vitals, commands, boot, simulated, time, reportEvery, log, executable);
        keeper.Renewed += session.Reconnect;
        var replacing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Succeeded += act => { if (act is UpgradeAgent or RevertAgent) replacing.TrySetResult(); };
        if (executable is { OnTrial: true })
            session.ToldInFull += () =>
            {
                executable.Confirm();
                replacing.TrySetResult();
            };
        var telemetry = new TelemetrySampler(hypervisor, session.Offer, time, reportEvery, log);
        using var together = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] loops = [reconciler.Run(together.Token), vitals.Run(together.Token), session.Run(together.Token), telemetry.Run(together.Token), keeper.Run(together.Token)];
        // A loop that fails takes the agent down, visibly: half an agent would be reported as a healthy one.
        await Task.WhenAny(Task.WhenAll(loops), Fault(loops), replacing.Task);
        await together.CancelAsync();
        await Task.WhenAll(loops);
        return replacing.Task.IsCompleted && !stop.IsCancellationRequested;
    }

    private static async Task Fault(IReadOnlyCollection<Task> loops)
    {
        var left = loops.ToList();
        while (left.Count > 0)
        {
            var ended = await Task.WhenAny(left);
            if (ended.IsFaulted) return;
            left.Remove(ended);
        }
    }
}
