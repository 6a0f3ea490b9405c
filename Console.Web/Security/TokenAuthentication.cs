using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Plinth.Web.Application;

namespace Plinth.Web.Security;

/// <summary>The person behind a token that they made for a program. Other bearer tokens are the OpenID provider's.</summary>
public sealed class TokenAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, ISignIn signIn) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "token";

    /// <summary>Null where the header carries none of these.</summary>
    public static string? SecretIn(string header) => header.StartsWith("Bearer " + ISignIn.TokenPrefix, StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..] : null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (SecretIn(Request.Headers.Authorization.ToString()) is not { } secret) return AuthenticateResult.NoResult();
        return await signIn.ByToken(secret, Context.RequestAborted) is { } person
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(PrincipalClaims.Identity(person, SchemeName)), SchemeName))
            : AuthenticateResult.Fail("The token is unknown, over or revoked.");
    }
}
