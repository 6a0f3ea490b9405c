using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Plinth.Core.Identity;
using Plinth.Web.Application;
using Plinth.Web.Listeners;
using Plinth.Web.Options;
using Plinth.Web.Persistence;
using Plinth.Web.Security.Agents;
using Plinth.Web.Security.Certificates;
using Plinth.Web.Security.OpenId;
using Plinth.Web.Security.Servers;
using Plinth.Web.Security.SignIn;

namespace Plinth.Web.Security;

/// <summary>Who may come in: people by cookie, programs by token, agents and other servers by certificate. Whatever names no policy is for people.</summary>
public static class SecurityRegistration
{
    public static void AddPlinthSecurity(this IServiceCollection services, ConsoleOptions options, DataDirectory data)
    {
        services.AddSingleton(s => CertificateAuthority.LoadOrCreate(data, s.GetRequiredService<TimeProvider>().GetUtcNow()));
        services.AddSingleton<ListenerCertificate>();
        services.AddSingleton(options.Agents);
        services.AddSingleton<KestrelListeners>();

        // Sessions and antiforgery tokens outlive a restart.
        services.AddDataProtection().SetApplicationName("Plinth").PersistKeysToDbContext<ConsoleDb>();
        services.AddAntiforgery(o => o.Cookie.Name = "plinth-antiforgery");

        services.AddAuthentication(ApiAuthorization.Scheme)
            .AddPolicyScheme(ApiAuthorization.Scheme, null, o => o.ForwardDefaultSelector = ApiAuthorization.Choose)
            .AddCookie(ApiAuthorization.CookieScheme, cookie =>
            {
                cookie.Cookie.Name = "plinth";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.Cookie.SecurePolicy = options.Portal.Url.Scheme == "https" ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
                cookie.ExpireTimeSpan = SessionLife.Longest;
                cookie.SlidingExpiration = false;
                cookie.LoginPath = SignInEndpoints.Path;
                cookie.ReturnUrlParameter = "returnUrl";
                // The session itself is the database's: ended there, it is over at once.
                cookie.Events.OnValidatePrincipal = async session =>
                {
                    if (!await session.HttpContext.RequestServices.GetRequiredService<ISignIn>().IsIn(session.Principal.ToPrincipal(), session.HttpContext.RequestAborted)) session.RejectPrincipal();
                };
            })
            .AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, AgentAuthentication>(AgentAuthentication.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, PeerAuthentication>(PeerAuthentication.SchemeName, null);
        services.AddAuthorizationBuilder().SetDefaultPolicy(ApiAuthorization.Policy).SetFallbackPolicy(ApiAuthorization.Policy);
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, ApiChallenge>();

        services.AddPasskeys();
        services.AddOpenIdProvider(options, OpenIdKeys.LoadOrCreate(data)).AddCore(core => core.UseEntityFrameworkCore().UseDbContext<ConsoleDb>());
        services.AddSingleton<IStartupStep, BootstrapClient>();
        services.AddSingleton<IStartupStep, OutsideClients>().AddSingleton<IStartupStep, CommandLineClient>();
        services.AddSingleton<IPrograms, Programs>();
        services.AddHostedService<TokenPruning>();
    }
}
