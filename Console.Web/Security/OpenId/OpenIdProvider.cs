using OpenIddict.Abstractions;
using OpenIddict.Server;
using Plinth.Web.Options;

namespace Plinth.Web.Security.OpenId;

/// <summary>The embedded OpenID provider: client credentials for automation, authorization code with PKCE for other programs people use, device code for command lines.</summary>
public static class OpenIdProvider
{
    public const string TokenPath = "/connect/token", AuthorizePath = "/connect/authorize";

    /// <summary>Where a person allows a program on a device without a browser.</summary>
    public const string DevicePath = "/device";

    /// <summary>Use of the API, with every right of the subject. A token without it tells a program who somebody is, and opens nothing here.</summary>
    public const string ApiScope = "api";

    /// <summary>Whom tokens for the API are for.</summary>
    public const string ApiAudience = "plinth";

    private static readonly TimeSpan AccessTokenLifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RefreshTokenLifetime = TimeSpan.FromDays(14);
    private static readonly TimeSpan DeviceCodeLifetime = TimeSpan.FromMinutes(10);

    // Without letters and digits that are taken for each other.
    private static readonly string[] UserCodeLetters = [.. "BCDFGHJKLMNPQRSTVWXZ".Select(c => c.ToString())];

    public static OpenIddictBuilder AddOpenIdProvider(this IServiceCollection services, ConsoleOptions options, OpenIdKeys keys) => services.AddOpenIddict()
        .AddServer(server =>
        {
            // With a free port the issuer is what the request says; otherwise one name, whichever of the loopback names was used.
            if (options.Portal.Url.Port != 0)
                server.SetIssuer(new UriBuilder(options.Portal.Url.Scheme, options.Portal.Host, options.Portal.Url.Port).Uri);
            server.SetTokenEndpointUris(TokenPath).SetAuthorizationEndpointUris(AuthorizePath).SetRevocationEndpointUris("/connect/revoke").SetDeviceAuthorizationEndpointUris("/connect/device").SetEndUserVerificationEndpointUris(DevicePath).SetJsonWebKeySetEndpointUris("/.well-known/jwks");
            server.AllowClientCredentialsFlow().AllowAuthorizationCodeFlow().AllowRefreshTokenFlow().AllowDeviceAuthorizationFlow().RequireProofKeyForCodeExchange();
            server.RegisterScopes(ApiScope, OpenIddictConstants.Scopes.OpenId, OpenIddictConstants.Scopes.Profile, OpenIddictConstants.Scopes.OfflineAccess);
            // A refresh token works once; one that comes again was stolen, by this one or the other, and ends what was allowed.
            server.SetRefreshTokenReuseLeeway(TimeSpan.Zero);
            // What a person allowed ends when it was to end, however often it is renewed.
            server.DisableSlidingRefreshTokenExpiration();
            server.SetDeviceCodeLifetime(DeviceCodeLifetime).SetUserCodeLifetime(DeviceCodeLifetime).SetUserCodeCharset(UserCodeLetters).SetUserCodeLength(8).SetUserCodeDisplayFormat("{0}{1}{2}{3}-{4}{5}{6}{7}");
            server.SetAccessTokenLifetime(AccessTokenLifetime).SetRefreshTokenLifetime(RefreshTokenLifetime);
            // A proof that travels in the clear proves nothing.
            server.Configure(o => o.CodeChallengeMethods.Remove(OpenIddictConstants.CodeChallengeMethods.Plain));
            // Its keys are this console's alone, so what they sign is its own, under whichever server's address it was issued.
            server.Configure(o => o.TokenValidationParameters.IssuerValidator = (issuer, _, _) => issuer);
            server.AddSigningKey(keys.Signing).AddEncryptionKey(keys.Encryption);
            server.AddEventHandler<OpenIddictServerEvents.ApplyTokenResponseContext>(handler => handler.UseScopedHandler<TokenAudit>().SetOrder(int.MinValue));
            var http = server.UseAspNetCore().EnableTokenEndpointPassthrough().EnableAuthorizationEndpointPassthrough().EnableEndUserVerificationEndpointPassthrough();
            // Settings allow plain http on loopback only.
            if (options.Portal.Url.Scheme == "http") http.DisableTransportSecurityRequirement();
        })
        .AddValidation(validation =>
        {
            validation.UseLocalServer();
            validation.Configure(o => o.TokenValidationParameters.IssuerValidator = (issuer, _, _) => issuer);
            validation.UseAspNetCore();
            validation.AddAudiences(ApiAudience);
            // A revoked token and one of a deleted client stop working at once: rights are resolved at each request.
            validation.EnableTokenEntryValidation().EnableAuthorizationEntryValidation();
        });
}
