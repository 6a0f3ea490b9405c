namespace Plinth.Web.Options;

/// <summary>Everything that is set from outside, read and judged once at start.</summary>
/// <param name="Data">Absolute path of the data directory.</param>
public sealed record ConsoleOptions(
    string Data,
    PortalOptions Portal,
    AgentListenerOptions Agents,
    TelemetryOptions Telemetry,
    BootstrapClientOptions? BootstrapClient,
    IReadOnlyList<OutsideClientOptions> Clients);

/// <summary>Where people and API clients connect.</summary>
/// <param name="Url">Plain http on loopback only; anything else is https with a certificate.</param>
/// <param name="CertificatePath">PEM of the certificate chain, for https.</param>
/// <param name="CertificateKeyPath">PEM of its private key.</param>
/// <param name="AllowedHosts">Further host names that a reverse proxy uses. Requests for other names are refused (DNS rebinding).</param>
public sealed record PortalOptions(Uri Url, string? CertificatePath, string? CertificateKeyPath, IReadOnlyList<string> AllowedHosts)
{
    /// <summary>The one name that people and tokens use. Plain http on this machine goes by localhost, because passkeys and cookies need one name; https by the name in its certificate.</summary>
    public string Host => Url is { Scheme: "http", Host: "127.0.0.1" or "[::1]" } ? "localhost" : Url.Host;
}

/// <summary>Where agents connect: the hub with mutual TLS, and enrolment without a client certificate.</summary>
/// <param name="LocalJoinFile">Where to leave a fresh one-time join ticket for this machine's own agent at each start.</param>
/// <param name="SimulatedJoinFile">The same for the simulated fleet: <paramref name="SimulatedHosts"/> tokens.</param>
/// <param name="Executable">The agent's executable, handed out to machines that join; null where they bring their own.</param>
public sealed record AgentListenerOptions(
    ListenAddress Hub,
    ListenAddress Enrolment,
    TimeSpan CertificateLifetime,
    string? LocalJoinFile,
    string? SimulatedJoinFile,
    int SimulatedHosts,
    string? Executable);

/// <param name="OtlpEndpoint">Where traces and metrics are sent; null for nowhere. How they are sent is for OpenTelemetry's own variables to say.</param>
/// <param name="JsonLogs">One JSON object per log line instead of text.</param>
public sealed record TelemetryOptions(Uri? OtlpEndpoint, bool JsonLogs)
{
    /// <summary>OpenTelemetry's own name for it.</summary>
    public const string StandardEndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";
}

/// <summary>A confidential API client that is made at the first start.</summary>
public sealed record BootstrapClientOptions(string ClientId, string ClientSecret)
{
    /// <summary>Keeps the secret out of logs and exceptions.</summary>
    public override string ToString() => $"client {ClientId}";
}

/// <summary>An outside program that people lend their access to: a public client, by authorization code with proof key.</summary>
/// <param name="RedirectUris">Where codes are handed over, and nowhere else: https, or http on loopback.</param>
public sealed record OutsideClientOptions(string ClientId, IReadOnlyList<Uri> RedirectUris);
