using System.Text.Json.Serialization;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Ledger;

/// <summary>One thing worth remembering; the later entry wins.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "t")]
[JsonDerivedType(typeof(EpochEntry), "epoch")]
[JsonDerivedType(typeof(DesiredEntry), "desired")]
[JsonDerivedType(typeof(CommandEntry), "command")]
[JsonDerivedType(typeof(CommandForgottenEntry), "commandForgotten")]
[JsonDerivedType(typeof(MachineEntry), "machine")]
[JsonDerivedType(typeof(MachineForgottenEntry), "machineForgotten")]
internal abstract record LedgerEntry
{
    /// <summary>
    /// True where a power cut must not undo it. Facts of machines need not survive one: every domain is off after it, and the
    /// host's boot id, which is another one then, says so.
    /// </summary>
    [JsonIgnore]
    public virtual bool Durable => true;
}

internal sealed record EpochEntry(Epoch Epoch) : LedgerEntry;

internal sealed record DesiredEntry(DesiredHostState State) : LedgerEntry;

internal sealed record CommandEntry(CommandRecord Record) : LedgerEntry;

internal sealed record CommandForgottenEntry(CommandId Id) : LedgerEntry;

internal sealed record MachineEntry(MachineFacts Facts) : LedgerEntry
{
    public override bool Durable => false;
}

internal sealed record MachineForgottenEntry(VmId Vm) : LedgerEntry
{
    public override bool Durable => false;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(LedgerEntry))]
internal sealed partial class LedgerJson : JsonSerializerContext;
