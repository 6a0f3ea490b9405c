using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Plinth.Web.Options;

/// <summary>Turns configuration into <see cref="ConsoleOptions"/>, one feature after the other, and judges all of it before anything starts.</summary>
public static class ConsoleSettings
{
    /// <summary>Client secrets shorter than this can be guessed.</summary>
    public const int MinSecretLength = 16;

    /// <exception cref="SettingsException">Something is wrong; every problem is named with its key.</exception>
    public static ConsoleOptions Read(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration);
        var options = new ConsoleOptions(
            Path.GetFullPath(settings.Required("Plinth:Data", ".data") is { Length: > 0 } data ? data : ".data"),
            Portal(settings),
            Agents(settings),
            Database(settings),
            new TelemetryOptions(settings.Url("Plinth:Telemetry:OtlpEndpoint") ?? settings.Url(TelemetryOptions.StandardEndpointKey), settings.Flag("Plinth:Telemetry:JsonLogs")),
            DeletionOptions.Read(settings),
            BootstrapClient(settings),
            Clients(settings));
        return settings.Problems.Count == 0 ? options : throw new SettingsException(settings.Problems);
    }

    private static PortalOptions Portal(SettingsReader settings)
    {
        const string key = "Plinth:Portal:Url";
        var url = settings.Url(key) ?? new Uri("http://localhost:8400");
        var certificate = settings.ExistingFile("Plinth:Portal:Certificate");
        var certificateKey = settings.ExistingFile("Plinth:Portal:CertificateKey");
        if (url.AbsolutePath != "/" || url.Query.Length > 0) settings.Problem(key, url.OriginalString, "has a path; give scheme, host and port only");
        if (url.Scheme == "http" && !IsLoopback(url))
            settings.Problem(key, url.OriginalString, "would serve plain http beyond this machine; use https with Plinth:Portal:Certificate and Plinth:Portal:CertificateKey (PEM files), or http://localhost:PORT");
        if (url.Scheme == "https" && certificate is null) settings.Problem("Plinth:Portal:Certificate", null, "is empty, but Plinth:Portal:Url is https; name the PEM file of the certificate");
        if (url.Scheme == "https" && certificateKey is null) settings.Problem("Plinth:Portal:CertificateKey", null, "is empty, but Plinth:Portal:Url is https; name the PEM file of the private key");
        if (File.Exists(certificate) && File.Exists(certificateKey)) CheckCertificate(settings, certificate, certificateKey);
        var hosts = settings.Text("Plinth:Portal:AllowedHosts")?.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries) ?? [];
        return new PortalOptions(url, certificate, certificateKey, hosts);
    }

    private static void CheckCertificate(SettingsReader settings, string certificate, string key)
    {
        try
        {
            X509Certificate2.CreateFromPemFile(certificate, key).Dispose();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            settings.Problem("Plinth:Portal:Certificate", certificate, $"cannot be used with Plinth:Portal:CertificateKey = \"{key}\": {e.Message} Both are PEM files, the certificate of the name first, and the key is its own, without a password");
        }
    }

    private static AgentListenerOptions Agents(SettingsReader settings)
    {
        var hub = Listen(settings, "Plinth:Agents:Listen", new ListenAddress("127.0.0.1", 8443));
        var enrolment = Listen(settings, "Plinth:Agents:EnrolmentListen", new ListenAddress("127.0.0.1", 8444));
        if (hub.Port != 0 && hub.Port == enrolment.Port)
            settings.Problem("Plinth:Agents:EnrolmentListen", enrolment.ToString(), "has the port of Plinth:Agents:Listen; enrolment needs one of its own");
        var hours = settings.Decimal("Plinth:Agents:CertificateLifetimeHours", 24, 0.005, 24 * 90);
        var simulated = settings.Number("Plinth:Agents:SimulatedHosts", 0, 0, 5000);
        var file = settings.Text("Plinth:Agents:SimulatedJoinFile");
        if (simulated > 0 && file is null) settings.Problem("Plinth:Agents:SimulatedJoinFile", null, $"is empty, but {simulated} simulated hosts need a file to find their join tokens in");
        return new AgentListenerOptions(hub, enrolment, TimeSpan.FromHours(hours), settings.Text("Plinth:Agents:LocalJoinFile"), file, simulated, settings.ExistingFile("Plinth:Agents:Executable"));
    }

    private static ListenAddress Listen(SettingsReader settings, string key, ListenAddress @default)
    {
        if (settings.Text(key) is not { } text) return @default;
        if (ListenAddress.TryParse(text, out var address)) return address;
        settings.Problem(key, text, "is not ADDR:PORT, for example 127.0.0.1:8443, [::1]:8443 or console.example.org:8443");
        return @default;
    }

    private static BootstrapClientOptions? BootstrapClient(SettingsReader settings)
    {
        const string idKey = "PLINTH_BOOTSTRAP_CLIENT_ID", secretKey = "PLINTH_BOOTSTRAP_CLIENT_SECRET";
        var id = settings.Text(idKey);
        var secret = settings.Text(secretKey);
        if (id is null && secret is null) return null;
        if (id is null) settings.Problem(idKey, null, $"is empty, but {secretKey} is set; set both or none");
        else if (!IsClientId(id)) settings.Problem(idKey, id, "has characters other than letters, digits, '-', '_' and '.', or more than 100 of them");
        if (secret is null) settings.Problem(secretKey, null, $"is empty, but {idKey} is set; set both or none");
        else if (secret.Length < MinSecretLength) settings.Problem(secretKey, null, $"has {secret.Length} characters; at least {MinSecretLength} are needed, for example from: openssl rand -hex 32");
        return id is null || secret is null ? null : new BootstrapClientOptions(id, secret);
    }

    private static bool IsClientId(string id) => id.Length <= 100 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static List<OutsideClientOptions> Clients(SettingsReader settings)
    {
        var clients = new List<OutsideClientOptions>();
        foreach (var id in settings.Names("Plinth:Clients"))
        {
            var key = $"Plinth:Clients:{id}";
            if (!IsClientId(id)) settings.Problem(key, null, "has characters other than letters, digits, '-', '_' and '.' in the client's id, or more than 100 of them");
            if (id == settings.Text("PLINTH_BOOTSTRAP_CLIENT_ID")) settings.Problem(key, null, "is also PLINTH_BOOTSTRAP_CLIENT_ID; an outside program needs an id of its own");
            var addresses = (settings.Text(key) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (addresses.Length == 0) settings.Problem(key, null, "names no address; give one or more, for example https://dashboard.example.org/callback");
            var redirects = new List<Uri>();
            foreach (var address in addresses)
            {
                if (Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Fragment.Length == 0 && (uri.Scheme == "https" || (uri.Scheme == "http" && IsLoopback(uri)))) redirects.Add(uri);
                else settings.Problem(key, address, "is no address that a code may be handed to; use https, or http on loopback, without a fragment");
            }
            clients.Add(new OutsideClientOptions(id, redirects));
        }
        return clients;
    }

    private static DatabaseOptions Database(SettingsReader settings)
    {
        const string key = "Plinth:Database:Engine";
        var engine = settings.Text(key)?.ToLowerInvariant() ?? "sqlite";
        var connectionString = settings.Text("Plinth:Database:ConnectionString");
        if (engine is not ("sqlite" or "postgresql")) settings.Problem(key, engine, "is neither sqlite nor postgresql");
        if (engine == "postgresql" && connectionString is null)
            settings.Problem("Plinth:Database:ConnectionString", null, "is empty, but the engine is postgresql; for example Host=db;Database=plinth;Username=plinth");
        return new DatabaseOptions(engine == "postgresql" ? connectionString : null);
    }

    public static bool IsLoopback(Uri url) =>
        url.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(url.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}
