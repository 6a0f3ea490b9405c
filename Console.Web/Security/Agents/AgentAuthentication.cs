using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Plinth.Core.Identity;
using Plinth.Core.Primitives;
using Plinth.Web.Application;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Security.Agents;

/// <summary>The host behind a client certificate: issued by this console's CA for clients, and still admitted.</summary>
public sealed class AgentAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder,
    CertificateAuthority authority, IHostRegistry registry, TimeProvider clock)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "agent";

    public static AuthorizationPolicy Policy { get; } = new AuthorizationPolicyBuilder(SchemeName).RequireAuthenticatedUser().RequireClaim(PrincipalClaims.Kind, nameof(PrincipalKind.Agent)).Build();

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Connection.ClientCertificate is not { } certificate) return AuthenticateResult.NoResult();
        if (authority.HostOf(certificate, clock.GetUtcNow()) is not { } host) return AuthenticateResult.Fail("the certificate is not one of this console's agents");
        if (!await registry.IsAdmitted(host, Context.RequestAborted)) return AuthenticateResult.Fail($"host {host} is unknown or retired");
        var identity = PrincipalClaims.Identity(new Principal(PrincipalKind.Agent, host.ToString(), host.ToString()), SchemeName);
        // A session ends with the certificate that it was opened with.
        var until = new AuthenticationProperties { ExpiresUtc = certificate.NotAfter.ToUniversalTime() };
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), until, SchemeName));
    }
}

public static class AgentPrincipal
{
    /// <summary>The host of an endpoint under <see cref="AgentAuthentication.Policy"/>.</summary>
    public static HostId Host(this ClaimsPrincipal principal) => HostId.From(Guid.Parse(principal.FindFirstValue(PrincipalClaims.Id)!));
}
