using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using Plinth.Agents.Ledger;
using Plinth.Core.Primitives;

namespace Plinth.Agents.Session;

/// <summary>Who this host is to its console: certificate, key and the authority it trusts. One file, so that key and certificate always belong together.</summary>
/// <param name="HubUrl">"https://host:port" of the agent hub that the host joined by.</param>
/// <param name="Key">PKCS#8, PEM; never leaves the host.</param>
/// <param name="CertificateAuthority">PEM of the only authority that is trusted.</param>
/// <param name="Servers">The agent hubs of all servers of the console, as it last said; null where it never did.</param>
internal sealed record AgentIdentity(HostId Host, string HubUrl, string Certificate, string Key, string CertificateAuthority, IReadOnlyList<string>? Servers = null)
{
    public const string FileName = "identity.json";

    /// <summary>Null where this data directory has not joined yet.</summary>
    /// <exception cref="InvalidDataException">The file is there and damaged.</exception>
    public static AgentIdentity? Load(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            var identity = JsonSerializer.Deserialize(File.ReadAllBytes(path), IdentityJson.Default.AgentIdentity) ?? throw new JsonException("it is empty");
            using (identity.OpenCertificate()) return identity;
        }
        catch (Exception e) when (e is JsonException or CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"{path} is damaged ({e.Message}); move it away and join again with a new token.", e);
        }
    }

    public void Save(string directory) =>
        DurableFile.Replace(Path.Combine(directory, FileName), JsonSerializer.SerializeToUtf8Bytes(this, IdentityJson.Default.AgentIdentity));

    /// <summary>Where the console may be found, each address once.</summary>
    public IReadOnlyList<string> Hubs => Servers is { Count: > 0 } ? [.. Servers.Distinct(StringComparer.OrdinalIgnoreCase)] : [HubUrl];

    /// <summary>The client certificate with its key.</summary>
    public X509Certificate2 OpenCertificate() => X509Certificate2.CreateFromPem(Certificate, Key);

    public X509Certificate2 OpenAuthority() => X509Certificate2.CreateFromPem(CertificateAuthority);

    public bool IsExpired(DateTimeOffset now)
    {
        using var certificate = OpenCertificate();
        return now >= certificate.NotAfter;
    }

    /// <summary>Two thirds of the certificate's life: a third is left for a console that is away.</summary>
    public DateTimeOffset RenewAt()
    {
        using var certificate = OpenCertificate();
        var (from, until) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        return from + (until - from) * 2 / 3;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(AgentIdentity))]
internal sealed partial class IdentityJson : JsonSerializerContext;
