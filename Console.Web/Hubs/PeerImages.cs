using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Plinth.Core.Protocol;
using Plinth.Web.Application;
using Plinth.Web.Application.Servers;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Hubs;

/// <inheritdoc cref="IPeerImages"/>
internal sealed class PeerImages(CertificateAuthority authority, ServerIdentity self, TimeProvider clock) : IPeerImages
{
    // It is looked at when the request is made, however long the answer lasts.
    private static readonly TimeSpan CertificateLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(5);

    public async Task<T> Read<T>(string hubUrl, string digest, Func<Stream, Task<T>> take, CancellationToken stop)
    {
        using var certificate = authority.IssuePeer(self.Id, clock.GetUtcNow(), CertificateLifetime);
        var trusted = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        trusted.CustomTrustStore.Add(authority.Public);
        using var client = new HttpClient(new SocketsHttpHandler
        {
            // Servers reach each other where agents reach them, by no proxy.
            UseProxy = false, AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = ConnectWithin,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trusted, ClientCertificateContext = SslStreamCertificateContext.Create(certificate, [authority.Public], offline: true) },
        }) { Timeout = Timeout.InfiniteTimeSpan };
        using var reply = await client.GetAsync(new Uri(new Uri(hubUrl), HubNames.ImageRoute + digest), HttpCompletionOption.ResponseHeadersRead, stop);
        if (reply.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable) throw new HttpRequestException("does not have it either");
        if (reply.StatusCode != HttpStatusCode.OK) throw new HttpRequestException($"answers with {(int)reply.StatusCode}");
        await using var bytes = await reply.Content.ReadAsStreamAsync(stop);
        return await take(bytes);
    }
}
