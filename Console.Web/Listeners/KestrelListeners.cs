using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Plinth.Web.Options;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Listeners;

/// <summary>Opens the three listeners and knows, once they are open, under which address each one is reached.</summary>
public sealed class KestrelListeners(ConsoleOptions options, CertificateAuthority authority, ListenerCertificate certificate, TimeProvider clock)
{
    // Bounds of every connection, each with the harm it prevents.
    private const int MaxConnections = 10_000;          // file handles; 200 agents and 1,000 browsers need a fifth
    private const int MaxHeaderBytes = 32 * 1024;       // memory per request before anyone is known
    private const long MaxBodyBytes = 1024 * 1024;      // JSON requests; images lift it for themselves
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(15);    // slow-header attacks
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(2);

    private ListenOptions? _portal, _hub, _enrolment;

    /// <summary>Without a trailing slash, and without a port that goes without saying.</summary>
    public string PortalUrl => new UriBuilder(options.Portal.Url.Scheme, options.Portal.Host, Port(_portal, options.Portal.Url.Port)).Uri.GetLeftPart(UriPartial.Authority);

    public string HubUrl => $"https://{options.Agents.Hub.UrlHost}:{Port(_hub, options.Agents.Hub.Port)}";

    public string EnrolmentUrl => $"https://{options.Agents.Enrolment.UrlHost}:{Port(_enrolment, options.Agents.Enrolment.Port)}";

    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = MaxConnections;
        kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
        kestrel.Limits.RequestHeadersTimeout = HeaderTimeout;
        kestrel.Limits.KeepAliveTimeout = IdleTimeout;
        Portal(kestrel);
        Open(kestrel, options.Agents.Enrolment, listen =>
        {
            _enrolment = listen;
            Mark(listen, ListenerKind.Enrolment);
            listen.UseHttps(Tls(clientCertificate: false));
        });
        Open(kestrel, options.Agents.Hub, listen =>
        {
            _hub = listen;
            Mark(listen, ListenerKind.AgentHub);
            listen.UseHttps(Tls(clientCertificate: true));
        });
    }

    private void Portal(KestrelServerOptions kestrel)
    {
        var url = options.Portal.Url;
        void Setup(ListenOptions listen)
        {
            _portal = listen;
            Mark(listen, ListenerKind.Portal);
            if (url.Scheme == "https") listen.UseHttps(https =>
            {
                https.ServerCertificate = X509Certificate2.CreateFromPemFile(options.Portal.CertificatePath!, options.Portal.CertificateKeyPath);
                // Browsers know roots: what stands between is sent along.
                https.ServerCertificateChain = [];
                https.ServerCertificateChain.ImportFromPemFile(options.Portal.CertificatePath!);
            });
        }
        if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var ip)) kestrel.Listen(ip, url.Port, Setup);
        else if (!ConsoleSettings.IsLoopback(url)) kestrel.ListenAnyIP(url.Port, Setup);
        // Both loopback addresses under one name; a free port cannot be asked for on two addresses at once.
        else if (url.Port == 0) kestrel.Listen(IPAddress.Loopback, 0, Setup);
        else kestrel.ListenLocalhost(url.Port, Setup);
    }

    private static void Open(KestrelServerOptions kestrel, ListenAddress address, Action<ListenOptions> setup)
    {
        if (address.Bind.Equals(IPAddress.IPv6Any)) kestrel.ListenAnyIP(address.Port, setup);
        else kestrel.Listen(address.Bind, address.Port, setup);
    }

    private static void Mark(ListenOptions listen, ListenerKind kind)
    {
        var feature = new ListenerFeature(kind);
        listen.Use(next => connection =>
        {
            connection.Features.Set(feature);
            return next(connection);
        });
    }

    private TlsHandshakeCallbackOptions Tls(bool clientCertificate) => new()
    {
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Current,
            ClientCertificateRequired = clientCertificate,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            // A stranger fails in the handshake; whether the host is still admitted, or the server known, is asked at each request.
            RemoteCertificateValidationCallback = (_, presented, _, _) => !clientCertificate || (presented is not null && Vouched(X509CertificateLoader.LoadCertificate(presented.GetRawCertData()))),
        }),
    };

    private bool Vouched(X509Certificate2 presented)
    {
        var now = clock.GetUtcNow();
        return authority.HostOf(presented, now) is not null || authority.ServerOf(presented, now) is not null;
    }

    private static int Port(ListenOptions? listen, int configured) => (listen?.EndPoint as IPEndPoint)?.Port is { } port and not 0 ? port : configured;
}
