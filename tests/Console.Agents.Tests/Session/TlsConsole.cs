using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Plinth.Core.Primitives;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Tests.Session;

/// <summary>A console's enrolment listener in a few lines: TLS with a CA of its own, one request per connection.</summary>
internal sealed class TlsConsole : IAsyncDisposable
{
    private static readonly Oid Server = new("1.3.6.1.5.5.7.3.1"), Client = new("1.3.6.1.5.5.7.3.2");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _listenerCertificate;
    private readonly Task _accepting;

    /// <param name="name">The name in the listener's certificate.</param>
    /// <param name="forServers">False: the certificate is one of an agent.</param>
    public TlsConsole(string name = "127.0.0.1", bool forServers = true)
    {
        var request = new CertificateRequest("CN=test CA", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-10), DateTimeOffset.UtcNow.AddDays(1));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var ip)) names.AddIpAddress(ip);
        else names.AddDnsName(name);
        var listener = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        listener.CertificateExtensions.Add(names.Build());
        using var issued = Issue(listener, forServers ? Server : Client, TimeSpan.FromHours(1));
        _listenerCertificate = X509CertificateLoader.LoadPkcs12(issued.CopyWithPrivateKey(key).Export(X509ContentType.Pkcs12), null);
        _listener.Start();
        _accepting = Accept();
    }

    public X509Certificate2 Authority { get; }
    public HostId Host { get; } = HostId.New(DateTimeOffset.UtcNow);
    public Uri Address => new($"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
    public string Fingerprint => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Authority.RawData));
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);
    public List<EnrolRequest> Enrolled { get; } = [];
    public string? RefuseWith { get; set; }

    private X509Certificate2 Issue(CertificateRequest request, Oid usage, TimeSpan lifetime)
    {
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([usage], true));
        return request.Create(Authority.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow + lifetime, RandomNumberGenerator.GetBytes(8));
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = Task.Run(() => Serve(client));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task Serve(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var tls = new SslStream(client.GetStream());
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _listenerCertificate,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = (_, _, _, _) => true,
                });
                var (line, body) = await Read(tls);
                var (status, type, answer) = Answer(line, body, tls.RemoteCertificate?.Subject);
                await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {answer.Length}\r\nConnection: close\r\n\r\n"));
                await tls.WriteAsync(answer);
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // The agent did not like the certificate.
            }
        }
    }

    private (string Status, string Type, byte[] Body) Answer(string line, byte[] body, string? client)
    {
        if (line.StartsWith("GET " + HubNames.CertificateAuthorityRoute, StringComparison.Ordinal)) return ("200 OK", "application/x-pem-file", Encoding.ASCII.GetBytes(Authority.ExportCertificatePem()));
        if (line.StartsWith("POST " + HubNames.RenewRoute, StringComparison.Ordinal))
        {
            if (client != $"CN={Host}") return ("403 Forbidden", "text/plain", []);
            return Certificate(JsonSerializer.Deserialize(body, ProtocolJson.Default.RenewRequest)!.CertificateRequest);
        }
        var enrol = JsonSerializer.Deserialize(body, ProtocolJson.Default.EnrolRequest)!;
        lock (Enrolled) Enrolled.Add(enrol);
        if (RefuseWith is { } detail) return ("403 Forbidden", "application/problem+json", JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["detail"] = detail }));
        return Certificate(enrol.CertificateRequest);
    }

    private (string Status, string Type, byte[] Body) Certificate(string request)
    {
        var key = CertificateRequest.LoadSigningRequestPem(request, HashAlgorithmName.SHA256).PublicKey;
        using var issued = Issue(new CertificateRequest(new X500DistinguishedName($"CN={Host}"), key, HashAlgorithmName.SHA256), Client, Lifetime);
        return ("200 OK", "application/json", JsonSerializer.SerializeToUtf8Bytes(new EnrolReply(Host, issued.ExportCertificatePem(), Authority.ExportCertificatePem(), Address.ToString()), ProtocolJson.Default.EnrolReply));
    }

    private static async Task<(string Line, byte[] Body)> Read(SslStream from)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await from.ReadAsync(one) == 0) throw new IOException("the request was cut");
            head.Append((char)one[0]);
        }
        var lines = head.ToString().Split("\r\n");
        if (lines.FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) is { } length)
        {
            var body = new byte[int.Parse(length.Split(':')[1])];
            await from.ReadExactlyAsync(body);
            return (lines[0], body);
        }
        if (!lines.Any(l => l.Equals("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))) return (lines[0], []);
        var joined = new MemoryStream();
        while (true)
        {
            var size = Convert.ToInt32(await Line(from), 16);
            var piece = new byte[size];
            await from.ReadExactlyAsync(piece);
            await Line(from);
            if (size == 0) return (lines[0], joined.ToArray());
            joined.Write(piece);
        }
    }

    private static async Task<string> Line(SslStream from)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal))
        {
            await from.ReadExactlyAsync(one);
            line.Append((char)one[0]);
        }
        return line.ToString().TrimEnd();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
        _listenerCertificate.Dispose();
        Authority.Dispose();
        _key.Dispose();
    }
}
