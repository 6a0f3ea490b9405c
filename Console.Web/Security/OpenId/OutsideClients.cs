using System.Text.Json;
using OpenIddict.Abstractions;
using Principal = Plinth.Core.Identity.Principal;
using Plinth.Web.Application;
using Plinth.Web.Options;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Plinth.Web.Security.OpenId;

/// <summary>Keeps the outside programs as the settings name them. One that is named no longer ends at the next start, with its tokens.</summary>
public sealed class OutsideClients(ConsoleOptions options, IServiceScopeFactory scopes, ILogger<OutsideClients> log) : IStartupStep
{
    // Clients without this mark were made otherwise and are left alone.
    private const string Mark = "plinth:settings";

    public int Order => 20;

    public async Task Run(CancellationToken stop)
    {
        await using var scope = scopes.CreateAsyncScope();
        var clients = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        var audit = scope.ServiceProvider.GetRequiredService<ISignIn>();
        foreach (var wanted in options.Clients)
        {
            var described = Describe(wanted);
            if (await clients.FindByClientIdAsync(wanted.ClientId, stop) is not { } present)
            {
                await clients.CreateAsync(described, stop);
                await Tell("client.create", wanted.ClientId, $"for {string.Join(' ', wanted.RedirectUris)}");
                continue;
            }
            if (!await IsOurs(present))
                throw new InvalidOperationException($"API client {wanted.ClientId} exists and was not made by Plinth:Clients; give the outside program another id");
            if ((await clients.GetRedirectUrisAsync(present, stop)).ToHashSet().SetEquals(wanted.RedirectUris.Select(u => u.OriginalString))) continue;
            await clients.UpdateAsync(present, described, stop);
            await Tell("client.update", wanted.ClientId, $"for {string.Join(' ', wanted.RedirectUris)}");
        }

        var all = await clients.ListAsync(cancellationToken: stop).ToListAsync(stop);
        foreach (var present in all)
        {
            var id = await clients.GetClientIdAsync(present, stop) ?? "";
            if (options.Clients.Any(c => c.ClientId == id) || !await IsOurs(present)) continue;
            await clients.DeleteAsync(present, stop);
            await Tell("client.delete", id, "the settings name it no longer");
        }

        async Task<bool> IsOurs(object client) => (await clients.GetPropertiesAsync(client, stop)).ContainsKey(Mark);

        async Task Tell(string action, string id, string detail)
        {
            await audit.Record(Principal.System, action, true, $"outside client {id}: {detail}", null, stop);
            log.LogInformation("{Action}: outside client {Client}: {Detail}", action, id, detail);
        }
    }

    private static OpenIddictApplicationDescriptor Describe(OutsideClientOptions client)
    {
        var described = new OpenIddictApplicationDescriptor
        {
            ClientId = client.ClientId,
            ClientType = ClientTypes.Public,
            DisplayName = client.ClientId,
            Properties = { [Mark] = JsonSerializer.SerializeToElement(true) },
            Requirements = { Requirements.Features.ProofKeyForCodeExchange },
            Permissions =
            {
                Permissions.Endpoints.Authorization, Permissions.Endpoints.Token, Permissions.Endpoints.Revocation,
                Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken, Permissions.ResponseTypes.Code,
                Permissions.Scopes.Profile, Permissions.Prefixes.Scope + OpenIdProvider.ApiScope,
            },
        };
        described.RedirectUris.UnionWith(client.RedirectUris);
        return described;
    }
}
