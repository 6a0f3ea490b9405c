using OpenIddict.Abstractions;
using OpenIddict.Server;
using Plinth.Web.Options;

namespace Plinth.Web.Security.OpenId;

/// <summary>The embedded OpenID provider: client credentials for automation, authorization code with PKCE for other programs people use.</summary>
public static class OpenIdProvider
{
    public const string TokenPath = "/connect/token", AuthorizePath = "/connect/authorize";

    /// <summary>Full use of the API; scopes only narrow, so a token without it has every right of its subject too.</summary>
    public const string ApiScope = "api";

    private static readonly TimeSpan AccessTokenLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RefreshTokenLifetime = TimeSpan.FromDays(14);

    public static OpenIddictBuilder AddOpenIdProvider(this IServiceCollection services, ConsoleOptions options, OpenIdKeys keys) => services.AddOpenIddict()
        .AddServer(server =>
        {
            // With a free port the issuer is what the request says; otherwise one name, whichever of the loopback names was used.
            if (options.Portal.Url.Port != 0)
                server.SetIssuer(new UriBuilder(options.Portal.Url.Scheme, options.Portal.Host, options.Portal.Url.Port).Uri);
            server.SetTokenEndpointUris(TokenPath).SetAuthorizationEndpointUris(AuthorizePath).SetRevocationEndpointUris("/connect/revoke").SetJsonWebKeySetEndpointUris("/.well-known/jwks");
            server.AllowClientCredentialsFlow().AllowAuthorizationCodeFlow().AllowRefreshTokenFlow().RequireProofKeyForCodeExchange();
            server.RegisterScopes(ApiScope, OpenIddictConstants.Scopes.OpenId, OpenIddictConstants.Scopes.Profile, OpenIddictConstants.Scopes.OfflineAccess);
            server.SetAccessTokenLifetime(AccessTokenLifetime).SetRefreshTokenLifetime(RefreshTokenLifetime);
            // Its keys are this console's alone, so what they sign is its own, under whichever server's address it was issued.
            server.Configure(o => o.TokenValidationParameters.IssuerValidator = (issuer, _, _) => issuer);
            server.AddSigningKey(keys.Signing).AddEncryptionKey(keys.Encryption);
            server.AddEventHandler<OpenIddictServerEvents.ApplyTokenResponseContext>(handler => handler.UseScopedHandler<TokenAudit>().SetOrder(int.MinValue));
            var http = server.UseAspNetCore().EnableTokenEndpointPassthrough().EnableAuthorizationEndpointPassthrough();
            // Settings allow plain http on loopback only.
            if (options.Portal.Url.Scheme == "http") http.DisableTransportSecurityRequirement();
        })
        .AddValidation(validation =>
        {
            validation.UseLocalServer();
            validation.Configure(o => o.TokenValidationParameters.IssuerValidator = (issuer, _, _) => issuer);
            validation.UseAspNetCore();
            // A revoked token and one of a deleted client stop working at once: rights are resolved at each request.
            validation.EnableTokenEntryValidation();
        });
}
