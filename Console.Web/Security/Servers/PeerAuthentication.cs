using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Security.Agents;
using Plinth.Web.Security.Certificates;

namespace Plinth.Web.Security.Servers;

/// <summary>The server behind a client certificate: issued by this console's CA to a server that the database knows. It is no principal and has no rights but <see cref="ImagePolicy"/>.</summary>
public sealed class PeerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder,
    CertificateAuthority authority, IServerRegistry registry, TimeProvider clock)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "server";
    private const string ServerClaim = "plinth:server";

    /// <summary>For the bytes of images: agents, and the other servers.</summary>
    public static AuthorizationPolicy ImagePolicy { get; } = new AuthorizationPolicyBuilder(AgentAuthentication.SchemeName, SchemeName).RequireAuthenticatedUser()
        .RequireAssertion(c => c.User.HasClaim(PrincipalClaims.Kind, nameof(PrincipalKind.Agent)) || c.User.HasClaim(claim => claim.Type == ServerClaim)).Build();

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Context.Connection.ClientCertificate is not { } certificate) return AuthenticateResult.NoResult();
        if (authority.ServerOf(certificate, clock.GetUtcNow()) is not { } server) return AuthenticateResult.NoResult();
        if (!await registry.IsKnown(server, Context.RequestAborted)) return AuthenticateResult.Fail($"server {server} is unknown");
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ServerClaim, server.ToString())], SchemeName)), SchemeName));
    }
}
