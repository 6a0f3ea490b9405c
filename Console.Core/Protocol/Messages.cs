using System.Text.Json.Serialization;
using Plinth.Core.Inventory;
using Plinth.Core.Machines;
using Plinth.Core.Network;
using Plinth.Core.Primitives;
using Plinth.Core.Storage;

namespace Plinth.Core.Protocol;

/// <summary>
/// The one frame that crosses the hub, in both directions: a piece of one message. Frames of a message are sent in order and
/// never interleaved; the receiver joins them (<see cref="FrameAssembler"/>). Base64 of UTF-8 JSON of an
/// <see cref="AgentMessage"/> or a <see cref="ServerMessage"/>.
/// </summary>
public sealed record Frame(long Message, int Index, int Count, byte[] Data);

/// <summary>Names of the hub's route and methods.</summary>
public static class HubNames
{
    public const string Route = "/agent/hub";
    /// <summary>agent → server and server → agent alike: one <see cref="Frame"/>.</summary>
    public const string Frame = "Frame";
    /// <summary>GET, mutual TLS, supports Range: the bytes of an image by digest ("sha256:…").</summary>
    public const string ImageRoute = "/agent/images/";
    /// <summary>WebSocket, mutual TLS: the agent's end of one console, by the id in <see cref="OpenConsole"/>.</summary>
    public const string ConsoleRoute = "/agent/consoles/";
    /// <summary>POST, no client certificate: <see cref="EnrolRequest"/> → <see cref="EnrolReply"/> (enrolment listener).</summary>
    public const string EnrolRoute = "/enrol";
    /// <summary>GET, enrolment listener: the console's CA as PEM. TLS never sends a root, so a joining agent fetches it here without
    /// trusting anything, compares SHA-256 of its DER form with the fingerprint of the join command, and trusts only it from then on.</summary>
    public const string CertificateAuthorityRoute = "/enrol/ca";
    /// <summary>GET, no client certificate (enrolment listener): the agent's executable, where the console has it.</summary>
    public const string AgentRoute = "/enrol/agent";
    /// <summary>GET, mutual TLS, supports Range: the bytes of an agent's executable by digest ("sha256:…").</summary>
    public const string ExecutableRoute = "/agent/executable/";
    /// <summary>POST, mutual TLS: <see cref="RenewRequest"/> → <see cref="EnrolReply"/>.</summary>
    public const string RenewRoute = "/agent/renew";
    public const int ProtocolVersion = 1;
}

[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Hello), "hello")]
[JsonDerivedType(typeof(Report), "report")]
[JsonDerivedType(typeof(TelemetryBatch), "telemetry")]
[JsonDerivedType(typeof(CommandResult), "commandResult")]
public abstract record AgentMessage;

[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Welcome), "welcome")]
[JsonDerivedType(typeof(Refused), "refused")]
[JsonDerivedType(typeof(Desired), "desired")]
[JsonDerivedType(typeof(Command), "command")]
[JsonDerivedType(typeof(CommandAck), "commandAck")]
public abstract record ServerMessage;

/// <summary>First message of an agent on every connection.</summary>
/// <param name="LastEpoch">The highest epoch the agent has ever been welcomed with.</param>
/// <param name="LastGeneration">The newest generation the agent has accepted; a console whose own is lower was restored from a backup.</param>
/// <param name="Executable">Null from an agent that cannot be replaced by a command: an older or a simulated one.</param>
public sealed record Hello(int ProtocolVersion, string AgentVersion, Guid BootId, Epoch LastEpoch, Generation LastGeneration, bool Simulated, AgentExecutable? Executable = null) : AgentMessage;

/// <summary>What an agent says of its own executable.</summary>
/// <param name="Previous">The version that it keeps and can go back to; null where there is none.</param>
/// <param name="OnTrial">It is new and not confirmed yet: the former one watches it, and goes on where it fails.</param>
/// <param name="Setback">The last replacement, where it was put back.</param>
public sealed record AgentExecutable(string? Previous, bool OnTrial, AgentSetback? Setback);

/// <summary>A version that was tried and put back.</summary>
/// <param name="Attempt">The command that asked for it.</param>
/// <param name="Reason">A sentence.</param>
public sealed record AgentSetback(CommandId Attempt, string Version, string Reason);

public sealed record Report(Epoch Epoch, ObservedHostState State) : AgentMessage;

/// <param name="Sequence">Grows by one per batch of a session; a repeated one is ignored.</param>
/// <param name="Dropped">Batches thrown away by back-pressure since the last: detail is lost, the count is not.</param>
public sealed record TelemetryBatch(Epoch Epoch, long Sequence, int Dropped, HostSample Host, IReadOnlyList<VmSample> Machines) : AgentMessage;

public sealed record CommandResult(Epoch Epoch, CommandId Command, bool Succeeded, string Message) : AgentMessage;

/// <summary>Answer to <see cref="Hello"/>: the session's epoch. The desired state follows as its own message.</summary>
public sealed record Welcome(Epoch Epoch, DateTimeOffset ServerTime) : ServerMessage;

/// <summary>The session cannot be: the agent waits, shows the reason, and tries again later.</summary>
/// <param name="Servers">Addresses ("https://host:port") of the agent hubs of all servers of this console; null from a server that does not know them.</param>
/// <param name="Elsewhere">The one of them that gives sessions now, with <see cref="NotLeaderCode"/>; null while there is none.</param>
public sealed record Refused(string Code, string Message, IReadOnlyList<string>? Servers = null, string? Elsewhere = null) : ServerMessage
{
    /// <summary>Another server of this console gives sessions: try the next address at once.</summary>
    public const string NotLeaderCode = "not_leader";
}

