using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Plinth.Core.Primitives;
using Plinth.Web.Options;

namespace Plinth.Web.Security.Certificates;

/// <summary>
/// The console's own certificate authority, ECDSA P-256. It vouches for the two agent listeners, for every agent and for servers at each other; nothing else
/// trusts it, and agents trust nothing else. Its key stays in the data directory (0600).
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    // Clocks of hosts differ: a certificate is valid a little before it is made. Never for much of its life: renewal is reckoned from its beginning.
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(10);
    private const int LivesPerSkew = 6;
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);
    // No host's certificate has such a name: hosts are named by their id alone.
    private const string ServerPrefix = "server ";
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1"), ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    /// <summary>In the data directory: the certificate and its key.</summary>
    public static IReadOnlyList<string> Files { get; } = ["ca.crt", "ca.key"];

    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(X509Certificate2 certificate)
    {
        _certificate = certificate;
        Public = X509CertificateLoader.LoadCertificate(certificate.RawData);
        Pem = certificate.ExportCertificatePem();
        Fingerprint = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
    }

    /// <summary>The certificate without its key.</summary>
    public X509Certificate2 Public { get; }
    public string Pem { get; }

    /// <summary>"sha256:" + hex of the DER certificate: what a join command pins.</summary>
    public string Fingerprint { get; }

    public static CertificateAuthority LoadOrCreate(DataDirectory data, DateTimeOffset now)
    {
        var certificatePath = data.File(Files[0]);
        var keyPath = data.File(Files[1]);
        if (File.Exists(certificatePath) && File.Exists(keyPath)) return new CertificateAuthority(X509Certificate2.CreateFromPemFile(certificatePath, keyPath));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // The name carries part of the key's hash: two consoles on one machine never have issuers of the same name.
        var keyHash = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..12];
        var request = new CertificateRequest($"CN=Plinth console CA {keyHash}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var certificate = request.CreateSelfSigned(now - ClockSkew, now + Lifetime);
        // Key first: a certificate without its key would be replaced, and every agent's trust with it.
        DataDirectory.WriteSecret(keyPath, System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        DataDirectory.WriteSecret(certificatePath, System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
        return new CertificateAuthority(certificate);
    }

    /// <summary>A server certificate, with its key, for these names and addresses.</summary>
    public X509Certificate2 IssueServer(IReadOnlyCollection<string> names, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names.First()}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var ip)) alternatives.AddIpAddress(ip);
            else alternatives.AddDnsName(name);
        }
        request.CertificateExtensions.Add(alternatives.Build());
        return WithKey(request, key, ServerAuthentication, now, lifetime);
    }

    /// <summary>A client certificate, with its key, that names a server of this console: what it shows to another one.</summary>
    public X509Certificate2 IssuePeer(ServerId server, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return WithKey(new CertificateRequest($"CN={ServerPrefix}{server}", key, HashAlgorithmName.SHA256), key, ClientAuthentication, now, lifetime);
    }

    private X509Certificate2 WithKey(CertificateRequest request, ECDsa key, Oid usage, DateTimeOffset now, TimeSpan lifetime)
    {
        using var certificate = Issue(request, usage, now, lifetime);
        using var withKey = certificate.CopyWithPrivateKey(key);
        // Through PKCS#12: TLS on some platforms does not take a key that only lives in memory.
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>
    /// A client certificate for the key in <paramref name="pemRequest"/> with the host's id as common name. Everything else the
    /// request asks for is ignored: the console names the host.
    /// </summary>
    public Result<X509Certificate2> IssueAgent(HostId host, string pemRequest, DateTimeOffset now, TimeSpan lifetime)
    {
        PublicKey key;
        try
        {
            // Loading verifies the request's own signature: whoever sent it holds the key.
            key = CertificateRequest.LoadSigningRequestPem(pemRequest, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.Default).PublicKey;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FormatException)
        {
            return Refusal.Invalid("certificateRequest", "bad_request", "The certificate request is not a PKCS#10 request in PEM form with a valid signature.");
        }
        using var ecdsa = key.GetECDsaPublicKey();
        if (ecdsa is null || ecdsa.KeySize < 256) return Refusal.Invalid("certificateRequest", "weak_key", "The certificate request needs an ECDSA key of at least 256 bits.");
        return Issue(new CertificateRequest(new X500DistinguishedName($"CN={host}"), key, HashAlgorithmName.SHA256), ClientAuthentication, now, lifetime);
    }

    private X509Certificate2 Issue(CertificateRequest request, Oid usage, DateTimeOffset now, TimeSpan lifetime)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([usage], true));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var from = now - (lifetime / LivesPerSkew < ClockSkew ? lifetime / LivesPerSkew : ClockSkew);
        var authorityStart = new DateTimeOffset(_certificate.NotBefore.ToUniversalTime(), TimeSpan.Zero);
        return request.Create(_certificate, from > authorityStart ? from : authorityStart, now + lifetime, RandomNumberGenerator.GetBytes(16));
    }

    /// <summary>The host that this client certificate names: issued here, for clients, valid at <paramref name="now"/>; otherwise null.</summary>
    public HostId? HostOf(X509Certificate2 certificate, DateTimeOffset now) => Guid.TryParse(ClientName(certificate, now), out var id) ? HostId.From(id) : null;

    /// <summary>The server that this client certificate names, as <see cref="HostOf"/>; never both.</summary>
    public ServerId? ServerOf(X509Certificate2 certificate, DateTimeOffset now) =>
        ClientName(certificate, now) is { } name && name.StartsWith(ServerPrefix, StringComparison.Ordinal) && Guid.TryParse(name.AsSpan(ServerPrefix.Length), out var id) ? ServerId.From(id) : null;

    private string? ClientName(X509Certificate2 certificate, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Public);
        chain.ChainPolicy.ApplicationPolicy.Add(ClientAuthentication);
        // Certificates live for hours and retired hosts are refused by the registry: there is no revocation list to ask.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        return chain.Build(certificate) ? certificate.GetNameInfo(X509NameType.SimpleName, false) : null;
    }

    public void Dispose()
    {
        _certificate.Dispose();
        Public.Dispose();
    }
}
