using OpenIddict.Abstractions;
using Plinth.Web.Application;
using Plinth.Web.Options;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Plinth.Web.Security.OpenId;

/// <summary>Makes the API client that the environment names, at the first start that names it. A later secret for the same id is not taken over in silence.</summary>
public sealed class BootstrapClient(ConsoleOptions options, IServiceScopeFactory scopes, ILogger<BootstrapClient> log) : IStartupStep
{
    public int Order => 20;

    public async Task Run(CancellationToken stop)
    {
        if (options.BootstrapClient is not { } bootstrap) return;
        await using var scope = scopes.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        if (await clients.FindByClientIdAsync(bootstrap.ClientId, stop) is { } present)
        {
            if (!await clients.ValidateClientSecretAsync(present, bootstrap.ClientSecret, stop))
                log.LogWarning("API client {Client} exists with another secret than PLINTH_BOOTSTRAP_CLIENT_SECRET; the stored one stays in force.", bootstrap.ClientId);
            return;
        }
        await clients.CreateAsync(new OpenIddictApplicationDescriptor
        {
            ClientId = bootstrap.ClientId,
            ClientSecret = bootstrap.ClientSecret,
            ClientType = ClientTypes.Confidential,
            DisplayName = bootstrap.ClientId,
            Permissions = { Permissions.Endpoints.Token, Permissions.Endpoints.Revocation, Permissions.GrantTypes.ClientCredentials, Permissions.Prefixes.Scope + OpenIdProvider.ApiScope },
        }, stop);
        await scope.ServiceProvider.GetRequiredService<ISignIn>().Trust(bootstrap.ClientId, stop);
        log.LogInformation("API client {Client} was made from the environment.", bootstrap.ClientId);
    }
}
