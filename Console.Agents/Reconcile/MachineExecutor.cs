using Plinth.Agents.Ledger;
using Plinth.Agents.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Reconcile;

/// <summary>What an act left behind: facts to remember, and the domain as it is known to be now.</summary>
/// <param name="FormerFiles">Whether files of more than one generation are there; null where the act has nothing to do with them.</param>
internal sealed record MachineOutcome(MachineFacts Facts, DomainInfo? Domain, bool HasFiles, DateTimeOffset? AskedShutdownAt = null, bool? FormerFiles = null);

/// <summary>Carries out one action against the hypervisor. Decides nothing.</summary>
internal sealed class MachineExecutor(IHypervisor hypervisor, TimeProvider time)
{
    /// <exception cref="HypervisorException">The host said no; the act can be tried again.</exception>
    /// <param name="progress">Hears how far a long act is.</param>
    public async Task<MachineOutcome> Do(MachineAction action, MachineView view, DomainInfo? domain, IReadOnlyList<NetworkConfig> networks, Action<Progress> progress, CancellationToken stop)
    {
        var facts = view.Facts;
        switch (action)
        {
            case Remember remember:
                return new MachineOutcome(remember.Facts, domain, view.HasFiles);

            case MakeDisks make:
                foreach (var disk in make.Machine.Disks)
                {
                    if (disk.Source is { } source) await hypervisor.CopyDisk(facts.Vm, disk, percent => progress(new Progress($"copying the disk of {source.Name}", percent, 100)), stop);
                    else await hypervisor.EnsureDisk(facts.Vm, disk, stop);
                }
                await hypervisor.EnsureSeed(facts.Vm, make.Machine.Seed, stop);
                return new MachineOutcome(facts with { DiskReadyAt = time.GetUtcNow(), DiskFor = make.Machine.DiskGeneration }, domain, true);

            case DefineDomain define:
                await hypervisor.Define(define.Machine, networks, stop);
                return new MachineOutcome(facts.DefinedAs(define.Machine) with { DefinedAt = time.GetUtcNow() }, domain ?? new DomainInfo(facts.Vm, define.Machine.Name, DomainState.Off, OffReason.NeverStarted, "", Disk: define.Machine.DiskGeneration), view.HasFiles);

            case TakeNewDisks take:
                await hypervisor.TakeDisks(take.Machine, stop);
                return new MachineOutcome(facts, domain! with { Disk = take.Machine.DiskGeneration }, true, FormerFiles: true);

            case RemoveFormerDisks remove:
                await hypervisor.RemoveFormerDisks(facts.Vm, remove.Generation, stop);
                return new MachineOutcome(facts, domain, true, FormerFiles: false);

            case AdjustDomain adjust:
                await hypervisor.Adjust(adjust.Machine, stop);
                return new MachineOutcome(facts.DefinedAs(adjust.Machine), await Read(facts.Vm, stop) ?? domain, view.HasFiles);

            case StartDomain start:
                await hypervisor.Start(facts.Vm, stop);
                var running = await Read(facts.Vm, stop);
                var seen = facts.Seen(running?.State ?? DomainState.Absent, running?.Off ?? OffReason.None, running?.StartKey ?? "", view.Boot, time.GetUtcNow());
                return new MachineOutcome(seen with { SettledFor = Math.Max(facts.SettledFor, start.PowerGeneration) }, running, view.HasFiles);

            case AskShutdown ask:
                await hypervisor.Shutdown(facts.Vm, stop);
                var now = time.GetUtcNow();
                return new MachineOutcome(
                    facts.ShutdownAskedFor >= ask.PowerGeneration ? facts : facts with { ShutdownAskedFor = ask.PowerGeneration, ShutdownAskedAt = now },
                    domain, view.HasFiles, now);

            case SwitchDomainOff:
                await hypervisor.SwitchOff(facts.Vm, stop);
                var off = facts with { Off = OffReason.SwitchedOff };
                return new MachineOutcome(
                    off.Seen(DomainState.Off, OffReason.SwitchedOff, "", view.Boot, time.GetUtcNow()),
                    domain is null ? null : domain with { State = DomainState.Off, Off = OffReason.SwitchedOff, StartKey = "", Running = null },
                    view.HasFiles);

            case UndefineDomain:
                await hypervisor.Undefine(facts.Vm, stop);
                return new MachineOutcome(facts with { DefinedAt = null, Title = "", Defined = null }, null, view.HasFiles);

            case RemoveDisks:
                await hypervisor.RemoveDisks(facts.Vm, stop);
                return new MachineOutcome(facts with { DiskReadyAt = null }, domain, false);

            default:
                throw new ArgumentOutOfRangeException(nameof(action), action, "is nothing to do");
        }
    }

    private async Task<DomainInfo?> Read(VmId vm, CancellationToken stop) => (await hypervisor.Domains(stop)).FirstOrDefault(d => d.Vm == vm);
}
