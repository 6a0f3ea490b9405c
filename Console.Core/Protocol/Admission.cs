using Plinth.Core.Inventory;
using Plinth.Core.Primitives;

namespace Plinth.Core.Protocol;

/// <summary>What the console's store holds about one host's sessions.</summary>
/// <param name="Epoch">The highest epoch ever given to this host.</param>
/// <param name="Generation">The newest generation of its desired state.</param>
public sealed record HostSessionRecord(HostState State, Epoch Epoch, Generation Generation);

/// <summary>The answer to a hello, and what has to be stored before it is sent.</summary>
/// <param name="Answer">A <see cref="Welcome"/> or a <see cref="Refused"/>.</param>
/// <param name="Record">The record as it must be stored first: an epoch that was promised and forgotten would be given out twice.</param>
/// <param name="Quarantine">The host needs a decision of an operator: move it by <see cref="HostEvent.RefusedByProtocol"/>.</param>
public sealed record AdmissionDecision(ServerMessage Answer, HostSessionRecord Record, bool Quarantine)
{
    public bool Admitted => Answer is Welcome;
}

/// <summary>The console's side of opening a session, as pure rules.</summary>
public static class Admission
{
    public const string ProtocolVersionCode = "protocol_version";
    public const string RetiredCode = "host_retired";
    public const string QuarantinedCode = "host_quarantined";
    public const string ConsoleBehindCode = "console_behind";

    /// <summary>A welcome with the next epoch, or the sentence that says why not and what to do.</summary>
    public static AdmissionDecision Decide(Hello hello, HostSessionRecord record, DateTimeOffset now)
    {
        if (hello.ProtocolVersion != HubNames.ProtocolVersion)
            return No(ProtocolVersionCode, $"The agent {hello.AgentVersion} speaks protocol {hello.ProtocolVersion}, this console speaks {HubNames.ProtocolVersion}. {(hello.ProtocolVersion < HubNames.ProtocolVersion ? "Update the agent." : "Update the console.")}");
        if (record.State == HostState.Retired)
            return No(RetiredCode, "The host is retired. Join it anew with a fresh token to use it again.");
        if (hello.LastEpoch > record.Epoch || hello.LastGeneration > record.Generation)
            return No(ConsoleBehindCode, Behind(hello, record), quarantine: true);
        if (record.State == HostState.Quarantined)
            return No(QuarantinedCode, "The host is quarantined. An operator has to adopt it on its page before it is used again.");
        var admitted = record with { Epoch = record.Epoch.Next() };
        return new AdmissionDecision(new Welcome(admitted.Epoch, now), admitted, false);

        AdmissionDecision No(string code, string message, bool quarantine = false) => new(new Refused(code, message), record, quarantine);
    }

    /// <summary>
    /// The explicit act after a restore from backup: the console takes numbers above the agent's, so that its next desired
    /// state is a newer one than anything the agent has accepted. Never lowers a number.
    /// </summary>
    /// <param name="agentEpoch">From the agent's last refused hello.</param>
    /// <param name="agentGeneration">From the agent's last refused hello.</param>
    public static HostSessionRecord Adopt(HostSessionRecord record, Epoch agentEpoch, Generation agentGeneration) => record with
    {
        Epoch = agentEpoch > record.Epoch ? agentEpoch : record.Epoch,
        Generation = agentGeneration >= record.Generation ? agentGeneration.Next() : record.Generation,
    };

    private static string Behind(Hello hello, HostSessionRecord record) =>
        $"The agent has accepted generation {hello.LastGeneration} in epoch {hello.LastEpoch}, this console knows {record.Generation} and {record.Epoch}: "
        + "it was probably restored from a backup. Nothing was changed on the host; compare its machines and adopt the host on its page.";
}

/// <summary>How an offered generation stands to the held one.</summary>
public enum GenerationVerdict { Newer, Same, Older }

/// <summary>The two numbers that guard every message, on either end.</summary>
public static class Fencing
{
    public const string StaleEpochCode = "stale_epoch";
    public const string UnknownEpochCode = "unknown_epoch";

    /// <summary>Null when the message belongs to the session in force; otherwise why it has no effect.</summary>
    public static Refusal? Check(Epoch message, Epoch session) => message.CompareTo(session) switch
    {
        0 => null,
        < 0 => Refusal.Conflict(StaleEpochCode, $"The message is of epoch {message}; the session in force is {session}. It has no effect."),
        _ => Refusal.Conflict(UnknownEpochCode, $"The message is of epoch {message}, which this end has not opened (it is at {session}). It has no effect."),
    };

    /// <summary>Only <see cref="GenerationVerdict.Newer"/> changes anything: the same is a re-delivery, an older one is refused.</summary>
    public static GenerationVerdict Judge(Generation offered, Generation held) => offered.CompareTo(held) switch
    {
        > 0 => GenerationVerdict.Newer,
        0 => GenerationVerdict.Same,
        _ => GenerationVerdict.Older,
    };

    /// <summary>The epoch that an agent's message carries; null for a hello, which opens one.</summary>
    public static Epoch? EpochOf(AgentMessage message) => message switch
    {
        Hello => null,
        Report m => m.Epoch,
        TelemetryBatch m => m.Epoch,
        CommandResult m => m.Epoch,
        _ => throw new ArgumentOutOfRangeException(nameof(message), message, null),
    };
}
