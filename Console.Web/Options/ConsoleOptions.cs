namespace Plinth.Web.Options;

/// <summary>Everything that is set from outside, read and judged once at start.</summary>
/// <param name="Data">Absolute path of the data directory.</param>
public sealed record ConsoleOptions(
    [Setting("Plinth:Data", ".data", "The data directory: everything durable. Only its user can read it.")] string Data,
    PortalOptions Portal,
    AgentListenerOptions Agents,
    DatabaseOptions Database,
    TelemetryOptions Telemetry,
    DeletionOptions Deletion,
    BootstrapClientOptions? BootstrapClient,
    [Setting("Plinth:Clients:ID", "", "Outside program ID: the addresses that codes are handed to, separated by spaces; see [outside programs](operations.md#outside-programs).")]
    IReadOnlyList<OutsideClientOptions> Clients);

/// <summary>Where people and API clients connect.</summary>
/// <param name="Url">Plain http on loopback only; anything else is https with a certificate.</param>
/// <param name="CertificatePath">PEM of the certificate chain, for https.</param>
/// <param name="CertificateKeyPath">PEM of its private key.</param>
/// <param name="AllowedHosts">Further host names that a reverse proxy uses. Requests for other names are refused (DNS rebinding).</param>
public sealed record PortalOptions(
    [Setting("Plinth:Portal:Url", "http://localhost:8400", "Where people and API clients connect. Plain http on loopback only; any other address is `https` with a certificate.")] Uri Url,
    [Setting("Plinth:Portal:Certificate", "", "PEM file, for `https`: the certificate, followed by what stands between it and its root.")] string? CertificatePath,
    [Setting("Plinth:Portal:CertificateKey", "", "PEM file: the certificate's key, without a password.")] string? CertificateKeyPath,
    [Setting("Plinth:Portal:AllowedHosts", "", "Further host names that a reverse proxy uses, separated by commas; requests for other names are refused.")] IReadOnlyList<string> AllowedHosts)
{
    /// <summary>The one name that people and tokens use. Plain http on this machine goes by localhost, because passkeys and cookies need one name; https by the name in its certificate.</summary>
    public string Host => Url is { Scheme: "http", Host: "127.0.0.1" or "[::1]" } ? "localhost" : Url.Host;
}

/// <summary>Where agents connect: the hub with mutual TLS, and enrolment without a client certificate.</summary>
/// <param name="LocalJoinFile">Where to leave a fresh one-time join ticket for this machine's own agent at each start.</param>
/// <param name="SimulatedJoinFile">The same for the simulated fleet: <paramref name="SimulatedHosts"/> tokens.</param>
/// <param name="Executable">The agent's executable, handed out to machines that join and hosts that are upgraded; null where they bring their own.</param>
public sealed record AgentListenerOptions(
    [Setting("Plinth:Agents:Listen", "127.0.0.1:8443", "Agent hub, mutual TLS. Name an address that other hosts reach to let them join.")] ListenAddress Hub,
    [Setting("Plinth:Agents:EnrolmentListen", "127.0.0.1:8444", "Enrolment, TLS; a port of its own.")] ListenAddress Enrolment,
    [Setting("Plinth:Agents:CertificateLifetimeHours", "24", "Life of an agent's certificate, fractions allowed, at most 2160. Renewed at two thirds of it; a session ends with the certificate it was opened with.")]
    TimeSpan CertificateLifetime,
    [Setting("Plinth:Agents:LocalJoinFile", "", "Where a one-time join ticket for this machine's agent is left at each start.")] string? LocalJoinFile,
    [Setting("Plinth:Agents:SimulatedJoinFile", "", "Where the tickets of simulated hosts are left; needed with `Plinth:Agents:SimulatedHosts`.")] string? SimulatedJoinFile,
    [Setting("Plinth:Agents:SimulatedHosts", "0", "How many simulated hosts get tickets, at most 5000.")] int SimulatedHosts,
    [Setting("Plinth:Agents:Executable", "", "The agent that joining machines fetch and hosts are upgraded to; `./start` and the Debian package name theirs.")] string? Executable);

/// <param name="Postgres">Its connection string; null for SQLite in the data directory.</param>
public sealed record DatabaseOptions(
    [Setting("Plinth:Database:Engine", "sqlite", "`sqlite`: files in the data directory; or `postgresql`.")]
    [Setting("Plinth:Database:ConnectionString", "", "For PostgreSQL: `Host=db;Database=plinth;Username=plinth;Password=…`.", Secret = true)]
    string? Postgres)
{
    /// <summary>Keeps the password out of logs and exceptions.</summary>
    public override string ToString() => Postgres is null ? "sqlite" : "postgresql";
}

/// <param name="OtlpEndpoint">Where traces and metrics are sent; null for nowhere. How they are sent is for OpenTelemetry's own variables to say.</param>
/// <param name="JsonLogs">One JSON object per log line instead of text.</param>
public sealed record TelemetryOptions(
    [Setting("Plinth:Telemetry:OtlpEndpoint", "", "Where traces and metrics are sent.")]
    [Setting(TelemetryOptions.StandardEndpointKey, "", "OpenTelemetry's own name for the same; counts where the other is not set.")]
    Uri? OtlpEndpoint,
    [Setting("Plinth:Telemetry:JsonLogs", "false", "One JSON object per log line.")] bool JsonLogs)
{
    /// <summary>OpenTelemetry's own name for it.</summary>
    public const string StandardEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";
}

/// <summary>How deletions are undone.</summary>
/// <param name="Window">How long a deleted VM can be restored; zero where its disk is removed at once.</param>
public sealed record DeletionOptions(
    [Setting("Plinth:Vms:RestoreMinutes", "10", "How long a deleted VM can be restored before its disk is removed, at most 10080 (a week); `0` removes it at once. A change counts for deletions from then on.")]
    TimeSpan Window)
{
    public static DeletionOptions Read(SettingsReader settings) => new(TimeSpan.FromMinutes(settings.Number("Plinth:Vms:RestoreMinutes", 10, 0, 7 * 24 * 60)));
}

/// <summary>A confidential API client that is made at the first start.</summary>
public sealed record BootstrapClientOptions(
    [Setting("PLINTH_BOOTSTRAP_CLIENT_ID", "", "At the first start: the id of an API client with full rights that is made.")] string ClientId,
    [Setting("PLINTH_BOOTSTRAP_CLIENT_SECRET", "", "Its secret, 16 characters or more.", Secret = true)] string ClientSecret)
{
    /// <summary>Keeps the secret out of logs and exceptions.</summary>
    public override string ToString() => $"client {ClientId}";
}

/// <summary>An outside program that people lend their access to: a public client, by authorization code with proof key.</summary>
/// <param name="RedirectUris">Where codes are handed over, and nowhere else: https, or http on loopback.</param>
public sealed record OutsideClientOptions(string ClientId, IReadOnlyList<Uri> RedirectUris);
