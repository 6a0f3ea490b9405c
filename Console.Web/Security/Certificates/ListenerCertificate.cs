using System.Net;
using System.Net.Security;
using Plinth.Web.Options;

namespace Plinth.Web.Security.Certificates;

/// <summary>The server certificate of the two agent listeners: made at start, made anew when a third of its life is left, without a restart.</summary>
public sealed class ListenerCertificate(CertificateAuthority authority, AgentListenerOptions options, TimeProvider clock)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    private readonly Lock _lock = new();
    private SslStreamCertificateContext? _current;
    private DateTimeOffset _renewAt;

    public SslStreamCertificateContext Current
    {
        get
        {
            var now = clock.GetUtcNow();
            lock (_lock)
            {
                if (_current is not null && now < _renewAt) return _current;
                // Connections that use the former one still hold it; it is left to the garbage collector.
                _current = SslStreamCertificateContext.Create(authority.IssueServer(Names(), now, Lifetime), [authority.Public], offline: true);
                _renewAt = now + Lifetime * 2 / 3;
                return _current;
            }
        }
    }

    /// <summary>What agents may have been told to connect to: the two listen addresses, this machine's name, loopback.</summary>
    private IReadOnlyCollection<string> Names()
    {
        var names = new List<string>();
        foreach (var address in new[] { options.Hub, options.Enrolment })
        {
            if (!address.IsAny) names.Add(address.Host);
            else names.AddRange(Dns.GetHostAddresses(Dns.GetHostName()).Where(a => !a.IsIPv6LinkLocal).Select(a => a.ToString()));
        }
        names.Add(Dns.GetHostName());
        names.AddRange(["localhost", "127.0.0.1", "::1"]);
        return names.Distinct(StringComparer.OrdinalIgnoreCase).ToList();
    }
}