/// <param name="Servers">As in <see cref="Refused"/>: where the agent finds the console when this server is gone.</param>
public sealed record Desired(Epoch Epoch, DesiredHostState State, IReadOnlyList<string>? Servers = null) : ServerMessage;

/// <summary>A one-shot act. Not begun after <paramref name="Deadline"/> (agent's clock corrected by <see cref="Welcome"/>).</summary>
public sealed record Command(Epoch Epoch, CommandId Id, DateTimeOffset Deadline, CommandBody Body) : ServerMessage;

/// <summary>The console has stored the result; the agent may forget it.</summary>
public sealed record CommandAck(Epoch Epoch, CommandId Id) : ServerMessage;

[JsonPolymorphic(TypeDiscriminatorPropertyName = "act")]
[JsonDerivedType(typeof(RebootMachine), "reboot")]
[JsonDerivedType(typeof(OpenConsole), "openConsole")]
[JsonDerivedType(typeof(PauseMachine), "pause")]
[JsonDerivedType(typeof(ResumeMachine), "resume")]
[JsonDerivedType(typeof(SnapshotMachine), "snapshot")]
[JsonDerivedType(typeof(RevertMachine), "revert")]
[JsonDerivedType(typeof(RemoveSnapshot), "removeSnapshot")]
[JsonDerivedType(typeof(UpgradeAgent), "upgradeAgent")]
[JsonDerivedType(typeof(RevertAgent), "revertAgent")]
public abstract record CommandBody;

/// <summary>Guest reboot by ACPI or guest agent; with <paramref name="Force"/>, a reset.</summary>
public sealed record RebootMachine(VmId Vm, bool Force) : CommandBody;

/// <summary>The processors stand still; memory and devices are kept.</summary>
public sealed record PauseMachine(VmId Vm) : CommandBody;

/// <summary>A paused machine goes on, whoever or whatever paused it.</summary>
public sealed record ResumeMachine(VmId Vm) : CommandBody;

/// <summary>The VM's own disk as it is now. The result's message is empty, or says what became of the file systems of a guest that runs.</summary>
/// <param name="WithMemory">Its memory too; where it is off, the act is refused.</param>
public sealed record SnapshotMachine(VmId Vm, SnapshotId Snapshot, bool WithMemory) : CommandBody;

/// <summary>The VM, which is off, becomes what it was; with memory, it goes on from there.</summary>
public sealed record RevertMachine(VmId Vm, SnapshotId Snapshot) : CommandBody;

public sealed record RemoveSnapshot(VmId Vm, SnapshotId Snapshot) : CommandBody;

/// <summary>
/// Fetch the executable of this version, verify it, and start it on trial. The result says that it is here and about to be started; whether it
/// stayed is told by the next hello that is not on trial. Only for agents that speak of their <see cref="AgentExecutable"/>: others know no such act.
/// </summary>
/// <param name="Digest">"sha256:" + 64 hex digits.</param>
public sealed record UpgradeAgent(string Version, string Digest, long SizeBytes) : CommandBody;

/// <summary>The same with the previous version, which the host has kept.</summary>
public sealed record RevertAgent(string Version) : CommandBody;

/// <summary>Dial <see cref="HubNames.ConsoleRoute"/> + <paramref name="ConsoleId"/> and join it to that console of the VM.</summary>
public sealed record OpenConsole(VmId Vm, string ConsoleId, ConsoleKind Kind = ConsoleKind.Serial) : CommandBody;

/// <summary>Counters and gauges of a host. CPU is host-wide busy time in percent of all CPUs.</summary>
public sealed record HostSample(DateTimeOffset At, double CpuPercent, long MemoryUsedMib, long MemoryTotalMib, long DiskUsedMib, long DiskTotalMib, double Load1, double CpuPressurePercent);

/// <summary>Rates of a VM since its last sample; within one start key only.</summary>
public sealed record VmSample(
    VmId Vm, double CpuPercent, double StealPercent, long MemoryUsedMib,
    double DiskReadBytesPerSecond, double DiskWriteBytesPerSecond,
    double NetReceiveBytesPerSecond, double NetTransmitBytesPerSecond);

/// <param name="Token">The one-time token of the join command.</param>
/// <param name="CertificateRequest">PKCS#10, PEM. The subject is ignored: the console names the host.</param>
/// <param name="MachineId">Stable per machine: joining again with a new token gives the same host back.</param>
public sealed record EnrolRequest(string Token, string CertificateRequest, string Hostname, string MachineId, bool Simulated);

public sealed record RenewRequest(string CertificateRequest);

/// <param name="Certificate">PEM, short-lived, with the host id as common name.</param>
/// <param name="CertificateAuthority">PEM of the console's CA.</param>
/// <param name="HubUrl">Where the agent hub listens ("https://host:port").</param>
/// <param name="Servers">The agent hubs of all servers of this console; null from a server that does not know them.</param>
public sealed record EnrolReply(HostId Host, string Certificate, string CertificateAuthority, string HubUrl, IReadOnlyList<string>? Servers = null);

/// <summary>Source-generated JSON of everything that crosses between console and agent.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentMessage))]
[JsonSerializable(typeof(ServerMessage))]
[JsonSerializable(typeof(Frame))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolReply))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(HostFacts))]
[JsonSerializable(typeof(DesiredHostState))]
[JsonSerializable(typeof(ObservedHostState))]
public sealed partial class ProtocolJson : JsonSerializerContext;
