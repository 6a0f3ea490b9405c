using Plinth.Agents.Consoles;
using Plinth.Agents.Machines;
using Plinth.Agents.Upgrade;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>Does the one-shot acts. That each is begun at most once is the session's part.</summary>
/// <param name="executable">What this agent may become by a command; null where it cannot be replaced.</param>
internal sealed class CommandRunner(IHypervisor hypervisor, ConsoleBridges consoles, AgentLog log, ExecutableKeeper? executable = null, IExecutableSource? executables = null)
{
    /// <summary>Whether it succeeded, and a sentence for people.</summary>
    public async Task<(bool Succeeded, string Message)> Run(Command command, CancellationToken stop)
    {
        try
        {
            switch (command.Body)
            {
                case RebootMachine reboot:
                    await hypervisor.Reboot(reboot.Vm, reboot.Force, stop);
                    return (true, reboot.Force ? "The machine was reset." : "The guest was asked to reboot.");
                case PauseMachine pause:
                    await hypervisor.Pause(pause.Vm, stop);
                    return (true, "The machine was paused.");
                case ResumeMachine resume:
                    await hypervisor.Resume(resume.Vm, stop);
                    return (true, "The machine was resumed.");
                case SnapshotMachine take:
                    return (true, await hypervisor.TakeSnapshot(take.Vm, take.Snapshot, take.WithMemory, stop));
                case RevertMachine revert:
                    await hypervisor.RevertTo(revert.Vm, revert.Snapshot, stop);
                    return (true, "The machine is as it was.");
                case RemoveSnapshot remove:
                    await hypervisor.RemoveSnapshot(remove.Vm, remove.Snapshot, stop);
                    return (true, "The snapshot is removed.");
                case OpenConsole open:
                    await consoles.Open(open.Vm, open.Kind, open.ConsoleId, stop);
                    return (true, "The console is open.");
                case UpgradeAgent upgrade when executable is not null && executables is not null:
                    await executable.Fetch(upgrade, command.Id, executables, stop);
                    return (true, $"Version {upgrade.Version} is here, verified, and about to be started.");
                case RevertAgent revert when executable is not null:
                    await executable.TakeBack(revert, command.Id, stop);
                    return (true, $"Version {revert.Version} is here, verified, and about to be started.");
                case UpgradeAgent or RevertAgent:
                    return (false, "This agent cannot replace its executable.");
                default:
                    return (false, $"This agent does not know the act {command.Body.GetType().Name}; update it.");
            }
        }
        catch (HypervisorException e)
        {
            return (false, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            log.Fault($"command {command.Id}", e);
            return (false, $"The agent failed: {e.Message}");
        }
    }
}
