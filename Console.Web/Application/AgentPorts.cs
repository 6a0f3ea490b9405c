using Plinth.Core.Identity;
using Plinth.Core.Machines;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Web.Application;

/// <summary>What the agent hub tells the application. Calls for one host never overlap.</summary>
public interface IAgentDirectory
{
    /// <summary>A <see cref="Welcome"/> with a new epoch, stored before it is returned, or a <see cref="Refused"/>.</summary>
    Task<ServerMessage> Hello(HostId host, Hello hello, CancellationToken stop);

    /// <summary>The newest desired state of the host.</summary>
    Task<DesiredHostState> Desired(HostId host, CancellationToken stop);

    /// <summary>Commands that are stored and not yet answered, to be (re)delivered after a welcome.</summary>
    Task<IReadOnlyList<Command>> PendingCommands(HostId host, Epoch epoch, CancellationToken stop);

    Task Report(HostId host, Report report, CancellationToken stop);
    Task Telemetry(HostId host, TelemetryBatch batch, CancellationToken stop);
    Task CommandResult(HostId host, CommandResult result, CancellationToken stop);
    Task Disconnected(HostId host, Epoch epoch, CancellationToken stop);
}

/// <summary>What the application tells agents; implemented by the hub.</summary>
public interface IAgentGateway
{
    bool IsConnected(HostId host);

    /// <summary>The host's desired state has a new generation: the hub reads the newest and sends it. Wakes are merged.</summary>
    void Wake(HostId host);

    /// <summary>Sends a stored command now if the host is connected; otherwise it goes out after the next welcome.</summary>
    Task Send(HostId host, Command command, CancellationToken stop);
}

/// <summary>Consoles: one-time tickets bound to VM, host and principal; joins the browser's socket with the agent's. Implemented beside the hub.</summary>
public interface IConsoleBroker
{
    ConsoleTicketView Issue(Principal principal, VmId vm, HostId host, ConsoleKind kind);
}

/// <summary>Host identities and their certificates, as enrolment needs them.</summary>
public interface IHostRegistry
{
    /// <summary>Uses up the token and gives the host of this machine id (made where there is none), in one transaction with its audit entry.</summary>
    Task<Result<HostId>> Enrol(string token, string hostname, string machineId, bool simulated, DateTimeOffset certificateExpiresAt, string? remoteAddress, CancellationToken stop);

    /// <summary>False for unknown and retired hosts: their certificates are not accepted.</summary>
    Task<bool> IsAdmitted(HostId host, CancellationToken stop);

    Task CertificateRenewed(HostId host, DateTimeOffset expiresAt, CancellationToken stop);
}
