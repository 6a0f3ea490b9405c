using System.Collections.Immutable;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Ledger;

/// <summary>Everything the agent remembers; a fold over the journal's entries.</summary>
internal sealed record LedgerState(
    Epoch LastEpoch,
    DesiredHostState? Desired,
    ImmutableDictionary<CommandId, CommandRecord> Commands,
    ImmutableDictionary<VmId, MachineFacts> Machines)
{
    public static LedgerState Empty { get; } = new(
        Epoch.None, null, ImmutableDictionary<CommandId, CommandRecord>.Empty, ImmutableDictionary<VmId, MachineFacts>.Empty);

    public Generation Generation => Desired?.Generation ?? Generation.None;

    public AgentMemory Memory => new(LastEpoch, Generation, Commands);

    public MachineFacts Facts(VmId vm) => Machines.GetValueOrDefault(vm) ?? new MachineFacts(vm);

    /// <summary>Applying an entry twice is applying it once.</summary>
    public LedgerState With(LedgerEntry entry) => entry switch
    {
        EpochEntry e => e.Epoch > LastEpoch ? this with { LastEpoch = e.Epoch } : this,
        DesiredEntry e => e.State.Generation > Generation ? this with { Desired = e.State } : this,
        CommandEntry e => this with { Commands = Commands.SetItem(e.Record.Id, e.Record) },
        CommandForgottenEntry e => this with { Commands = Commands.Remove(e.Id) },
        MachineEntry e => this with { Machines = Machines.SetItem(e.Facts.Vm, e.Facts) },
        MachineForgottenEntry e => this with { Machines = Machines.Remove(e.Vm) },
        _ => throw new ArgumentOutOfRangeException(nameof(entry), entry, null),
    };

    /// <summary>The fewest entries that give this state.</summary>
    public IEnumerable<LedgerEntry> Entries()
    {
        yield return new EpochEntry(LastEpoch);
        if (Desired is { } desired) yield return new DesiredEntry(desired);
        foreach (var record in Commands.Values) yield return new CommandEntry(record);
        foreach (var facts in Machines.Values) yield return new MachineEntry(facts);
    }
}
