using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Plinth.Core.Protocol;

namespace Plinth.Agents.Session;

/// <summary>What a join command says.</summary>
/// <param name="Console">"https://host:port" of the enrolment listener.</param>
/// <param name="Fingerprint">"sha256:" + 64 hex digits of the console's CA.</param>
internal sealed record JoinTicket(Uri Console, string Token, string Fingerprint);

/// <summary>Joining did not work; the message says why and what to do.</summary>
internal sealed class EnrolmentException(string message, bool retry, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>True where the console did not answer: the token is not used up.</summary>
    public bool Retry { get; } = retry;
}

/// <summary>Turns a join ticket into an identity, and an identity into its successor.</summary>
internal static class Enrolment
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private const int MaxAnswerBytes = 256 * 1024;

    public static async Task<AgentIdentity> Join(JoinTicket ticket, string hostname, string machineId, bool simulated, CancellationToken stop)
    {
        var authority = await FetchAuthority(ticket, stop);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var client = Client(ConsoleHttp.Handler(new PinnedAuthority(authority), null));
        var request = new EnrolRequest(ticket.Token, Request(key), hostname, machineId, simulated);
        using var response = await Post(client, new Uri(ticket.Console, HubNames.EnrolRoute), ConsoleHttp.Json(request, ProtocolJson.Default.EnrolRequest), stop);
        var identity = await Identity(response, key, "Joining", stop);
        using var offered = identity.OpenAuthority();
        if (PinnedAuthority.FingerprintOf(offered) != PinnedAuthority.FingerprintOf(authority)) throw new EnrolmentException("The console handed out another authority than the join command pins. Nothing was kept.", retry: false);
        return identity;
    }

    /// <summary>A new key and certificate for the same host, by the old certificate, from whichever server of the console <paramref name="hub"/> is.</summary>
    public static async Task<AgentIdentity> Renew(AgentIdentity identity, Uri hub, CancellationToken stop)
    {
        using var certificate = identity.OpenCertificate();
        using var authority = identity.OpenAuthority();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var client = Client(ConsoleHttp.Handler(new PinnedAuthority(authority), certificate));
        using var response = await Post(client, new Uri(hub, HubNames.RenewRoute), ConsoleHttp.Json(new RenewRequest(Request(key)), ProtocolJson.Default.RenewRequest), stop);
        var renewed = await Identity(response, key, "Renewing the certificate", stop);
        if (renewed.Host != identity.Host) throw new EnrolmentException($"The console answered the renewal of host {identity.Host} with a certificate for {renewed.Host}. It was thrown away.", retry: true);
        return renewed;
    }

    /// <summary>TLS does not send a root: it is fetched without trust and then has to match the fingerprint that the operator pasted.</summary>
    private static async Task<X509Certificate2> FetchAuthority(JoinTicket ticket, CancellationToken stop)
    {
        using var client = Client(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
        });
        X509Certificate2 authority;
        try
        {
            var pem = await client.GetStringAsync(new Uri(ticket.Console, HubNames.CertificateAuthorityRoute), stop);
            authority = X509Certificate2.CreateFromPem(pem);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            throw Unreachable(ticket.Console, e);
        }
        catch (CryptographicException e)
        {
            throw new EnrolmentException($"What answers at {ticket.Console} is no console of Plinth. Check --console: it is the enrolment address from the Agents page.", retry: false, e);
        }
        var fingerprint = PinnedAuthority.FingerprintOf(authority);
        if (!string.Equals(fingerprint, ticket.Fingerprint, StringComparison.OrdinalIgnoreCase))
            throw new EnrolmentException($"The console at {ticket.Console} has the authority {fingerprint}; the join command pins {ticket.Fingerprint}. Either the command is of another console, or somebody is in between. The token was not sent.", retry: false);
        return authority;
    }

    private static HttpClient Client(SocketsHttpHandler handler) => new(handler) { Timeout = Timeout, MaxResponseContentBufferSize = MaxAnswerBytes };

    private static async Task<HttpResponseMessage> Post(HttpClient client, Uri to, HttpContent content, CancellationToken stop)
    {
        try
        {
            return await client.PostAsync(to, content, stop);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            throw Unreachable(to, e);
        }
    }

    private static async Task<AgentIdentity> Identity(HttpResponseMessage response, ECDsa key, string what, CancellationToken stop)
    {
        if (!response.IsSuccessStatusCode)
            throw new EnrolmentException($"{what} was refused: {await ConsoleHttp.ReasonOf(response, stop)}", retry: response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError);
        try
        {
            var reply = await JsonSerializer.DeserializeAsync(await response.Content.ReadAsStreamAsync(stop), ProtocolJson.Default.EnrolReply, stop) ?? throw new JsonException("it is empty");
            var identity = new AgentIdentity(reply.Host, reply.HubUrl, reply.Certificate, key.ExportPkcs8PrivateKeyPem(), reply.CertificateAuthority, reply.Servers);
            // Loading checks that certificate and key belong together.
            using (identity.OpenCertificate()) return identity;
        }
        catch (Exception e) when (e is JsonException or CryptographicException or ArgumentException)
        {
            throw new EnrolmentException($"{what} was answered with something that is no certificate: {e.Message}", retry: true, e);
        }
    }

    private static EnrolmentException Unreachable(Uri at, Exception e) =>
        new($"The console at {at.GetLeftPart(UriPartial.Authority)} does not answer: {ConsoleHttp.Cause(e)}. Check the address, that the console runs, and that it listens on more than loopback (--agent-listen).", retry: true, e);

    // The subject is ignored: the console names the host.
    private static string Request(ECDsa key) => new CertificateRequest("CN=plinth-agent", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
}
