using OpenIddict.Abstractions;
using Plinth.Web.Application;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Plinth.Web.Security.OpenId;

/// <summary>The client that command lines sign in as, for the person who starts them: it has no secret, and gets in by device code only.</summary>
public sealed class CommandLineClient(IServiceScopeFactory scopes) : IStartupStep
{
    public const string ClientId = "plinth-cli";

    public int Order => 20;

    public async Task Run(CancellationToken stop)
    {
        await using var scope = scopes.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        if (await clients.FindByClientIdAsync(ClientId, stop) is not null) return;
        await clients.CreateAsync(new OpenIddictApplicationDescriptor
        {
            ClientId = ClientId,
            ClientType = ClientTypes.Public,
            DisplayName = "Plinth command line",
            Permissions =
            {
                Permissions.Endpoints.DeviceAuthorization, Permissions.Endpoints.Token, Permissions.Endpoints.Revocation, Permissions.GrantTypes.DeviceCode, Permissions.GrantTypes.RefreshToken,
                Permissions.Scopes.Profile, Permissions.Prefixes.Scope + OpenIdProvider.ApiScope,
            },
        }, stop);
    }
}
